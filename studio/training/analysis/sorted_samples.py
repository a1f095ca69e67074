"""Samples of a trained run as pictures, in a folder for each class that a judge sees in them."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from studio.data.example_set import ExampleSet
from studio.data.scale import Values
from studio.errors import UserError
from studio.evaluation.tables import UNSURE, with_unsure
from studio.json_text import json_text
from studio.names import file_system_key, is_reserved
from studio.paths import default_data_root
from studio.progress import Progress
from studio.training.analysis.evaluate_run import images_of
from studio.training.examples.judges import Judges
from studio.training.storage.run import Run
from studio.training.storage.run_folder import safe_name
from studio.training.storage.sample_strips import save_png


def ensure_new(out: Path) -> None:
    """Refuse a folder that has something in it."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        hint = "Choose a new one: nothing is overwritten."
        raise UserError("The folder for the samples is not empty", f"{out}.", hint)


def write_by_class(
    run: Run,
    data: ExampleSet,
    out: Path,
    pieces: Iterable[tuple[int, Values]],
    how: Mapping[str, Any],
    progress: Progress,
    *,
    data_root: Path | None = None,
) -> dict[str, int]:
    """Have samples judged, and save each as PNG in the folder of its class; "unsure" is one, too.

    Args:
        data: the run's data set; the judge that the run asks for sorts them.
        out: a new or empty folder; it appears whole or not at all.
        pieces: of the samples, as `data` stores them, each with the place of its first one.
        how: they were made, for ``how.json``.
        data_root: folder of downloaded data sets, for the judge of another one; the person's own if absent.

    Raises:
        UserError: the data set is another or cannot be judged, or the folder cannot be written.
    """
    images = images_of(run, data)
    judge = Judges(images, data_root or default_data_root()).judge(run.config.evaluation.judge, progress)
    names = with_unsure(judge.class_names)
    found = dict.fromkeys(names, 0)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        place = Path(mkdtemp(prefix=f".{out.name}-", dir=out.parent))
        try:
            folders = _folders(place, judge.class_names)
            for start, values in pieces:
                drawn = images.pictures(values)
                for index, label in enumerate(judge.judge(drawn).labels):
                    with (folders[label] / f"{start + index:06d}.png").open("wb") as file:
                        save_png(drawn[index], file)
                    found[names[label]] += 1
            (place / "how.json").write_text(json_text(how, indent=2) + "\n", encoding="utf-8")
            place.chmod(0o755)
            place.replace(out)
        finally:
            shutil.rmtree(place, ignore_errors=True)
    except OSError as error:
        raise UserError(
            "The samples cannot be saved", f"{out}: {error.strerror or error}.", "Make room, or choose another folder."
        ) from error
    return found


def _folders(place: Path, class_names: Sequence[str]) -> list[Path]:
    """A folder for each class and for what is unsure, in label order; where names are no folders' on every system, or
    are one folder's on some, the classes are numbered.
    """
    names = [safe_name(name) for name in class_names]
    apart = len({file_system_key(name) for name in (*names, UNSURE)}) == len(names) + 1
    if names != [*class_names] or not apart or any(map(is_reserved, names)):
        names = [f"{index:03d}_{name}" for index, name in enumerate(names)]
    folders = [place / name for name in (*names, UNSURE)]
    for folder in folders:
        folder.mkdir()
    return folders

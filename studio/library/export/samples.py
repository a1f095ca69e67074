"""Newly drawn samples of a run: as arrays in an NPZ file, or as pictures in a folder for each class."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import mkdtemp
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import torch

from studio.data.example_set import ExampleSet
from studio.data.image_set import ImageSet
from studio.data.scale import Values
from studio.errors import UserError, reporting
from studio.evaluation.judge import Judge
from studio.evaluation.record import UNSURE, with_unsure
from studio.files import whole_file
from studio.library.export.options import ExportOptions
from studio.names import file_system_key, is_reserved
from studio.perturb.perturbation import Perturbation
from studio.progress import Progress
from studio.records import json_text
from studio.sampling.base import Tilted, joined
from studio.sampling.choice import Method
from studio.training.analysis.asked_target import AskedTarget
from studio.training.analysis.at_once import AtOnce
from studio.training.analysis.evaluate_run import images_of
from studio.training.analysis.trained_model import TrainedModel
from studio.training.config.run_config import target_record
from studio.training.engine.samples import drawn_pieces
from studio.training.examples.judges import Judges
from studio.training.storage.run import Run, restore_model
from studio.training.storage.run_folder import safe_name
from studio.training.storage.sample_strips import save_png, tiled


def write_samples(
    folder: Path, out: Path, progress: Progress | None = None, *, count: int, seed: int = 0, averaged: bool = True
) -> int:
    """Draw into an NPZ file: `images`, uint8, (count, H, W, C), or `points`, float32, (count, 2); and `how`, JSON; how
    many.

    By the moving average of the weights, or as they are; the seed is that of the latents.

    Raises:
        UserError: the run cannot be read, there is too little memory or room, or the file cannot be written.
        Cancelled: the person cancelled; nothing is left.
    """
    saved, progress = Run.open(folder), progress or Progress()
    model = restore_model(saved, averaged=averaged)
    name = "images" if saved.scale.whole else "points"
    with whole_file(out) as file, ZipFile(file, "w", ZIP_DEFLATED) as zipped:
        with zipped.open(f"{name}.npy", "w", force_zip64=True) as member:
            for start, drawn in drawn_pieces(model, count, torch.Generator().manual_seed(seed), saved.scale, progress):
                values = drawn if saved.scale.whole else drawn.reshape(len(drawn), -1)
                if start == 0:
                    _ensure_room(count * values[0].nbytes, out)
                    form = {"descr": np.lib.format.dtype_to_descr(values.dtype), "fortran_order": False}
                    np.lib.format.write_array_header_1_0(member, form | {"shape": (count, *values.shape[1:])})
                member.write(np.ascontiguousarray(values).data)
        with zipped.open("how.npy", "w") as member:
            np.lib.format.write_array(member, np.array(json_text(_how(saved, seed, averaged))))
    return count


def write_at_once(folder: Path, out: Path, progress: Progress, options: ExportOptions, asked: AskedTarget) -> Tilted:
    """Samples of another target than the run's, all of which count alike, as an NPZ file with `how` they were made, or
    as a picture where the file is called ``.png``.

    Raises:
        UserError: the run or its data cannot be read, the target cannot be had, or the file cannot be written.
        Cancelled: the person cancelled; nothing is left.
    """
    saved = Run.open(folder).at(options.assignments)
    root = saved.identity.root(options.data_root)
    made, how = _at_once(saved, lambda part: saved.identity.load(root, part), root, progress, options, asked)
    write_drawn(made.alike(np.random.default_rng(options.seed)).values, how, out)
    return made


def write_drawn(values: Values, how: Mapping[str, Any], out: Path) -> None:
    """Samples that are drawn already, shape (n, H, W, C), as stored, with `how`, as the files of `write_at_once`."""
    with whole_file(out) as file:
        if out.suffix.lower() == ".png":
            _save_grid(values, file, how)
        else:
            named = {"images": values} if values.dtype == np.uint8 else {"points": values.reshape(len(values), -1)}
            np.savez_compressed(file, allow_pickle=False, how=np.array(json_text(how)), **named)


def _at_once(
    run: Run,
    data: Callable[[Progress], ExampleSet],
    root: Path,
    progress: Progress,
    options: ExportOptions,
    asked: AskedTarget,
) -> tuple[Tilted, dict[str, Any]]:
    """Samples of another target, with what other judges find in them, and how they were made."""
    seed, averaged = options.seed, options.averaged
    trained = TrainedModel.of_run(run, data, progress, averaged=averaged, data_root=root)
    at_once, wanted = AtOnce(trained, progress, seed=seed), trained.asked(asked, progress)
    made = at_once.sample(wanted, options.count, progress, Method(options.method))
    made = at_once.remarked(made, wanted, progress)
    return made, how_towards(run, wanted, seed, averaged) | {"at_once": made.record()}


def write_picture(folder: Path, out: Path, progress: Progress, *, count: int, seed: int, averaged: bool) -> None:
    """Draw into one picture, a nearly square grid; arguments and errors as of `write_samples`."""
    saved = Run.open(folder)
    model, rng = restore_model(saved, averaged=averaged), torch.Generator().manual_seed(seed)
    with whole_file(out) as file:
        drawn = joined([drawn for _, drawn in drawn_pieces(model, count, rng, saved.scale, progress)])
        _save_grid(drawn, file, _how(saved, seed, averaged))


def _save_grid(values: Values, file: IO[bytes], how: Mapping[str, Any]) -> None:
    if values.dtype != np.uint8:
        raise UserError("Points are no picture", "A PNG holds images.", "Give the file a name that ends in .npz.")
    save_png(tiled(np.asarray(values, np.uint8)), file, how)


def how_towards(run: Run, wanted: Perturbation, seed: int, averaged: bool) -> dict[str, Any]:
    """What is said in a file of samples of another target than the run's, beside the one that its weights learned."""
    terms = [term.title for term in wanted.energy.terms if term.active]
    how = _how(run, seed, averaged)
    return how | {
        "target": target_record(wanted, run.class_names) | {"terms": terms},
        "trained": how.get("learned", how["target"]),
    }


def _how(run: Run, seed: int, averaged: bool) -> dict[str, Any]:
    return run.record() | {"seed": seed, "averaged": averaged}


def _ensure_room(wanted: int, out: Path) -> None:
    """Refuse at once what would fill the disk in hours."""
    free = shutil.disk_usage(out.parent).free
    if wanted > free:
        raise UserError(
            "There is not enough room for so many samples",
            f"They may take {wanted / 1e9:,.1f} GB; {out.parent} has {free / 1e9:,.1f} GB left.",
            "Draw fewer, or choose another disk.",
        )


def write_classes(folder: Path, out: Path, progress: Progress, options: ExportOptions) -> dict[str, int]:
    """Draw samples, have them judged, and save each as PNG in the folder of its class, and ``how.json``; how many there
    are of each.

    "unsure" is one, too. The judge is the one that the run asks for; `out` is new or empty, and appears whole or not at
    all. Raises UserError if the run or its data cannot be read, or the folder not be written.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        hint = "Choose a new one: nothing is overwritten."
        raise UserError("The folder for the samples is not empty", f"{out}.", hint)
    run = Run.open(folder).at(options.assignments)
    root = run.identity.root(options.data_root)
    data = run.identity.load(root, progress.part(0.0, 0.1))
    pieces: Iterable[tuple[int, Values]]
    if options.asked is None:
        model, rng = restore_model(run, averaged=options.averaged), torch.Generator().manual_seed(options.seed)
        pieces = drawn_pieces(model, options.count, rng, run.scale, progress.part(0.6, 1.0))
        how = _how(run, options.seed, options.averaged)
    else:
        made, how = _at_once(run, lambda _: data, root, progress.part(0.1, 0.5), options, options.asked)
        pieces = [(0, made.alike(np.random.default_rng(options.seed)).values)]
    images = images_of(run, data)
    judge = Judges(images, root).judge(run.config.evaluation.judge, progress.part(0.1, 0.6))
    with reporting("The samples cannot be saved", out, "Make room, or choose another folder."):
        return _sort(pieces, images, judge, how, out)


def _sort(
    pieces: Iterable[tuple[int, Values]], images: ImageSet, judge: Judge, how: dict[str, Any], out: Path
) -> dict[str, int]:
    """Save pieces of the samples, each with the place of its first one, and by the judge of which data, empty for their
    own, they are sorted; how many there are of each class.
    """
    names = with_unsure(judge.class_names)
    found = dict.fromkeys(names, 0)
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
        said = how | {"judge": judge.trained_on}
        (place / "how.json").write_text(json_text(said, indent=2) + "\n", encoding="utf-8")
        place.chmod(0o755)
        place.replace(out)
    finally:
        shutil.rmtree(place, ignore_errors=True)
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

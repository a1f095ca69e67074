"""Newly drawn samples of a run: as arrays in an NPZ file, or as pictures in a folder for each class."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from shutil import disk_usage
from typing import IO, TYPE_CHECKING, Any
from zipfile import ZIP_DEFLATED, ZipFile

from studio.data.example_set import ExampleSet
from studio.data.scale import Values
from studio.errors import UserError
from studio.files import whole_file
from studio.progress import Progress
from studio.records import json_text
from studio.training.storage.run import Run

if TYPE_CHECKING:
    from studio.sampling.base import Tilted
    from studio.training.analysis.asked_target import AskedTarget


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
    import numpy as np
    import torch

    from studio.training.engine.drawing import drawn_pieces
    from studio.training.storage.run import restore_model

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


def write_at_once(
    folder: Path,
    out: Path,
    asked: AskedTarget,
    progress: Progress,
    *,
    method: str = "auto",
    count: int,
    seed: int = 0,
    averaged: bool = True,
    data_root: Path | None = None,
    assignments: Sequence[str] = (),
) -> Tilted:
    """Samples of another target than the run's, all of which count alike, as an NPZ file with `how` they were made, or
    as a picture where the file is called ``.png``.

    Args:
        asked: the target.
        method: as `Method` has it.
        seed, averaged, data_root, assignments: as for `write_classes`.

    Raises:
        UserError: the run or its data cannot be read, the target cannot be had, or the file cannot be written.
        Cancelled: the person cancelled; nothing is left.
    """
    import numpy as np

    saved = Run.open(folder).at(assignments)
    root = saved.identity.root(data_root)
    made, how = _at_once(
        saved,
        lambda part: saved.identity.load(root, part),
        asked,
        progress,
        method=method,
        count=count,
        seed=seed,
        averaged=averaged,
        root=root,
    )
    values = made.alike(np.random.default_rng(seed)).values
    with whole_file(out) as file:
        if out.suffix.lower() == ".png":
            _save_grid(values, file)
        else:
            named = {"images": values} if saved.scale.whole else {"points": values.reshape(len(values), -1)}
            np.savez_compressed(file, allow_pickle=False, how=np.array(json_text(how)), **named)
    return made


def _at_once(
    run: Run,
    data: Callable[[Progress], ExampleSet],
    asked: AskedTarget,
    progress: Progress,
    *,
    method: str,
    count: int,
    seed: int,
    averaged: bool,
    root: Path,
) -> tuple[Tilted, dict[str, Any]]:
    """Samples of another target, with what other judges find in them, and how they were made."""
    from studio.sampling.choice import Method
    from studio.training.analysis.at_once import AtOnce

    at_once = AtOnce.of_run(run, data, progress, averaged=averaged, seed=seed, data_root=root)
    wanted = at_once.asked(asked, progress)
    made = at_once.sample(wanted, count, progress, Method(method))
    made = at_once.remarked(made, wanted, progress)
    offsets = dict(zip(run.class_names, wanted.offsets, strict=True))
    target = {"offsets": offsets, "terms": [term.title for term in wanted.energy.terms if term.active]}
    return made, _how(run, seed, averaged) | {"at_once": made.record(), "target": target}


def write_picture(
    folder: Path, out: Path, progress: Progress, *, count: int, seed: int = 0, averaged: bool = True
) -> None:
    """Draw into one picture, a nearly square grid; arguments and errors as of `write_samples`."""
    import torch

    from studio.sampling.base import joined
    from studio.training.engine.drawing import drawn_pieces
    from studio.training.storage.run import restore_model

    saved = Run.open(folder)
    pieces = drawn_pieces(
        restore_model(saved, averaged=averaged), count, torch.Generator().manual_seed(seed), saved.scale, progress
    )
    with whole_file(out) as file:
        _save_grid(joined([drawn for _, drawn in pieces]), file)


def _save_grid(values: Values, file: IO[bytes]) -> None:
    import numpy as np

    from studio.training.storage.sample_strips import save_png, tiled

    if values.dtype != np.uint8:
        raise UserError("Points are no picture", "A PNG holds images.", "Give the file a name that ends in .npz.")
    save_png(tiled(np.asarray(values, np.uint8)), file)


def _how(run: Run, seed: int, averaged: bool) -> dict[str, Any]:
    return {"run": run.path.resolve().name, "step": run.weights_step, "seed": seed, "averaged": averaged}


def _ensure_room(wanted: int, out: Path) -> None:
    """Refuse at once what would fill the disk in hours."""
    free = disk_usage(out.parent).free
    if wanted > free:
        raise UserError(
            "There is not enough room for so many samples",
            f"They may take {wanted / 1e9:,.1f} GB; {out.parent} has {free / 1e9:,.1f} GB left.",
            "Draw fewer, or choose another disk.",
        )


def write_classes(
    folder: Path,
    out: Path,
    progress: Progress,
    *,
    count: int,
    seed: int = 0,
    averaged: bool = True,
    data_root: Path | None = None,
    assignments: Sequence[str] = (),
    asked: AskedTarget | None = None,
    method: str = "auto",
) -> dict[str, int]:
    """Draw into a folder, new or empty, with one for each class that a judge of the data set sees, and ``how.json``;
    how many there are of each.

    Args:
        seed: of the latents.
        averaged: by the moving average of the weights, or as they are.
        data_root: folder of downloaded data sets; where the run's were, or else the person's own, if absent.
        assignments: other places of its data, such as ``dataset.path=/new/place``.
        asked, method: another target, and how it is sampled at once.

    Raises:
        UserError: the run or its data cannot be read, or the folder not be written; it appears whole or not at all.
    """
    import numpy as np
    import torch

    from studio.training.analysis.sorted_samples import ensure_new, write_by_class
    from studio.training.engine.drawing import drawn_pieces
    from studio.training.storage.run import restore_model

    ensure_new(out)
    saved = Run.open(folder).at(assignments)
    root = saved.identity.root(data_root)
    data = saved.identity.load(root, progress.part(0.0, 0.1))
    if asked is None:
        model, rng = restore_model(saved, averaged=averaged), torch.Generator().manual_seed(seed)
        pieces = drawn_pieces(model, count, rng, saved.scale, progress.part(0.6, 1.0))
        how = _how(saved, seed, averaged)
    else:
        made, how = _at_once(
            saved,
            lambda _: data,
            asked,
            progress.part(0.1, 0.5),
            method=method,
            count=count,
            seed=seed,
            averaged=averaged,
            root=root,
        )
        pieces = iter([(0, made.alike(np.random.default_rng(seed)).values)])
    return write_by_class(saved, data, out, pieces, how, progress.part(0.1, 0.6), data_root=root)

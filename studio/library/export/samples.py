"""Newly drawn samples of a run: as arrays in an NPZ file, or as pictures in a folder for each class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shutil import disk_usage
from typing import IO, TYPE_CHECKING, Any
from zipfile import ZIP_DEFLATED, ZipFile

from studio.data.example_set import ExampleSet
from studio.data.scale import Values
from studio.errors import UserError
from studio.files import whole_file
from studio.json_text import json_text
from studio.progress import Progress
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

    from studio.sampling.choice import Method
    from studio.training.analysis.at_once import AtOnce

    saved = Run.open(folder).at(assignments)
    root = saved.identity.root(data_root)
    at_once = AtOnce.of_run(
        saved, lambda part: saved.identity.load(root, part), progress, averaged=averaged, seed=seed, data_root=root
    )
    wanted = at_once.asked(asked, progress)
    made = at_once.sample(wanted, count, progress, Method(method))
    values = made.alike(np.random.default_rng(seed)).values
    whole = saved.scale.whole
    with whole_file(out) as file:
        if out.suffix.lower() == ".png":
            _save_grid(values, file)
        else:
            offsets = dict(zip(saved.class_names, wanted.offsets, strict=True))
            target = {"offsets": offsets, "terms": [term.title for term in wanted.energy.terms if term.active]}
            how = _how(saved, seed, averaged) | {"at_once": made.record(), "target": target}
            named = {"images": values} if whole else {"points": values.reshape(len(values), -1)}
            np.savez_compressed(file, allow_pickle=False, how=np.array(json_text(how)), **named)
    return made


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
) -> dict[str, int]:
    """Draw into a folder, new or empty, with one for each class that a judge of the data set sees; how many there are
    of each.

    Args:
        seed: of the latents.
        averaged: by the moving average of the weights, or as they are.
        data_root: folder of downloaded data sets; where the run's were, or else the person's own, if absent.
        assignments: other places of its data, such as ``dataset.path=/new/place``.

    Raises:
        UserError: the run or its data cannot be read, or the folder not be written; it appears whole or not at all.
    """
    from studio.training.analysis.sorted_samples import write_by_class

    saved = Run.open(folder).at(assignments)
    root = saved.identity.root(data_root)

    def load(told: Progress) -> ExampleSet:
        return saved.identity.load(root, told)

    return write_by_class(saved, load, out, progress, count=count, seed=seed, averaged=averaged, data_root=root)

"""Newly drawn samples of a run: as arrays in an NPZ file, or as pictures in a folder for each class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from studio.data.example_set import ExampleSet
from studio.files import whole_file
from studio.progress import Progress
from studio.training.saved_run import SavedRun


def write_samples(folder: Path, out: Path, *, count: int, seed: int = 0, averaged: bool = True) -> int:
    """Draw into an NPZ file: `images`, uint8, (count, H, W, C), or `points`, float32, (count, 2).

    Args:
        folder: the run's.
        out: the file, written whole.
        count: how many.
        seed: of the latents.
        averaged: by the moving average of the weights, or as they are.

    Returns:
        how many.

    Raises:
        UserError: the run cannot be read, there is too little memory, or the file cannot be written.
    """
    import numpy as np
    import torch

    from studio.training.memory import out_of_memory
    from studio.training.restore import restore_model
    from studio.training.trainer import draw

    saved = SavedRun.open(folder)
    model = restore_model(saved, averaged=averaged)
    try:
        drawn = draw(model, count, torch.Generator().manual_seed(seed), saved.scale)
    except (MemoryError, RuntimeError) as found:
        error = out_of_memory(found, "Draw fewer images at once.")
        if error is None:
            raise
        raise error from found
    with whole_file(out) as file:
        if saved.scale.whole:
            np.savez_compressed(file, images=drawn)
        else:
            np.savez_compressed(file, points=drawn.reshape(count, -1))
    return count


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
    """Draw into a folder for each class that a judge of the data set sees.

    Args:
        folder: the run's.
        out: a new or empty folder; it appears whole or not at all.
        progress: told how far it is; may cancel.
        count: how many.
        seed: of the latents.
        averaged: by the moving average of the weights, or as they are.
        data_root: folder of downloaded data sets; where the run's were, or else the person's own, if absent.
        assignments: other places of its data, such as ``dataset.path=/new/place``.

    Returns:
        how many there are of each.

    Raises:
        UserError: the run or its data cannot be read, or the folder not be written.
        Cancelled: the person cancelled.
    """
    from studio.training.sorted_samples import write_by_class

    saved = SavedRun.open(folder).at(assignments)
    root = saved.identity.root(data_root)

    def load(told: Progress) -> ExampleSet:
        return saved.identity.load(root, told)

    return write_by_class(saved, load, out, progress, count=count, seed=seed, averaged=averaged, data_root=root)

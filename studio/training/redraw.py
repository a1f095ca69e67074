"""Samples of a run that is not under way, drawn anew by the weights that its folder holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from studio.errors import UserError
from studio.models.base import GenerativeModel
from studio.progress import Progress
from studio.training.commands import ShowBetween
from studio.training.latent_images import grid_images, way_between
from studio.training.latents import Latents
from studio.training.restore import restore_model
from studio.training.saved_run import SavedRun
from studio.training.snapshot import Between, Images, SampleGrid


def redraw_grid(folder: Path, latents: Latents, count: int, progress: Progress) -> SampleGrid:
    """A sample grid of these latents, by the newest weights on disk.

    Args:
        folder: the run's.
        latents: behind the samples.
        count: how many.
        progress: told how far it is; may cancel.

    Raises:
        UserError: the folder or its weights cannot be read, or its examples are no images.
        Cancelled: the person cancelled.
    """
    run = _of_images(folder)
    raw, averaged = (
        _grid(run, latents, count, averaged, progress.part(start, start + 0.5))
        for averaged, start in ((False, 0.0), (True, 0.5))
    )
    return SampleGrid(step=_step(run), raw=raw, averaged=averaged, latents=latents)


def redraw_alike(folders: Sequence[Path], latents: Latents, count: int, progress: Progress) -> list[SampleGrid]:
    """A grid of each run, all of the same latents as far as their models have latents of one shape.

    Raises:
        UserError: as for one.
        Cancelled: the person cancelled.
    """
    share = 1 / len(folders)
    return [
        redraw_grid(folder, latents, count, progress.part(place * share, (place + 1) * share))
        for place, folder in enumerate(folders)
    ]


def redraw_between(folder: Path, asked: ShowBetween, progress: Progress) -> Between:
    """The way between samples, by the newest weights on disk.

    Args:
        folder: the run's.
        asked: between which.
        progress: told how far it is; may cancel.

    Raises:
        UserError: the folder or its weights cannot be read, or no latents are behind its images.
        Cancelled: the person cancelled.
    """
    run = _of_images(folder)
    model = _model(run, asked.averaged, progress)
    progress.report("Drawing the way between samples", None)
    found = way_between(model, asked, _step(run), run.scale)
    if found is None:
        raise UserError("There is no way between these samples", "No latents stand behind this model's images.", "")
    return found


def _of_images(folder: Path) -> SavedRun:
    run = SavedRun.open(folder)
    if not run.scale.whole:
        hint = "Go on with the run; the panel “Plane” shows its points."
        raise UserError("Points are not drawn anew", f"{folder} has learned points of the plane.", hint)
    return run


def _grid(run: SavedRun, latents: Latents, count: int, averaged: bool, progress: Progress) -> Images:
    model = _model(run, averaged, progress)
    progress.report("Drawing samples", 0.5)
    return grid_images(model, latents, count, run.scale).astype(np.uint8, copy=False)


def _model(run: SavedRun, averaged: bool, progress: Progress) -> GenerativeModel:
    progress.report(f"Reading the weights of {run.path.name}", None)
    return restore_model(run, averaged=averaged)


def _step(run: SavedRun) -> int:
    steps = run.summary.get("steps")
    return steps if isinstance(steps, int) and steps >= 0 else 0

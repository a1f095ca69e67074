"""Samples of a run that is not under way, drawn anew by weights that its folder holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from studio.errors import UserError
from studio.models.base import GenerativeModel
from studio.progress import Progress
from studio.training.analysis.latent_images import grid_images, interpolation
from studio.training.messages.commands import ShowBetween
from studio.training.messages.latents import Latents
from studio.training.messages.snapshot import Interpolation, SampleGrid
from studio.training.storage.run import Run, restore_model

Shape = tuple[int, ...]


def redraw_grid(folder: Path, latents: Latents, count: int, step: int, progress: Progress) -> SampleGrid:
    """A sample grid of these latents, by the weights kept nearest to a step; raises UserError if it cannot be drawn."""
    return _drawn(_of_images(folder).near(step), latents, count, progress)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedSamples:
    """Samples of several runs by the same latents; `others` are places of runs with latents unlike the first run's."""

    grids: tuple[SampleGrid, ...]
    others: tuple[int, ...]


def redraw_alike(folders: Sequence[Path], latents: Latents, count: int, progress: Progress) -> MatchedSamples:
    """A grid of each run by its newest weights, all of these latents; raises UserError as for one."""
    share = 1 / len(folders)
    drawn = [
        _drawn(_of_images(folder), latents, count, progress.part(place * share, (place + 1) * share))
        for place, folder in enumerate(folders)
    ]
    first = drawn[0][1]
    others = tuple(place for place, (_, shape) in enumerate(drawn) if shape is None or shape != first)
    return MatchedSamples(grids=tuple(grid for grid, _ in drawn), others=others)


def redraw_between(folder: Path, asked: ShowBetween, step: int, progress: Progress) -> Interpolation:
    """The way between samples, by the weights kept nearest to a step; raises UserError if it cannot be drawn."""
    run = _of_images(folder).near(step)
    model = _model(run, asked.averaged, progress)
    progress.report("Interpolating between samples", None)
    found = interpolation(model, asked, run.weights_step or 0, run.scale)
    if found is None:
        raise UserError("These samples cannot be interpolated", "This model has no latents.", "")
    return found


def _of_images(folder: Path) -> Run:
    run = Run.open(folder)
    if not run.scale.whole:
        hint = "Resume the run; the panel “Plane” shows its points."
        raise UserError("Points cannot be drawn again", f"{folder} has learned points of the plane.", hint)
    return run


def _drawn(run: Run, latents: Latents, count: int, progress: Progress) -> tuple[SampleGrid, Shape | None]:
    """A grid, and the shape of the latents behind it."""
    images, shape = [], None
    for averaged, start in ((False, 0.0), (True, 0.5)):
        part = progress.part(start, start + 0.5)
        model = _model(run, averaged, part)
        part.report("Drawing samples", 0.5)
        images.append(grid_images(model, latents, count, run.scale).astype(np.uint8, copy=False))
        shape = model.latent_shape
    return SampleGrid(step=run.weights_step or 0, raw=images[0], averaged=images[1], latents=latents), shape


def _model(run: Run, averaged: bool, progress: Progress) -> GenerativeModel:
    progress.report(f"Reading the weights of {run.path.name}", None)
    return restore_model(run, averaged=averaged)

"""Whether samples of several runs are of the same latents, in words. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from studio.library.compare import ComparedRun
from studio.models.catalog import model_spec
from studio.training.messages.latents import Latents
from studio.training.messages.snapshot import SampleGrid


@dataclass(frozen=True, slots=True, kw_only=True)
class LatentMatch:
    """How the samples of a step belong together.

    Attributes:
        text: in a sentence or two; empty where there is nothing to compare.
        redraw: whether drawing them anew, all of the same latents, would help.
    """

    text: str = ""
    redraw: bool = False


def kinship(runs: Sequence[ComparedRun], grids: Sequence[SampleGrid | None]) -> LatentMatch:
    """Whether kept grids are of the same latents.

    Args:
        runs: that are compared.
        grids: of each; None where there is none.
    """
    shown = [(run, grid) for run, grid in zip(runs, grids, strict=True) if grid is not None]
    if len(shown) < 2:
        return LatentMatch()
    without = [run for run, _ in shown if model_spec(run.config.model.kind).without_latents]
    if without:
        return LatentMatch(text=model_spec(without[0].config.model.kind).without_latents)
    several = all(len(grid.raw) > 1 for _, grid in shown)  # points share one picture, and are not drawn anew
    if any(grid.latents is None for _, grid in shown):
        return LatentMatch(text="It was not kept which latents are behind some of these samples.", redraw=several)
    sizes = {run.config.model.latent_numbers(grid.raw[0].size) for run, grid in shown}
    if len(sizes) > 1 or _differ([grid for _, grid in shown]):
        return LatentMatch(text="These samples are of different latents.", redraw=several)
    return LatentMatch(text="All samples are of the same latents: those at one place began as the same random numbers.")


def common_latents(runs: Sequence[ComparedRun], grids: Sequence[SampleGrid | None]) -> tuple[Latents, int]:
    """Latents to draw all runs from, those of the first that has some, and how many samples."""
    known = [grid.latents for grid in grids if grid is not None and grid.latents is not None]
    counts = [len(grid.raw) for grid in grids if grid is not None]
    return known[0] if known else Latents.of(runs[0].config), min(counts, default=runs[0].config.cadence.samples)


def _differ(grids: Sequence[SampleGrid]) -> bool:
    count = min(len(grid.raw) for grid in grids)
    first, *others = [grid.latents.points(count) for grid in grids if grid.latents is not None]
    return any(points != first for points in others)

"""Which latents stand behind a run's sample grid: those of one seed, but for favourites, which keep theirs.

Latent i of seed s is z ~ N(0, 1) from a stream of its own, seeded by both: it is the same whatever the size of the
grid, on any device, and for every model whose latents have that shape. A run keeps its choice in its folder.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from studio.records import read_record, write_record
from studio.settings import Settings
from studio.training.config.run_config import RunConfig

FILE = "latents.json"
LARGEST_SEED = 2**62
_MOST_PLACES = 4096
_OF_GRIDS = 0x5EED
"""Added to a run's seed for the latents that its grid begins with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LatentPoint:
    """One latent: the place of its sample in the grid, from 0, and the seed that it was drawn with."""

    place: int
    seed: int


class Latents(Settings):
    """Those of a grid: the seed of all but the favourites, and that of each favourite by its place in the grid."""

    schema_version: Literal[1] = 1
    seed: int = Field(ge=0, le=LARGEST_SEED)
    pins: dict[int, int] = Field(default_factory=dict, max_length=_MOST_PLACES)

    @field_validator("pins", mode="after")
    @classmethod
    def _within_bounds(cls, pins: dict[int, int]) -> dict[int, int]:
        if any(not 0 <= place < _MOST_PLACES or not 0 <= seed <= LARGEST_SEED for place, seed in pins.items()):
            raise ValueError("a favourite has no such place or seed")
        return dict(sorted(pins.items()))

    @classmethod
    def of(cls, config: RunConfig) -> Latents:
        return cls(seed=config.seed + _OF_GRIDS)

    def at(self, place: int) -> LatentPoint:
        return LatentPoint(place=place, seed=self.pins.get(place, self.seed))

    def points(self, count: int) -> list[LatentPoint]:
        """The latents of a grid of `count` samples, in its order."""
        return [self.at(place) for place in range(count)]

    def rerolled(self, seed: int) -> Latents:
        """Others everywhere but at the favourites."""
        return self.model_copy(update={"seed": seed})

    def pinned(self, points: Iterable[LatentPoint]) -> Latents:
        """With these among the favourites, each at its place."""
        pins = self.pins | {point.place: point.seed for point in points}
        return Latents(seed=self.seed, pins=pins)

    def unpinned(self, places: Iterable[int]) -> Latents:
        """Without favourites at these places, which are again of the seed of all others."""
        gone = set(places)
        return Latents(seed=self.seed, pins={place: seed for place, seed in self.pins.items() if place not in gone})


def read_latents(folder: Path) -> Latents | None:
    """The latents that a run's folder names, None for those that it began with; raises UserError if damaged."""
    return read_record(
        folder / FILE,
        Latents,
        "The run's favourite samples cannot be read",
        "Delete the file: the run then shows the samples that it began with.",
    )


def write_latents(folder: Path, latents: Latents) -> None:
    """Keep a choice in a run's folder; raises UserError if the folder cannot be written."""
    write_record(folder / FILE, latents)

"""Some of a set's examples, by their places in it: nothing is copied until it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from studio.data.example_set import ExampleSet, Places
from studio.data.scale import Scale, Values

if TYPE_CHECKING:
    from studio.data.planar.plane import Plane


@dataclass(frozen=True, slots=True, kw_only=True)
class Subset(ExampleSet):
    """A frozen part of a set, by places in the whole, int64, shape (N,), one of each class at least; without files."""

    whole: ExampleSet
    places: NDArray[np.int64]

    @property
    def values(self) -> Values:
        return self.whole.rows(self.places)

    def rows(self, places: Places) -> Values:
        return self.whole.rows(self.places[places])

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return self.whole.image_shape

    @property
    def scale(self) -> Scale:
        return self.whole.scale

    @property
    def plane(self) -> Plane | None:
        return self.whole.plane

    @property
    def noun(self) -> str:
        return self.whole.noun

    @property
    def form(self) -> str:
        return self.whole.form

    def pictures(self, values: Values) -> NDArray[np.uint8]:
        return self.whole.pictures(values)

    def overview(self, values: Values) -> NDArray[np.uint8]:
        return self.whole.overview(values)


def part_of(whole: ExampleSet, places: NDArray[np.int64]) -> Subset:
    """The examples at these places, with the same classes; raises UserError if a class has none of them."""
    return Subset(
        name=whole.name,
        labels=whole.labels[places],
        class_names=whole.class_names,
        listed=whole.listed,
        numbers=whole.numbers[places],
        whole=whole,
        places=places,
    )

"""The data set in use as panels show it. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from studio.data.example_set import ExampleSet
from studio.data.planar.plane import Plane
from studio.data.scale import Values


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetView:
    """The data set in use.

    Attributes:
        counts: examples per class, shape (K,).
        shares: p per class, shape (K,).
        thumbnails: a picture of each class, uint8, shape (K, H, W, C).
        labels: class of every example, shape (N,); for histograms over the data set.
        noun, form: what the examples are and what form they have, in words.
        plane: where the examples are points, with its exact densities; None for images.
        points: those points, float32, shape (N, 1, 1, 2); none for images.
    """

    name: str
    class_names: tuple[str, ...]
    counts: NDArray[np.int64]
    shares: NDArray[np.float64]
    thumbnails: NDArray[np.uint8]
    labels: NDArray[np.int64]
    noun: str
    form: str
    plane: Plane | None
    points: Values

    @property
    def labelled(self) -> bool:
        """Whether classes can be told apart."""
        return len(self.class_names) > 1

    @classmethod
    def of(cls, images: ExampleSet) -> DatasetView:
        counts = images.counts
        return cls(
            name=images.name,
            class_names=images.class_names,
            counts=counts,
            shares=counts / counts.sum(),
            thumbnails=images.thumbnails(),
            labels=images.labels,
            noun=images.noun,
            form=images.form,
            plane=images.plane,
            points=images.values[: len(images) if images.plane is not None else 0],
        )

"""Images in memory, uint8, (N, H, W, C), C = 1 (grey) or 3 (RGB); labels are class indices 0…K−1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from studio.data.example_set import ExampleSet, LoadReport, SkippedFile
from studio.data.scale import Values
from studio.errors import UserError

__all__ = ["ImageSet", "LoadReport", "SkippedFile"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSet(ExampleSet):
    """Frozen images, uint8, 0…255, shape (N, H, W, C), read-only; raises UserError if arrays do not fit together."""

    images: NDArray[np.uint8]

    def __post_init__(self) -> None:
        if self.images.dtype != np.uint8 or self.images.ndim != 4 or self.images.shape[3] not in (1, 3):
            raise UserError(
                "The images have the wrong form",
                f"{self.name}: {self.images.dtype} {self.images.shape} instead of uint8 (N, H, W, 1 or 3).",
            )
        self._check_values()
        ExampleSet.__post_init__(self)  # super() does not know a class with slots

    @property
    def values(self) -> NDArray[np.uint8]:
        return self.images

    @property
    def noun(self) -> str:
        return "images"

    @property
    def form(self) -> str:
        channels, height, width = self.image_shape
        return f"{width}×{height} {'grey' if channels == 1 else 'colour'}"

    def pictures(self, values: Values) -> NDArray[np.uint8]:
        assert values.dtype == np.uint8
        return values  # type: ignore[return-value]  # mypy does not narrow arrays by their dtype

    def overview(self, values: Values) -> NDArray[np.uint8]:
        return self.pictures(values)

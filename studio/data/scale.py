"""Between values as a data set stores them and what models take: value = centre + half·x, x in −1…1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.uint8] | NDArray[np.float32]
"""Stored values of examples, shape (n, H, W, C): bytes of images, or coordinates of points."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How stored values, bytes if `whole`, become what models take: `centre` is x = 0, `centre` + `half` x = 1."""

    centre: float
    half: float
    whole: bool

    def stored(self, images: NDArray[np.float32]) -> Values:
        """Values of x in −1…1, float32, shape (n, C, H, W), that a model made: read-only, uint8 or float32, shape (n,
        H, W, C).

        What lies beyond −1…1 is clipped; there must be no NaN where values are bytes, which have none.
        """
        values = (images.transpose(0, 2, 3, 1) + np.float32(self.centre / self.half)) * np.float32(self.half)
        least, most = self.centre - self.half, self.centre + self.half
        values = values.clip(least, most)
        found: Values = np.rint(values).astype(np.uint8) if self.whole else np.ascontiguousarray(values, np.float32)
        found.flags.writeable = False
        return found


PIXELS = Scale(centre=127.5, half=127.5, whole=True)
"""Of images: black is −1, white 1."""

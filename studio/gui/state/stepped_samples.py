"""Samples of weights that were stepped along a tilt, shown in place of those of training until they are left."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from studio.training.messages.snapshot import PlaneFrame

STEPPED_TIP = (
    "What weights give that were stepped along the tilt, asked for in the panel “Theory”; they were not trained, and "
    "the run on disk is as it was. θ + (s − s₀)·dθ/ds."
)
"""For the buttons that stand for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SteppedView:
    """What there is to see.

    Attributes:
        words: whose weights were stepped, how far, and what came of it.
        file: how a picture of them is called.
        pictures: uint8, shape (n, H, W, C).
        plane: the same as points of the plane, where they are such.
    """

    words: str
    file: str
    pictures: NDArray[np.uint8]
    plane: PlaneFrame | None


class SteppedSamples(QObject):
    """At most one such view."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.view: SteppedView | None = None

    def show(self, view: SteppedView | None) -> None:
        """This one now; None to go back to the samples of training."""
        if view is not self.view:
            self.view = view
            self.changed.emit()

"""Samples of weights that were stepped along a tilt, shown in place of those of training until they are left."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from studio.gui.state.subject import Owner
from studio.training.messages.snapshot import PlaneFrame
from studio.training.storage.run_folder import safe_name

STEPPED_TIP = (
    "What weights give that were stepped along the tilt, asked for in the panel “Theory”; they were not trained, and "
    "the run on disk is as it was. θ + (s − s₀)·dθ/ds."
)
"""For the buttons that stand for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SteppedView:
    """What there is to see.

    Attributes:
        owner: whose weights were stepped.
        scale: how far, s.
        said: what came of it, in words that go on from there.
        pictures: uint8, shape (n, H, W, C).
        plane: the same as points of the plane, where they are such.
    """

    owner: Owner
    scale: float
    said: str
    pictures: NDArray[np.uint8]
    plane: PlaneFrame | None

    @property
    def words(self) -> str:
        """For below the pictures."""
        return f"Weights {self.owner.words}, stepped by dθ/ds to s = {self.scale:.2f}; not trained{self.said}"

    @property
    def file(self) -> str:
        """How a picture of them is called."""
        return f"{safe_name(self.owner.title)}-first-order-s-{self.scale:.2f}-step-{self.owner.step}"


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

"""Samples of one judged class, each above the training example that is most like it: does the model copy?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtWidgets import QSizePolicy, QWidget

from studio.evaluation.evaluation import Evaluation
from studio.evaluation.record import with_unsure
from studio.gui.widgets.image_view import ImageView
from studio.gui.widgets.labels import plain_label
from studio.gui.widgets.layouts import column_of
from studio.gui.widgets.pictures import GAP, mosaic

_TIP = (
    "Above: samples that the judge gives to this class. Below: the training example most like each. Nearness is how "
    "far the two are apart over how far real examples are: 0 is a copy, about 1 as real."
)


class SharesSamples(QWidget):
    """A caption and the pictures."""

    def __init__(self) -> None:
        super().__init__()
        self._nearness: NDArray[np.float64] = np.empty(0)
        self._pitch = 1
        self.caption = plain_label(name="shares_caption", role="small", title="Samples of the class", tip=_TIP)
        self.caption.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.picture = ImageView("Samples of the class, each above the training example that is most like it")
        self.picture.describe = self._describe
        column_of(self.caption, (self.picture, 1), inside=self, spacing=0)

    def show_class(self, found: Evaluation, index: int) -> None:
        """Those of a class by its number, K for unsure."""
        some = found.specimens
        chosen = np.flatnonzero(some.labels == index)
        name = with_unsure(found.class_names)[index]
        if not len(chosen):
            self._nearness = np.empty(0)
            known = "no such sample among those judged" if len(some.labels) else "samples are not kept on disk"
            self.caption.setText(f"{name}: {known}")
            self.picture.set_picture(None)
            return
        self._nearness = some.nearness[chosen]
        self._pitch = some.images.shape[2] + GAP
        self.caption.setText(
            f"{name}: samples above their nearest training examples, nearness {_shown(self._nearness)}"
        )
        both = np.concatenate([some.images[chosen], some.neighbours[chosen]])
        self.picture.set_picture(mosaic(both, len(chosen)))

    def _describe(self, x: int, y: int) -> str:
        place = x // self._pitch
        if not 0 <= place < len(self._nearness):
            return ""
        return f"Nearness {_shown(self._nearness[place])}: 0 is a copy of the training example, about 1 as real."


def _shown(nearness: NDArray[np.float64]) -> str:
    value = float(np.median(nearness))
    return "–" if np.isnan(value) else f"{value:.2f}"

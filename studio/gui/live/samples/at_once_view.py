"""Samples that a trained model gives of the target at once, how they were made, and a way to train it instead."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QSize
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from studio.figures import compact
from studio.gui.live.samples.at_once_control import AtOnceControl, AtOnceView
from studio.gui.widgets.buttons import tool_button
from studio.gui.widgets.image_view import ImageView
from studio.gui.widgets.number_format import whole
from studio.gui.widgets.pictures import columns_for, mosaic
from studio.gui.widgets.style_property import set_style_property
from studio.gui.widgets.tooltip import set_help, tooltip
from studio.sampling.base import Tilted

_HOW = (
    "W(x) = exp(−δH(x)), δH being what the target differs by from the one that the model was trained for. One judge "
    "weighs, and others measure. ESS: independent samples that tell as much. k̂: how heavy the tail of the weights is."
)


class AtOncePictures(QWidget):
    """A picture, and above it what it is."""

    def __init__(self, control: AtOnceControl) -> None:
        super().__init__()
        self.setObjectName("samples_once")
        self._images: np.ndarray[tuple[int, ...], np.dtype[np.uint8]] | None = None
        self.picture = QImage()
        self.caption = QLabel(wordWrap=True)
        self.caption.setObjectName("at_once_caption")
        self.train = tool_button("at_once_train", "Train it instead", "")
        self.train.clicked.connect(control.train)
        self.view = ImageView("Samples at once")
        head = QHBoxLayout()
        head.addWidget(self.caption, 1)
        head.addWidget(self.train)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(head)
        column.addWidget(self.view, 1)

    def show_view(self, found: AtOnceView) -> None:
        """Show what there is."""
        self.caption.setText(_caption(found))
        made = found.made.told() if found.made is not None else "Draws of the trained model are kept or repeated by W."
        self.caption.setToolTip(tooltip(made, _HOW))
        careful = found.error is not None or (found.made is not None and not found.made.reliable)
        set_style_property(self.caption, "role", "warning" if careful else "small")
        tip = (
            "The run trains towards this target as it is: show it as trained."
            if found.under_way
            else "Begin another run from these weights, towards the target in the table."
        )
        set_help(self.train, "Train it instead", tip)
        if found.made is not None:
            self._images = np.asarray(found.made.values, np.uint8)
            self.fit()
        else:
            self._images, self.picture = None, QImage()
            self.view.set_picture(None)
        self.view.setAccessibleDescription(self.caption.text())

    def fit(self) -> None:
        """Break the rows so that the images are largest."""
        if self._images is None:
            return
        count, height, width, _ = self._images.shape
        columns = columns_for(count, QSize(width, height), self.view.viewport().size())
        self.picture = mosaic(self._images, columns)
        self.view.set_picture(self.picture)


def _caption(found: AtOnceView) -> str:
    whose = f"“{found.title}” at step {whole(found.step)}" if found.step else f"“{found.title}”"
    if found.error is not None:
        return f"{whose}: {found.error}"
    if found.made is None:
        return f"{whose}: drawing…"
    parts = [whose, _made(found.made)]
    if found.measured is not None:
        parts.append(f"two judges agree on {100 * found.measured.agreement:.0f} %")
    elif found.doing:
        parts.append("measuring…")
    return "  ·  ".join((*parts, *found.made.remarks))


def _made(made: Tilted) -> str:
    """How, in a line."""
    costs = f"{compact(made.seconds_per_100, 2)} s per 100"
    if made.acceptance is not None:
        return f"rejection keeps {100 * made.acceptance:.3g} % of the draws  ·  {costs}"
    tail = "" if made.pareto_k is None else f"  ·  k̂ {made.pareto_k:.2f}"
    doubt = "" if made.reliable else ", too uneven to be trusted"
    worth = f"{made.method}: {made.distinct} different images, ESS {made.effective:.0f} of {len(made)}"
    return f"{worth}{tail}{doubt}  ·  {costs}"

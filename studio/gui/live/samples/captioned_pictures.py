"""Images that are not those of training as it went, in one picture under a caption that says whose they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSize
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from studio.gui.widgets.image_view import ImageView
from studio.gui.widgets.labels import plain_label
from studio.gui.widgets.layouts import column_of
from studio.gui.widgets.pictures import GAP, columns_for, mosaic
from studio.gui.widgets.tooltip import tooltip
from studio.number_text import whole
from studio.training.messages.snapshot import Interpolation

_TIP = "Images on the arc between the latents of the samples. slerp(a, b; t) = [sin((1−t)Ω)·a + sin(tΩ)·b]/sin Ω."


class CaptionedPictures(QWidget):
    """A picture, and above it what it is."""

    def __init__(self, title: str, caption: QWidget) -> None:
        super().__init__()
        self._images: NDArray[np.uint8] | None = None
        self.picture = QImage()
        self.view = ImageView(title)
        column_of(caption, (self.view, 1), inside=self, spacing=2)

    def show_images(self, images: NDArray[np.uint8] | None, description: str) -> None:
        """Images of shape (n, H, W, C), if there are any yet, and what they are in words."""
        self._images = images
        if images is not None:
            self.fit()
        else:
            self.picture = QImage()
            self.view.set_picture(None)
        self.view.setAccessibleDescription(description)

    def fit(self) -> None:
        """Break the rows so that the images are largest."""
        if self._images is None:
            return
        count, height, width, _ = self._images.shape
        columns = columns_for(count, QSize(width, height), self.view.viewport().size())
        self.picture = mosaic(self._images, columns)
        self.view.set_picture(self.picture)


class BetweenView(CaptionedPictures):
    """The way between two samples as a row, or between four as a square."""

    def __init__(self) -> None:
        self.caption = plain_label(role="small")
        super().__init__("Between samples", self.caption)
        self.setObjectName("samples_way")
        self._found: Interpolation | None = None
        self.caption.setToolTip(tooltip(_TIP))
        self.view.describe = self._describe

    @property
    def step(self) -> int:
        return self._found.step if self._found is not None else 0

    def wait(self) -> None:
        self._found, self.picture = None, QImage()
        self.caption.setText("Drawing the way between the samples…")
        self.view.set_picture(None)

    def show_between(self, found: Interpolation) -> None:
        self._found, self.picture = found, mosaic(found.images, found.columns)
        places = ", ".join(str(point.place + 1) for point in found.points)
        weights = "EMA" if found.averaged else "raw"
        self.caption.setText(f"Between samples {places} by {weights} weights, step {whole(found.step)}")
        self.view.setAccessibleDescription(self.caption.text())
        self.view.set_picture(self.picture)

    def _describe(self, x: int, y: int) -> str:
        found = self._found
        if found is None:
            return ""
        height, width = found.images.shape[1:3]
        column, row = min(x // (width + GAP), found.columns - 1), y // (height + GAP)
        last = found.columns - 1
        across = f"{column / last:.0%} of the way to the right"
        return tooltip(across if len(found.points) == 2 else f"{across}, {row / last:.0%} of the way down", _TIP)

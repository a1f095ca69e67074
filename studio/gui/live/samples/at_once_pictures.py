"""Images that a trained model gives of the target at once."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QSize
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.gui.live.at_once.caption import AtOnceCaption
from studio.gui.live.at_once.control import AtOnceControl, AtOnceView
from studio.gui.widgets.image_view import ImageView
from studio.gui.widgets.pictures import columns_for, mosaic


class AtOncePictures(QWidget):
    """A picture, and above it what it is."""

    def __init__(self, control: AtOnceControl) -> None:
        super().__init__()
        self.setObjectName("samples_once")
        self._images: np.ndarray[tuple[int, ...], np.dtype[np.uint8]] | None = None
        self.picture = QImage()
        self.caption = AtOnceCaption(control)
        self.view = ImageView("Samples at once")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.caption)
        column.addWidget(self.view, 1)

    def show_view(self, found: AtOnceView) -> None:
        """Show what there is."""
        self._images = found.pictures
        if self._images is not None:
            self.fit()
        else:
            self.picture = QImage()
            self.view.set_picture(None)
        self.view.setAccessibleDescription(self.caption.text.text())

    def fit(self) -> None:
        """Break the rows so that the images are largest."""
        if self._images is None:
            return
        count, height, width, _ = self._images.shape
        columns = columns_for(count, QSize(width, height), self.view.viewport().size())
        self.picture = mosaic(self._images, columns)
        self.view.set_picture(self.picture)

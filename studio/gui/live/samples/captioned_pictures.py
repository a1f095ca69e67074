"""Images that are not those of training as it went, in one grid under a caption that says whose they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSize
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from studio.gui.widgets.image_view import ImageView
from studio.gui.widgets.layouts import column_of
from studio.gui.widgets.pictures import columns_for, mosaic


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

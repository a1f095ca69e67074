"""Pixels as Qt has them: one image, many as one picture, pictures side by side."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QImage, QPainter


def image_of(pixels: NDArray[np.uint8]) -> QImage:
    """An image from uint8 pixels, shape (H, W, C), C = 1 or 3."""
    pixels = np.ascontiguousarray(pixels)
    height, width, channels = pixels.shape
    form = QImage.Format.Format_Grayscale8 if channels == 1 else QImage.Format.Format_RGB888
    return QImage(pixels.data, width, height, width * channels, form).copy()


GAP = 1  # pixels between images

Images = NDArray[np.uint8]


def columns_of(count: int) -> int:
    """Columns of a grid of that many images, about square."""
    return max(1, math.ceil(math.sqrt(count)))


def columns_for(count: int, tile: QSize, room: QSize) -> int:
    """Columns with which so many images of one size are shown largest in a room."""

    def scale(columns: int) -> float:
        rows = -(-count // columns)
        across, down = columns * (tile.width() + GAP) - GAP, rows * (tile.height() + GAP) - GAP
        return min(room.width() / across, room.height() / down)

    return max(range(1, count + 1), key=scale, default=1)


def mosaic(images: Images, columns: int = 0) -> QImage:
    """All images in rows, transparent between them; 8-bit RGBA.

    Args:
        images: uint8, shape (n, H, W, C), C = 1 (grey) or 3 (RGB), n ≥ 1.
        columns: images in a row; about square if 0.
    """
    number, height, width, channels = images.shape
    across = columns or columns_of(number)
    down = -(-number // across)
    canvas = np.zeros((down, height + GAP, across, width + GAP, 4), dtype=np.uint8)
    for index in range(number):
        row, column = divmod(index, across)
        cell = canvas[row, :height, column, :width]
        cell[..., :3] = images[index] if channels == 3 else images[index][..., :1]
        cell[..., 3] = 255
    flat = canvas.reshape(down * (height + GAP), across * (width + GAP), 4)
    tight = np.ascontiguousarray(flat[: down * (height + GAP) - GAP, : across * (width + GAP) - GAP])
    rows, pixels = tight.shape[:2]
    # Copied, because Qt does not keep the array alive.
    return QImage(tight.data, pixels, rows, 4 * pixels, QImage.Format.Format_RGBA8888).copy()


def side_by_side(pictures: list[QImage], background: QColor) -> QImage:
    """Pictures next to one another on a solid background, a few pixels apart."""
    air = 4 * GAP
    size = QSize(
        sum(picture.width() for picture in pictures) + air * (len(pictures) - 1),
        max(picture.height() for picture in pictures),
    )
    whole = QImage(size, QImage.Format.Format_RGB888)
    whole.fill(background)
    painter = QPainter(whole)
    left = 0
    for picture in pictures:
        painter.drawImage(left, 0, picture)
        left += picture.width() + air
    painter.end()
    return whole

"""Images as one PNG strip, image below image, and back; and as the grid that a person looks at."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from studio.records import json_text
from studio.training.messages.snapshot import Images

if TYPE_CHECKING:
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

_MOST_PIXELS = 2**26


def strip_of(images: Images) -> bytes:
    """Images, uint8, shape (n, H, W, 1 or 3), one below another, as PNG."""
    number, height, width, channels = images.shape
    file = io.BytesIO()
    save_png(images.reshape(number * height, width, channels), file)
    return file.getvalue()


def images_of(strip: bytes, shape: tuple[int, int, int, int]) -> Images:
    """The images (n, H, W, C) of a PNG strip; raises ValueError if it is no strip of that shape."""
    from PIL import Image, UnidentifiedImageError

    number, height, width, channels = shape
    try:
        with Image.open(io.BytesIO(strip), formats=["PNG"]) as picture:
            right = picture.size == (width, number * height) and picture.mode == ("L" if channels == 1 else "RGB")
            if not right or number * height * width > _MOST_PIXELS:
                raise ValueError(f"a strip is not {number} images of {width}×{height} pixels")
            return np.asarray(picture).reshape(shape)
    except (OSError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise ValueError(str(error)[:100]) from error


def tiled(images: Images) -> Images:
    """Images, uint8, shape (n, H, W, C), in a nearly square grid on black, a pixel apart, shape (height, width, C)."""
    number, height, width, channels = images.shape
    columns = int(np.ceil(np.sqrt(number)))
    rows = -(-number // columns)
    canvas = np.zeros((rows * (height + 1) - 1, columns * (width + 1) - 1, channels), np.uint8)
    for index, image in enumerate(images):
        top, left = index // columns * (height + 1), index % columns * (width + 1)
        canvas[top : top + height, left : left + width] = image
    return canvas


def picture_of(image: Images) -> Image.Image:
    """An image, uint8, shape (height, width, 1 or 3), as Pillow has it."""
    from PIL import Image

    return Image.fromarray(image[..., 0] if image.shape[2] == 1 else image)


def save_png(image: Images, file: IO[bytes], how: Mapping[str, Any] | None = None) -> None:
    """Write an image, uint8, shape (height, width, 1 or 3), as PNG into an open binary file, with `how` it was made."""
    picture_of(image).save(file, format="PNG", pnginfo=None if how is None else png_text(how))


def png_text(how: Mapping[str, Any]) -> PngInfo:
    """A PNG's text ``how``, JSON."""
    from PIL.PngImagePlugin import PngInfo

    found = PngInfo()
    found.add_itxt("how", json_text(how))
    return found


def thumbnail(images: Images, most: int) -> bytes:
    """Images, uint8, shape (n, H, W, C), in a grid of so many pixels a side at most, as PNG."""
    picture, file = picture_of(tiled(images)), io.BytesIO()
    picture.thumbnail((most, most))
    picture.save(file, format="PNG")
    return file.getvalue()

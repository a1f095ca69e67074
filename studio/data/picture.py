"""One image file of any size and mode as a square of bytes.

A file from anywhere may be damaged, hostile or no image at all; whatever is wrong with it becomes one `UnreadableError`
with a reason in plain words.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL import Image

Fit = Literal["crop", "pad", "stretch"]
Background = Literal["white", "black"]

FORMATS = (
    "PNG", "JPEG", "GIF", "BMP", "DIB", "TIFF", "WEBP", "AVIF", "PPM", "TGA", "ICO", "JPEG2000", "PCX", "QOI", "SGI",
)  # fmt: skip
"""What is tried. Others stay out: some start another program (EPS), some match almost any file."""

_SIXTEEN_BIT = ("I;16", "I;16L", "I;16B", "I;16N")


class UnreadableError(Exception):
    """An image file cannot be used; the text says why, as the end of "was left out: …"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Square:
    """How an image becomes a square.

    Attributes:
        size: edge in pixels.
        grey: one channel instead of three.
        fit: crop the middle, pad to the whole image, or stretch.
        background: what shows through transparent pixels, and beside a padded image.
    """

    size: int
    grey: bool = False
    fit: Fit = "crop"
    background: Background = "white"


def read_square(path: Path, square: Square) -> NDArray[np.uint8]:
    """An image file as a square, the right way up, shape (size, size, 1 or 3).

    Raises:
        UnreadableError: it cannot be read; nothing else, whatever is in the file.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableError("not a file")
        if status.st_size == 0:
            raise UnreadableError("the file is empty")
        return _read(path, square)
    except UnreadableError:
        raise
    except Exception as error:  # a decoder given damaged bytes may raise anything
        raise UnreadableError(_reason(error)) from error


def _read(path: Path, square: Square) -> NDArray[np.uint8]:
    from PIL import Image

    Image.init()
    with Image.open(path, formats=[name for name in FORMATS if name in Image.OPEN]) as image:
        width, height = image.size
        limit = Image.MAX_IMAGE_PIXELS
        if limit is not None and width * height > limit:
            raise UnreadableError(f"too large: {width:,} × {height:,} pixels, the limit is {limit:,}")
        image.draft(None, (2 * square.size, 2 * square.size))  # a JPEG decodes to a half, quarter or eighth if it may
        image.load()
        upright = _upright(image)
    small = _squared(_opaque(upright, square.background), square)
    pixels = np.asarray(small.convert("L") if square.grey else small)
    return pixels.reshape(square.size, square.size, 1 if square.grey else 3)


def _upright(image: Image.Image) -> Image.Image:
    """The image as its EXIF orientation asks for; damaged EXIF is no reason to lose the image."""
    from PIL import ImageOps

    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # any, as EXIF is a format within the format
        return image.copy()


def _opaque(image: Image.Image, background: Background) -> Image.Image:
    """The image as RGB: deep greys scaled to 8 bits, transparency laid over the background."""
    from PIL import Image

    if image.mode in _SIXTEEN_BIT:
        return _grey_image((np.asarray(image).astype(np.float64)) / 257)
    if image.mode == "I":
        values = np.asarray(image).astype(np.float64)
        return _grey_image(values / 257 if values.max() > 255 else values)
    if image.mode == "F":
        values = np.nan_to_num(np.asarray(image).astype(np.float64))
        return _grey_image(values * 255 if values.max() <= 1 else values)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        canvas = Image.new("RGBA", image.size, background)
        return Image.alpha_composite(canvas, image).convert("RGB")
    return image.convert("RGB")


def _grey_image(values: NDArray[np.float64]) -> Image.Image:
    from PIL import Image

    return Image.fromarray(np.rint(values.clip(0, 255)).astype(np.uint8)).convert("RGB")


def _squared(image: Image.Image, square: Square) -> Image.Image:
    """The image at (size, size)."""
    from PIL import Image

    size, (width, height) = square.size, image.size
    lanczos, gap = Image.Resampling.LANCZOS, 3.0
    if square.fit == "stretch":
        return image.resize((size, size), lanczos, reducing_gap=gap)
    if square.fit == "crop":
        edge = min(width, height)
        left, top = (width - edge) // 2, (height - edge) // 2
        return image.resize((size, size), lanczos, box=(left, top, left + edge, top + edge), reducing_gap=gap)
    scale = size / max(width, height)
    inner = image.resize((max(round(width * scale), 1), max(round(height * scale), 1)), lanczos, reducing_gap=gap)
    canvas = Image.new("RGB", (size, size), square.background)
    canvas.paste(inner, ((size - inner.width) // 2, (size - inner.height) // 2))
    return canvas


def _reason(error: Exception) -> str:
    """What is wrong with a file, in plain words."""
    from PIL import Image, UnidentifiedImageError

    match error:
        case UnidentifiedImageError():
            return "not an image of a known format"
        case Image.DecompressionBombError() | Image.DecompressionBombWarning():
            return f"too large: the limit is {Image.MAX_IMAGE_PIXELS:,} pixels"
        case MemoryError():
            return "too large for the free memory"
        case FileNotFoundError():
            return "the file is gone, or a link leads nowhere"
        case PermissionError():
            return "no permission to read it"
        case _:
            return f"damaged ({error or type(error).__name__})"

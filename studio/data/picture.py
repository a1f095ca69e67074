"""One image file of any size and mode as a square of bytes.

A file from anywhere may be damaged, hostile or no image at all; whatever is wrong with it becomes one `UnreadableError`
with a reason in plain words.
"""

from __future__ import annotations

import errno
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from studio.data.colour_profile import OddProfileError, to_srgb
from studio.data.depth import WHITES, Depth, Extent, Raw, bands

if TYPE_CHECKING:
    from PIL import Image

Fit = Literal["crop", "pad", "stretch"]
Background = Literal["white", "black"]

FORMATS = (
    "PNG", "JPEG", "GIF", "BMP", "DIB", "TIFF", "WEBP", "AVIF", "PPM", "TGA", "ICO", "JPEG2000", "PCX", "QOI", "SGI",
)  # fmt: skip
"""What is tried. Others stay out: some start another program (EPS), some match almost any file."""

_MANY = 2**24
"""Pixels above which an image is made smaller before anything else, band by band."""
_BAND_BYTES = 2**25
_SPARE = 4
"""It is left so many times as large as the square."""
_PIXEL_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "I;16N": 2}
_DECODER_BYTES = {"WEBP": 17, "AVIF": 12, "JPEG2000": 20}
"""Bytes per pixel that decoders take which hold more than the image, as measured; a progressive JPEG 6."""


class UnreadableError(Exception):
    """An image file cannot be used; the text says why, as the end of "was left out: …"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Square:
    """How an image becomes a square of so many pixels a side, whose background shows through and beside it."""

    size: int
    grey: bool = False
    fit: Fit = "crop"
    background: Background = "white"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """An image as a square, and what there is to know of its file.

    Attributes:
        pixels: uint8, shape (size, size, 1 or 3).
        depth: kind of a file whose white was a choice; None for most.
        extent: where its values lie; None if there is no such choice, or no value.
        several: the file holds more images than the one that was read, the first.
        odd_profile: it has a colour profile that cannot be used.
    """

    pixels: NDArray[np.uint8]
    depth: Depth | None
    extent: Extent | None
    several: bool
    odd_profile: bool


def read_picture(path: Path, square: Square, whites: Mapping[Depth, float] = WHITES) -> Picture:
    """An image file as a square, the right way up and in sRGB, and what there is to know of it.

    `whites` has the value of white for each kind of deep file. Raises UnreadableError if it cannot be read; nothing
    else, whatever is in the file.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableError("not a file")
        if status.st_size == 0:
            raise UnreadableError("the file is empty")
        return _read(path, square, whites)
    except UnreadableError:
        raise
    except Exception as error:  # a decoder given damaged bytes may raise anything
        raise UnreadableError(_reason(error)) from error


def decoding_bytes(path: Path) -> int:
    """The most memory that reading an image takes, by its header alone; 0 if that cannot be read."""
    try:
        with _opened(path) as image:
            pixels = image.width * image.height
            if _is_too_large(image):
                return 0
            if image.format in ("JPEG", "MPO"):  # decoded to an eighth; a progressive one is held whole
                return 6 * pixels if image.info.get("progressive") else pixels // 16
            decoder = _DECODER_BYTES.get(image.format or "", _PIXEL_BYTES.get(image.mode, 4))
            return decoder * pixels + (12 * pixels if pixels <= _MANY else _BAND_BYTES)
    except Exception:  # as above
        return 0


def _opened(path: Path) -> Image.Image:
    from PIL import Image

    Image.init()
    return Image.open(path, formats=[name for name in FORMATS if name in Image.OPEN])


def _read(path: Path, square: Square, whites: Mapping[Depth, float]) -> Picture:
    from PIL import Image

    with _opened(path) as image:
        if _is_too_large(image):
            size = f"{image.width:,} × {image.height:,}"
            raise UnreadableError(f"too large: {size} pixels, the limit is {Image.MAX_IMAGE_PIXELS:,}")
        several, raw = _has_several(image), Raw.of(image)
        image.draft(None, (2 * square.size, 2 * square.size))  # a JPEG decodes to a half, quarter or eighth if it may
        image.load()
        turn, profile = _turn(image), image.info.get("icc_profile")
        extent = raw.extent(image)
        plain = _plain(image, square, raw, raw.white(whites))
    plain = plain.transpose(turn) if turn is not None else plain
    odd = False
    if isinstance(profile, bytes) and profile:
        try:
            plain = to_srgb(plain, profile)
        except OddProfileError:
            odd = True
    small = _squared(_opaque(plain, square.background), square)
    pixels = np.asarray(small.convert("L") if square.grey else small)
    return Picture(
        pixels=pixels.reshape(square.size, square.size, 1 if square.grey else 3),
        depth=raw.depth,
        extent=extent,
        several=several,
        odd_profile=odd,
    )


def _is_too_large(image: Image.Image) -> bool:
    from PIL.Image import MAX_IMAGE_PIXELS

    return MAX_IMAGE_PIXELS is not None and image.width * image.height > MAX_IMAGE_PIXELS


def _plain(image: Image.Image, square: Square, raw: Raw, white: float) -> Image.Image:
    """The loaded image with 8 bits; one of very many pixels smaller, so that nothing needs it twice."""
    from PIL import Image

    if image.width * image.height <= _MANY:
        return raw.eight_bits(image, white)
    (left, top, right, bottom), factors = _shrinking(image.size, square)
    across, down = factors
    width, height = (right - left) / across, (bottom - top) / down
    small: Image.Image | None = None
    for _, start, _, end in bands((right - left, bottom - top), step=down):
        band = raw.eight_bits(image.crop((left, top + start, right, top + end)), white)
        if band.mode in ("1", "P", "PA") or "transparency" in band.info:
            band = band.convert("RGBA" if band.has_transparency_data else "RGB")
        band = band.reduce(factors)
        small = small or Image.new(band.mode, (ceil(width), ceil(height)))
        small.paste(band, (0, start // down))
    assert small is not None
    size = max(1, round(width)), max(1, round(height))  # without the part of a pixel that the last ones have too much
    return small.resize(size, Image.Resampling.LANCZOS, box=(0, 0, width, height))


def _shrinking(size: tuple[int, int], square: Square) -> tuple[tuple[int, int, int, int], tuple[int, int]]:
    """The part of a large image that is needed, and by how much to shrink it across and down."""
    (width, height), spare = size, _SPARE * square.size
    if square.fit == "stretch":
        return (0, 0, width, height), (max(1, width // spare), max(1, height // spare))
    if square.fit == "pad":
        factor = max(1, max(width, height) // spare)
        return (0, 0, width, height), (factor, factor)
    edge = min(width, height)
    left, top, factor = (width - edge) // 2, (height - edge) // 2, max(1, edge // spare)
    return (left, top, left + edge, top + edge), (factor, factor)


def _has_several(image: Image.Image) -> bool:
    try:
        return bool(getattr(image, "is_animated", False))
    except Exception:  # the first image may be whole though a later one is damaged
        image.seek(0)
        return True


def _turn(image: Image.Image) -> Image.Transpose | None:
    """What turns the image the right way up by its EXIF orientation; damaged EXIF is no reason to lose the image."""
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    try:
        return turns.get(image.getexif().get(0x0112, 1))
    except Exception:  # any, as EXIF is a format within the format
        return None


def _opaque(image: Image.Image, background: Background) -> Image.Image:
    """The image as RGB, with its transparency laid over the background."""
    from PIL import Image

    if image.has_transparency_data:
        image = image.convert("RGBA")
        canvas = Image.new("RGBA", image.size, background)
        return Image.alpha_composite(canvas, image).convert("RGB")
    return image.convert("RGB")


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
        case OSError() if error.errno == errno.ELOOP:
            return "a link that leads to itself"
        case PermissionError():
            return "no permission to read it"
        case _:
            return f"damaged ({error or type(error).__name__})"

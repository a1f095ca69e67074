"""How deep pixel values become bytes: byte = 255·value/white, with one white per kind of file for the whole folder.

The kind of file says what white is where it can: 65,535 for 16 bits, 1 for floating point. Some files use another one
(12 bits of a camera in 16, bytes stored as floats), which only all images of a folder together can tell: the values of
one image are dark where the image is. What was decided is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL import Image

_KEY_FACTORS = {"L;2": 85, "L;4": 17}
"""By which Pillow multiplies values of 2 and 4 bits, but not the one that is transparent."""
_TAG_BITS, _TAG_PHOTOMETRIC = 258, 262


class Depth(StrEnum):
    """Kinds of files whose white their values have to tell."""

    SIXTEEN = "16-bit"
    THIRTY_TWO = "32-bit"
    FLOAT = "floating-point"
    COLOUR = "16-bit colour"  # of which the decoder gives the upper 8 bits


WHITES: Mapping[Depth, float] = {
    Depth.SIXTEEN: 65535.0,
    Depth.THIRTY_TWO: 65535.0,
    Depth.FLOAT: 1.0,
    Depth.COLOUR: 65535.0,
}
"""White where nothing speaks against it."""

_OTHERS: Mapping[Depth, tuple[float, ...]] = {
    Depth.SIXTEEN: (1023.0, 4095.0, 65535.0),
    Depth.THIRTY_TWO: (255.0, 4095.0, 65535.0, 2.0**24 - 1, 2.0**32 - 1),
    Depth.FLOAT: (1.0, 255.0, 4095.0, 65535.0),
    Depth.COLOUR: (65535.0,),
}
_BYTE = 255
_OVERSHOOT = 2.0
"""By so much floating-point values may go beyond white, as they do behind a filter."""
_MOST_OF_THEM = 0.99  # of floating-point values: a few wild ones decide nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """Where the values of one or more images lie: from `least` to `most`, all but a few of them up to `top`."""

    least: float
    most: float
    top: float

    @classmethod
    def of(cls, values: NDArray[Any], depth: Depth) -> Extent | None:
        """Of (some of) an image's values as the decoder gives them; None if none is finite."""
        if depth is Depth.FLOAT:
            finite = values[np.isfinite(values)].astype(np.float64)
            if not finite.size:
                return None
            top = float(np.quantile(finite, _MOST_OF_THEM))
            return cls(least=float(finite.min()), most=float(finite.max()), top=top)
        most = float(values.max()) if depth is not Depth.COLOUR else 256.0 * values.max() + 255
        return cls(least=float(values.min()), most=most, top=most)

    def with_(self, other: Extent | None) -> Extent:
        if other is None:
            return self
        return Extent(least=min(self.least, other.least), most=max(self.most, other.most), top=max(self.top, other.top))


@dataclass(slots=True)
class DepthTally:
    """What the deep images of a folder have in common."""

    extents: dict[Depth, Extent] = field(default_factory=dict)

    def add(self, depth: Depth, extent: Extent | None) -> None:
        if extent is not None:
            self.extents[depth] = extent.with_(self.extents.get(depth))

    def whites(self) -> dict[Depth, float]:
        """White of every kind that there is."""
        return {depth: _white(depth, extent.top) for depth, extent in self.extents.items()}

    def lines(self) -> tuple[str, ...]:
        return tuple(_said(depth, self.extents[depth], white) for depth, white in self.whites().items())


def _white(depth: Depth, top: float) -> float:
    if depth is Depth.SIXTEEN and top <= _BYTE:  # next to black; no camera has 8 bits
        return WHITES[depth]
    slack = _OVERSHOOT if depth is Depth.FLOAT else 1.0
    return next((white for white in _OTHERS[depth] if top <= slack * white), top)


def _said(depth: Depth, extent: Extent, white: float) -> str:
    most = f"{extent.most:,.4g}" if depth is Depth.FLOAT else f"{extent.most:,.0f}"
    parts = [f"{depth.capitalize()} images: white is {white:,.0f}"]
    if extent.most > white:
        parts.append(f"brighter values, up to {most}, are white, too")
    elif white != WHITES[depth]:
        parts.append(f"no value is above {most}")
    elif extent.most <= white / 4:
        shades = f", in {(extent.most + 1) / 256:.0f} shades" if depth is Depth.COLOUR else ""
        parts.append(f"no value is above {most}, so all are dark{shades}")
    if extent.least < 0:
        parts.append(f"negative values, down to {extent.least:,.4g}, are black")
    return "; ".join(parts) + "."


def grey_bytes(image: Image.Image, white: float, *, inverted: bool = False) -> Image.Image:
    """A deep image of one channel with 8 bits, in bands to take little memory; `white` is white, black if inverted."""
    from PIL import Image

    grey = Image.new("L", image.size)
    for box in bands(image.size):
        values = np.nan_to_num(np.asarray(image.crop(box)).astype(np.float64), posinf=white, neginf=0.0)
        scaled = np.rint((values * (255.0 / white)).clip(0, 255)).astype(np.uint8)
        grey.paste(Image.fromarray(255 - scaled if inverted else scaled), box)
    return grey


def bands(size: tuple[int, int], pixels: int = 2**20, step: int = 1) -> list[tuple[int, int, int, int]]:
    """Boxes (left, top, right, bottom) of full width, of about so many pixels, that begin at multiples of `step`."""
    width, height = size
    rows = max(1, pixels // max(1, width * step)) * step
    return [(0, top, width, min(top + rows, height)) for top in range(0, height, rows)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """What a decoder does not do to the values of a file.

    Attributes:
        depth: whose white is a choice.
        known: white of deep values where the file itself says it.
        inverted: 0 is white.
        key: value of transparent pixels, as the decoder gives values.
    """

    depth: Depth | None
    known: float | None
    inverted: bool
    key: Any

    @classmethod
    def of(cls, image: Image.Image) -> Raw:
        """Of an opened image that is not loaded yet."""
        tags: Any = getattr(image, "tag_v2", {})
        tiles: Any = getattr(image, "tile", ())
        args = tiles[0][3] if tiles else ""
        coded = str(args[0] if isinstance(args, tuple) and args else args)
        key = image.info.get("transparency")
        if image.mode == "RGB" and isinstance(key, tuple) and "16" in coded:
            key = tuple(value >> 8 for value in key)
        elif isinstance(key, int):
            key *= _KEY_FACTORS.get(coded, 1)
        if key is not None:
            image.info["transparency"] = key
        depth, known = None, None
        if image.mode.startswith("I;16"):
            known = 4095.0 if tags.get(_TAG_BITS) == (12,) else None
            depth = Depth.SIXTEEN if known is None else None
        elif image.mode == "I":
            known = 65535.0 if image.format == "PPM" else None  # which says its white, to which Pillow scales
            depth = None if known else Depth.SIXTEEN if tags.get(_TAG_BITS) == (16,) else Depth.THIRTY_TWO
        elif image.mode == "F":
            depth = Depth.FLOAT
        elif "16" in coded and image.format in ("PNG", "TIFF", "SGI"):
            depth = Depth.COLOUR
        inverted = _is_deep(image) and tags.get(_TAG_PHOTOMETRIC) == 0
        return cls(depth=depth, known=known, inverted=inverted, key=key)

    def white(self, whites: Mapping[Depth, float]) -> float:
        return self.known or whites.get(self.depth or Depth.SIXTEEN, 1.0)

    def extent(self, image: Image.Image) -> Extent | None:
        """Where the values of the loaded image lie, if that matters."""
        if self.depth is None:
            return None
        found: Extent | None = None
        for box in bands(image.size):
            part = Extent.of(np.asarray(image.crop(box)), self.depth)
            found = part.with_(found) if part is not None else found
        return found

    def eight_bits(self, image: Image.Image, white: float) -> Image.Image:
        """Of a deep grey image, its bytes, and its transparency; any other as it is."""
        from PIL import Image

        if not _is_deep(image):
            return image.convert("LA") if image.mode == "La" else image  # Pillow knows no other way out of La
        grey = grey_bytes(image, white, inverted=self.inverted)
        if self.key is None:
            return grey
        shown = np.where(np.asarray(image) == self.key, 0, 255).astype(np.uint8)
        return Image.merge("LA", (grey, Image.fromarray(shown)))


def _is_deep(image: Image.Image) -> bool:
    return image.mode.startswith("I") or image.mode == "F"

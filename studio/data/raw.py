"""What a decoder leaves to be done with the values of an image file: which is white, which transparent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from studio.data.depth import Depth, Extent, bands, grey_bytes

if TYPE_CHECKING:
    from PIL import Image

_KEY_FACTORS = {"L;2": 85, "L;4": 17}
"""By which Pillow multiplies values of 2 and 4 bits, but not the one that is transparent."""
_TAG_BITS, _TAG_PHOTOMETRIC = 258, 262


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

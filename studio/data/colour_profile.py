"""Colours by an image's own ICC profile as those of sRGB, which is what screens and other images mean by them."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from PIL import Image


class OddProfileError(Exception):
    """A profile is damaged, or is not one for such an image."""


def to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """An image of 8 bits in sRGB by its ICC profile: of mode L or RGB, with its alpha channel where it has one.

    Raises OddProfileError if the profile cannot be used.
    """
    from PIL import Image, ImageCms

    try:
        space, transform = _transform(profile)
        if transform is None:
            return image
        if space == "L" and image.mode not in ("1", "L", "LA"):
            raise OddProfileError  # it would take the colours away
        alpha = None
        if image.has_transparency_data:
            image = image.convert("RGBA")
            alpha = image.getchannel("A")
        if space == "CMYK" and image.mode != "CMYK":
            raise OddProfileError
        grey = space == "L" or image.mode in ("1", "L")
        changed: Image.Image = transform.apply(image.convert(space))
        if grey:  # in one channel, so that rounding makes no colours
            changed = changed.getchannel("G")
        if alpha is None:
            return changed
        return Image.merge("RGBA", (*changed.convert("RGB").split(), alpha))
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
        raise OddProfileError from error


@lru_cache(maxsize=16)
def _transform(profile: bytes) -> tuple[str, Any]:
    """The mode that a profile is for, and the way from there to sRGB; None where it changes nothing but roundings."""
    from PIL import Image, ImageCms

    given = ImageCms.getOpenProfile(io.BytesIO(profile))
    space = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK"}.get(given.profile.xcolor_space.strip())
    if space is None:
        raise OddProfileError
    found = ImageCms.buildTransform(given, ImageCms.createProfile("sRGB"), space, "RGB")
    if space == "CMYK":
        return space, found
    levels = np.arange(0, 256, 15, dtype=np.uint8)
    probe = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 3)
    before = Image.fromarray(probe if space == "RGB" else probe[..., 0])
    change = np.abs(np.asarray(found.apply(before)).astype(int) - np.asarray(before.convert("RGB")))
    return space, found if change.max() > 1 else None

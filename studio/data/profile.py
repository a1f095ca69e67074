"""Colours by an image's own ICC profile as those of sRGB, which is what screens and other images mean by them."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL import Image


class OddProfileError(Exception):
    """A profile is damaged, or is not one for such an image."""


def to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """The image in sRGB: of mode L or RGB, with its alpha channel where it has one.

    Args:
        image: of 8 bits, of any mode.
        profile: its embedded ICC profile.

    Raises:
        OddProfileError: the profile cannot be used.
    """
    from PIL import Image, ImageCms

    try:
        space, transform = _transform(profile)
        if transform is None:
            return image
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
    """The mode that a profile is for, and the way from there to sRGB; None where it is sRGB itself."""
    from PIL import ImageCms

    given = ImageCms.getOpenProfile(io.BytesIO(profile))
    space = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK"}.get(given.profile.xcolor_space.strip())
    if space is None:
        raise OddProfileError
    if "srgb" in ImageCms.getProfileDescription(given).casefold():
        return space, None
    return space, ImageCms.buildTransform(given, ImageCms.createProfile("sRGB"), space, "RGB")

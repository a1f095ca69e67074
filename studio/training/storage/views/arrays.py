"""What kept views are made of: numbers, images, and a head that all of them have."""

from __future__ import annotations

import base64
import zlib

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from studio.settings import Settings
from studio.training.messages.snapshot import Images
from studio.training.storage.sample_strips import images_of, strip_of

Floats = NDArray[np.float64]
_MOST_BYTES = 2**26


class NumbersRecord(Settings):
    """An array."""

    shape: tuple[int, ...] = Field(max_length=3)
    data: str

    @classmethod
    def of(cls, values: NDArray[np.generic]) -> NumbersRecord:
        """To be kept."""
        packed = base64.b64encode(values.astype("<f4").tobytes()).decode()
        return cls(shape=values.shape, data=packed)

    def array(self, *sizes: int | None) -> Floats:
        """float64, of this shape; None is any size.

        Raises:
            ValueError: it has another.
        """
        fits = len(self.shape) == len(sizes) and all(
            size >= 0 and wanted in (None, size) for size, wanted in zip(self.shape, sizes, strict=True)
        )
        if not fits:
            raise ValueError(f"numbers of shape {self.shape} are not those of a view")
        values = np.frombuffer(base64.b64decode(self.data, validate=True), "<f4").reshape(self.shape)
        return values.astype(np.float64)


class ImagesRecord(Settings):
    """Images as a strip."""

    shape: tuple[int, int, int, int]
    strip: str

    @classmethod
    def of(cls, images: Images) -> ImagesRecord:
        """To be kept; one at least."""
        number, height, width, channels = images.shape
        return cls(shape=(number, height, width, channels), strip=base64.b64encode(strip_of(images)).decode())

    def images(self) -> Images:
        """uint8, shape (n, H, W, C).

        Raises:
            ValueError: it is no strip of that shape.
        """
        if min(self.shape) < 1 or self.shape[3] not in (1, 3):
            raise ValueError(f"{self.shape} is no shape of images")
        return images_of(base64.b64decode(self.strip, validate=True), self.shape)


class ViewRecord(Settings):
    """What all of them have."""

    name: str
    title: str
    tip: str


def inflated(packed: bytes) -> bytes:
    """What was deflated.

    Raises:
        ValueError: it is cut off, or larger than anything that is kept.
    """
    unpack = zlib.decompressobj()
    try:
        content = unpack.decompress(packed, _MOST_BYTES)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if not unpack.eof:
        raise ValueError("it is cut off")
    return content

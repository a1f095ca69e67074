"""A labelled set of images in memory.

Images are uint8 in the order (N, H, W, C), C = 1 (grey) or 3 (RGB); labels are class indices 0…K−1.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from studio.errors import UserError


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedFile:
    """A file that was left out.

    Attributes:
        path: where it lies in the data set's folder.
        reason: why, in a few words.
    """

    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReport:
    """What was left out when a set was loaded; all empty for a set that is known to be whole.

    Attributes:
        skipped: files that could not be read.
        dropped_classes: names of classes without a readable image.
        loose_files: number of files that belong to no class.
    """

    skipped: tuple[SkippedFile, ...] = ()
    dropped_classes: tuple[str, ...] = ()
    loose_files: int = 0

    def lines(self) -> tuple[str, ...]:
        """What to tell the person, most important first; empty if nothing was left out."""
        found = []
        if self.dropped_classes:
            found.append(f"Classes without a readable image: {', '.join(self.dropped_classes)}")
        if self.loose_files:
            found.append(f"Files outside the class folders: {self.loose_files:,}")
        return (*found, *(f"{file.path} was left out: {file.reason}" for file in self.skipped))


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSet:
    """A frozen, labelled image set.

    Attributes:
        name: what to call it on the screen.
        images: pixel values 0…255, uint8, shape (N, H, W, C), read-only.
        labels: class index of each image, int64, shape (N,), read-only.
        class_names: one name per class, length K; unique.
        report: what was left out when it was loaded.
        files: where each image came from, relative to the data set's folder, length N; empty if they have no files.

    Raises:
        UserError: the arrays do not fit together, or a class has no example.
    """

    name: str
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    report: LoadReport = field(default_factory=LoadReport)
    files: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.images.dtype != np.uint8 or self.images.ndim != 4 or self.images.shape[3] not in (1, 3):
            raise UserError(
                "The images have the wrong form",
                f"{self.name}: {self.images.dtype} {self.images.shape} instead of uint8 (N, H, W, 1 or 3).",
            )
        if self.labels.shape != (len(self.images),):
            raise UserError(
                "Images and labels do not match", f"{self.name}: {len(self.images)} images, {len(self.labels)} labels."
            )
        if len(self.class_names) < 2 or len(set(self.class_names)) != len(self.class_names):
            raise UserError(
                "There is nothing to tilt between",
                f"{self.name} has the classes {', '.join(self.class_names) or 'none'}.",
                "A data set needs at least two classes with different names.",
            )
        if len(self.labels) and (self.labels.min() < 0 or self.labels.max() >= len(self.class_names)):
            raise UserError(
                "A label is out of range", f"{self.name}: labels must lie in 0…{len(self.class_names) - 1}."
            )
        empty = [name for name, count in zip(self.class_names, self.counts, strict=True) if count == 0]
        if empty:
            raise UserError(
                "A class has no example", f"{self.name}: {', '.join(empty)}.", "Remove it or add images to it."
            )
        self.images.flags.writeable = False
        self.labels.flags.writeable = False

    def __len__(self) -> int:
        return len(self.images)

    @property
    def counts(self) -> NDArray[np.int64]:
        """Number of examples per class, shape (K,)."""
        return np.bincount(self.labels, minlength=len(self.class_names)).astype(np.int64)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(C, H, W), the order in which models take images."""
        _, height, width, channels = self.images.shape
        return channels, height, width

    def fingerprint(self) -> str:
        """A hash of pixels, labels and names: equal exactly when the sets are."""
        digest = hashlib.blake2b(digest_size=16)
        digest.update(repr((self.images.shape, self.class_names)).encode())
        digest.update(np.ascontiguousarray(self.images).data)
        digest.update(np.ascontiguousarray(self.labels).data)
        return digest.hexdigest()

    def thumbnails(self) -> NDArray[np.uint8]:
        """The first example of each class, shape (K, H, W, C)."""
        _, first = np.unique(self.labels, return_index=True)
        return self.images[first]

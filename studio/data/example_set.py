"""A set of examples in memory, whatever an example is: what training and the window need to know of it.

Each has a label; examples without labels are a set of one class.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from studio.data.scale import PIXELS, Scale, Values
from studio.errors import UserError

if TYPE_CHECKING:
    from studio.data.planar.plane import Plane

_MANY = 12
_FEW = 5  # files of one reason that are told one by one

Places: TypeAlias = NDArray[np.int64] | slice
"""Numbers of examples, from 0."""

_PIECE = 4096
"""Examples that are hashed at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedFile:
    """A file that was left out: where it lies in the data set's folder, and why, in a few words."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReport:
    """What was left out and what was decided when a set was loaded; all empty for a set that is known to be whole.

    That is classes without a readable image, how many files belong to no class, and notes, a sentence each.
    """

    skipped: tuple[SkippedFile, ...] = ()
    dropped_classes: tuple[str, ...] = ()
    loose_files: int = 0
    notes: tuple[str, ...] = ()

    def lines(self) -> tuple[str, ...]:
        """What to tell the person, most important first; empty if there is nothing."""
        found = []
        if self.dropped_classes:
            found.append(f"Classes without a readable image: {', '.join(self.dropped_classes)}")
        if self.loose_files:
            found.append(f"Files outside the class folders: {self.loose_files:,}")
        return (*found, *self.notes, *self._skipped_lines())

    def _skipped_lines(self) -> tuple[str, ...]:
        """A line for each file that was left out, or for all of them that share a reason where they are many."""
        reasons: dict[str, list[str]] = {}
        for file in self.skipped:
            reasons.setdefault(file.reason, []).append(file.path)
        lines: list[str] = []
        for reason, paths in reasons.items():
            if len(paths) <= _FEW:
                lines += [f"{path} was left out: {reason}" for path in paths]
            else:
                lines.append(f"{len(paths):,} files were left out: {reason} ({some(paths)})")
        return tuple(lines)


def some(names: Sequence[str], shown: int = 3) -> str:
    """The first of some names, and that there are more."""
    return ", ".join(names[:shown]) + (", …" if len(names) > shown else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleSet(ABC):
    """A frozen, labelled set; a subclass holds the examples.

    Attributes:
        name: what to call it on the screen.
        labels: class index of each example, int64, shape (N,), read-only.
        class_names: one name per class, length K; unique. A single one stands for examples without labels.
        report: what was left out when it was loaded.
        files: where each example came from, relative to the data set's folder, length N; empty if they have no files.
        listed: all files that the folder lists, with those that could not be read; empty if there are none such. An
            example's number is its place in this list, so that a damaged file shifts no other's number.
        numbers: number of each example, int64, ascending, shape (N,), read-only; 0…N − 1 unless given.
        unlabelled: examples of the same form without labels, a set of one class; None if there are none.

    Raises:
        UserError: the arrays do not fit together, or a class has no example.
    """

    name: str
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    report: LoadReport = field(default_factory=LoadReport)
    files: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    numbers: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    unlabelled: ExampleSet | None = None
    _known: list[str] = field(default_factory=list, init=False, repr=False, compare=False)  # the fingerprint, if it is

    def __post_init__(self) -> None:
        """What holds for every set; called by the subclasses."""
        if not self.class_names or len(set(self.class_names)) != len(self.class_names):
            raise UserError(
                "The classes cannot be told apart",
                f"{self.name} has the classes {some(self.class_names, _MANY) or 'none'}.",
                "Each needs a name of its own; examples without labels are one class.",
            )
        if len(self.labels) and (self.labels.min() < 0 or self.labels.max() >= len(self.class_names)):
            raise UserError(
                "A label is out of range", f"{self.name}: labels must lie in 0…{len(self.class_names) - 1}."
            )
        empty = [name for name, count in zip(self.class_names, self.counts, strict=True) if count == 0]
        if empty:
            raise UserError(
                "A class has no example", f"{self.name}: {some(empty, _MANY)}.", f"Remove it or add {self.noun} to it."
            )
        if not len(self.numbers):
            object.__setattr__(self, "numbers", np.arange(len(self.labels)))
        self.labels.flags.writeable = False
        self.numbers.flags.writeable = False

    def _check_values(self) -> None:
        """As many examples as labels, which nobody may change from now on; called by the subclasses that hold them."""
        count = len(self.values)
        if self.labels.shape != (count,):
            raise UserError(
                f"{self.noun.capitalize()} and labels do not match",
                f"{self.name}: {count} {self.noun}, {len(self.labels)} labels.",
            )
        self.values.flags.writeable = False

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def number_count(self) -> int:
        """How many numbers are given to examples, with those of files that could not be read."""
        return len(self.listed) or len(self.labels)

    @property
    def labelled(self) -> bool:
        """Whether classes can be told apart: there are two at least."""
        return len(self.class_names) > 1

    @property
    @abstractmethod
    def values(self) -> Values:
        """The examples as they are stored, shape (N, H, W, C)."""

    def rows(self, places: Places) -> Values:
        """The examples at these places, shape (n, H, W, C)."""
        return self.values[places]

    @property
    def scale(self) -> Scale:
        """How they become what models take."""
        return PIXELS

    @property
    def plane(self) -> Plane | None:
        """The plane that they are points of, with its exact densities; None for images."""
        return None

    @property
    @abstractmethod
    def noun(self) -> str:
        """What the examples are, in the plural."""

    @property
    @abstractmethod
    def form(self) -> str:
        """What form they have, in a few words."""

    @abstractmethod
    def pictures(self, values: Values) -> NDArray[np.uint8]:
        """A picture of each of some examples of this kind, uint8, shape (n, H, W, C)."""

    @abstractmethod
    def overview(self, values: Values) -> NDArray[np.uint8]:
        """Pictures that show some examples together, uint8, shape (m, H, W, C)."""

    @property
    def counts(self) -> NDArray[np.int64]:
        """Number of examples per class, shape (K,)."""
        return np.bincount(self.labels, minlength=len(self.class_names)).astype(np.int64)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(C, H, W), the order in which models take examples."""
        _, height, width, channels = self.values.shape
        return channels, height, width

    def fingerprint(self) -> str:
        """A hash of values, labels and names: equal exactly when the sets are; found once."""
        if not self._known:
            self._known.append(self._hashed())
        return self._known[0]

    def _hashed(self) -> str:
        digest = hashlib.blake2b(digest_size=16)
        digest.update(repr(self._identity()).encode())
        for start in range(0, len(self), _PIECE):  # so that a part of a large set is never copied whole
            digest.update(np.ascontiguousarray(self.rows(slice(start, start + _PIECE))).data)
        digest.update(np.ascontiguousarray(self.labels).data)
        if self.unlabelled is not None:
            digest.update(self.unlabelled.fingerprint().encode())
        return digest.hexdigest()

    def _identity(self) -> Sequence[object]:
        """What tells sets apart whose bytes agree."""
        channels, height, width = self.image_shape
        return (len(self), height, width, channels), self.class_names

    def thumbnails(self) -> NDArray[np.uint8]:
        """A picture of each class, shape (K, H, W, C)."""
        _, first = np.unique(self.labels, return_index=True)
        return self.pictures(self.values[first])

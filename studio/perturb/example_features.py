"""What is known of every example of a data set: features, each measured once, the class, and columns from elsewhere."""

from __future__ import annotations

import copy
import hashlib
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from studio.errors import UserError
from studio.perturb.arrays import Floats
from studio.perturb.features import Feature, feature_named, features_of, measure
from studio.perturb.formula import LABEL
from studio.progress import Progress

COLUMN = "column:"
"""Begins the name of what is no feature; what follows says whose it is, such as ``column:csv:/data/energies.csv``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """What is known of every example from elsewhere, shape (N,); what it `says` has no full stop.

    `origin` is a fingerprint of what they were computed from, where computing them again may round differently.
    """

    values: Floats
    says: str = ""
    origin: str = ""

    @property
    def fingerprint(self) -> str:
        """What tells it from all others of the same examples: its origin, or a hash of its values."""
        values = np.ascontiguousarray(self.values, dtype=np.float64)
        return self.origin or hashlib.blake2b(values.data, digest_size=16).hexdigest()


def _no_columns(name: str, progress: Progress) -> Column:
    raise UserError("There is no such column", f"Nothing here can load “{name}”.", field="perturbation.terms")


class ExampleFeatures:
    """Values of every example by name, measured at their first use and kept; safe to use from several threads.

    Args:
        data: uint8 images, shape (N, H, W, C), or points, shape (N, 2).
        labels: class index of each, shape (N,).
        class_names: one per class.
        load_column: gets a column from its name without `COLUMN`; may raise UserError.
        numbers: by which messages name examples, shape (N,); 0…N − 1 if absent.
    """

    def __init__(
        self,
        data: NDArray[Any],
        labels: NDArray[np.int64],
        class_names: Sequence[str],
        load_column: Callable[[str, Progress], Column] = _no_columns,
        numbers: NDArray[np.int64] | None = None,
    ) -> None:
        self._data = data
        self.labels = labels
        self.class_names = tuple(class_names)
        self._load_column = load_column
        self._numbers = np.arange(len(labels)) if numbers is None else numbers
        self._lock = threading.Lock()
        self._values: dict[str, Floats] = {}
        self._said: dict[str, str] = {}
        self._fingerprints: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def features(self) -> tuple[Feature, ...]:
        """What can be measured of these data."""
        return features_of(self._data.shape)

    def feature(self, name: str) -> Feature:
        """The feature of that name; raises UserError if these data do not have it."""
        return feature_named(name, self._data.shape)

    def missing(self, names: Iterable[str]) -> tuple[str, ...]:
        """Those of the names whose values are still to be measured or loaded."""
        return tuple(dict.fromkeys(name for name in names if name != LABEL and name not in self._values))

    def prepare(self, names: Iterable[str], progress: Progress | None = None) -> None:
        """Measure or load what is missing; UserError if it cannot be had. Once cancelled, what was measured stays."""
        progress = progress or Progress()
        if not self.missing(names):
            return  # and wait for nobody who measures something else
        with self._lock:
            missing = self.missing(names)
            for name in missing:
                if name.startswith(COLUMN):
                    column = self._load_column(name.removeprefix(COLUMN), progress)
                    self._said[name], self._fingerprints[name] = column.says, column.fingerprint
                    self._values[name] = column.values
            features = [name for name in missing if not name.startswith(COLUMN)]
            if features:
                self._values |= measure(self._data, features, progress)

    def values(self, name: str) -> Floats:
        """Values by name, shape (N,): a feature, a column, or ``label``; raises UserError if it cannot be had."""
        if name == LABEL:
            return self.labels.astype(np.float64)
        if name not in self._values:
            self.prepare([name])
        return self._values[name]

    def in_class(self, index: int) -> Self:
        """The same examples as if all were of one class; what is measured of them is measured once for both."""
        other = copy.copy(self)
        other.labels = np.full(len(self), index)
        return other

    def remarks(self, names: Iterable[str]) -> tuple[str, ...]:
        """What there is to say of those of the names that were loaded, a sentence each."""
        return tuple(said for name in dict.fromkeys(names) if (said := self._said.get(name)))

    def fingerprint(self, name: str) -> str:
        """What tells a column, named with `COLUMN`, from all others of these examples; UserError if there is none."""
        self.prepare([name])
        return self._fingerprints[name]

    def forget(self, name: str) -> None:
        """Load or measure this anew at its next use, as when a file has changed."""
        self._values.pop(name, None)
        self._said.pop(name, None)

    def describe(self, index: int) -> str:
        """An example as messages name it."""
        return f"example {self._numbers[index]:,} (class “{self.class_names[int(self.labels[index])]}”)"

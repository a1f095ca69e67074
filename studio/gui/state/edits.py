"""Edits of the target as commands that can be undone."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from PySide6.QtGui import QUndoCommand

from studio.training.config.energy import EnergyConfig

Offsets = Mapping[str, float]
T = TypeVar("T")

_MERGE_SECONDS = 1.0


class Edit(QUndoCommand, Generic[T]):
    """From one value to another. Quick edits of the same name and the same part undo as one.

    Args:
        text: names the edit in the menu.
        apply: puts a value in force.
        apart: undone by itself, however quickly it follows.
    """

    ID = -1

    def __init__(self, before: T, after: T, text: str, apply: Callable[[T], None], *, apart: bool = False) -> None:
        super().__init__(text)
        self._before, self._after, self._apply, self._apart = before, after, apply, apart
        self._when = time.monotonic()

    def id(self) -> int:
        """Commands of one id may merge."""
        return self.ID

    def part(self) -> object:
        raise NotImplementedError

    def mergeWith(self, other: QUndoCommand) -> bool:
        """Take in an edit of the same part that follows at once, as a turning wheel makes them."""
        if not isinstance(other, type(self)) or other._apart or other.text() != self.text():
            return False
        if other._when - self._when > _MERGE_SECONDS or self.part() != other.part():
            return False
        self._after, self._when = other._after, other._when
        return True

    def redo(self) -> None:
        self._apply(self._after)

    def undo(self) -> None:
        self._apply(self._before)


class SetOffsets(Edit[Offsets]):
    """ΔH by class name, 0 where none is given; its part is the classes that it changes."""

    ID = 1

    def part(self) -> object:
        before, after = self._before, self._after
        return {name for name in {*before, *after} if before.get(name, 0.0) != after.get(name, 0.0)}


class SwitchHold(Edit[bool]):
    """Whether shares are held."""

    ID = 3

    def part(self) -> object:
        return None


class SetEnergy(Edit[EnergyConfig]):
    """Terms, temperature and clip; its part is the number of terms before and after, since its name tells the rest."""

    ID = 2

    def part(self) -> object:
        return len(self._before.terms), len(self._after.terms)

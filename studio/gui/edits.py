"""Edits of the target as commands that can be undone."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtGui import QUndoCommand

from studio.training.energy_config import EnergyConfig

Offsets = tuple[float, ...]

_MERGE_SECONDS = 1.0


class SetOffsets(QUndoCommand):
    """From one set of offsets to another.

    Args:
        before: ΔH per class as they were.
        after: as they become.
        text: names the edit in the menu; quick edits of the same name and the same classes undo as one.
        apply: puts a set of offsets in force.
    """

    def __init__(self, before: Offsets, after: Offsets, text: str, apply: Callable[[Offsets], None]) -> None:
        super().__init__(text)
        self._before = before
        self._after = after
        self._apply = apply
        self._when = time.monotonic()

    def id(self) -> int:
        """Commands of one id may merge."""
        return 1

    def mergeWith(self, other: QUndoCommand) -> bool:
        """Take in an edit of the same classes that follows at once, as a turning wheel makes them."""
        if not isinstance(other, SetOffsets) or other.text() != self.text():
            return False
        if other._when - self._when > _MERGE_SECONDS or _changed(self) != _changed(other):
            return False
        self._after, self._when = other._after, other._when
        return True

    def redo(self) -> None:
        """Put the new offsets in force."""
        self._apply(self._after)

    def undo(self) -> None:
        """Put the old offsets in force."""
        self._apply(self._before)


def _changed(edit: SetOffsets) -> tuple[bool, ...]:
    return tuple(old != new for old, new in zip(edit._before, edit._after, strict=True))


class SetEnergy(QUndoCommand):
    """From one energy to another.

    Args:
        before: terms, temperature and clip as they were.
        after: as they become.
        text: names the edit in the menu; quick edits of the same name undo as one.
        apply: puts an energy in force.
    """

    def __init__(
        self, before: EnergyConfig, after: EnergyConfig, text: str, apply: Callable[[EnergyConfig], None]
    ) -> None:
        super().__init__(text)
        self._before = before
        self._after = after
        self._apply = apply
        self._when = time.monotonic()

    def id(self) -> int:
        """Commands of one id may merge."""
        return 2

    def mergeWith(self, other: QUndoCommand) -> bool:
        """Take in an edit of the same value that follows at once, as a turning wheel makes them."""
        if not isinstance(other, SetEnergy) or other.text() != self.text():
            return False
        if other._when - self._when > _MERGE_SECONDS or len(other._after.terms) != len(self._before.terms):
            return False
        self._after, self._when = other._after, other._when
        return True

    def redo(self) -> None:
        """Put the new energy in force."""
        self._apply(self._after)

    def undo(self) -> None:
        """Put the old energy in force."""
        self._apply(self._before)

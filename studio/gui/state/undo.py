"""What can be undone: edits of the target, but not where that of another step is shown, and whole set-ups, which stay
as they are while a run trains one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from PySide6.QtCore import QObject, Qt, SignalInstance, Slot
from PySide6.QtGui import QAction, QUndoCommand, QUndoStack

from studio.training.config.energy import EnergyConfig
from studio.training.config.run_config import RunConfig

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


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeSetup:
    """A set-up that another can take the place of.

    Attributes:
        data_root: folder that its data set is read from; None for the one that is chosen.
    """

    config: RunConfig
    data_root: Path | None


class ReplaceSetup(QUndoCommand):
    """From one set-up to another; what was edited since comes back with redo.

    Args:
        swap: puts a set-up in force and returns the one before.
    """

    ID = 100

    def __init__(self, other: WholeSetup, text: str, swap: Callable[[WholeSetup], WholeSetup]) -> None:
        super().__init__(text)
        self._other, self._swap = other, swap

    def id(self) -> int:
        return self.ID

    def redo(self) -> None:
        self._other = self._swap(self._other)

    undo = redo


WHOLE_SETUPS = (ReplaceSetup.ID,)
ALL_OF_SETUP = (SetOffsets.ID, SetEnergy.ID, SwitchHold.ID, ReplaceSetup.ID)


class UndoStack(QUndoStack):
    """Neither undoes nor redoes commands of a kind that is held."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._held: Collection[int] = ()
        self.indexChanged.connect(self._tell, Qt.ConnectionType.QueuedConnection)  # after Qt has told its own

    def hold(self, held: Collection[int]) -> None:
        """Hold commands with these identifiers, and let go of others."""
        if held != self._held:
            self._held = held
            self._tell()

    def canUndo(self) -> bool:
        return super().canUndo() and not self._is_held(self.index() - 1)

    def canRedo(self) -> bool:
        return super().canRedo() and not self._is_held(self.index())

    @Slot()
    def undo(self) -> None:
        if self.canUndo():
            super().undo()

    @Slot()
    def redo(self) -> None:
        if self.canRedo():
            super().redo()

    def createUndoAction(self, parent: QObject, prefix: str = "") -> QAction:
        return _StackAction(parent, prefix, self.undoText(), self.undo, self.canUndoChanged, self.undoTextChanged)

    def createRedoAction(self, parent: QObject, prefix: str = "") -> QAction:
        return _StackAction(parent, prefix, self.redoText(), self.redo, self.canRedoChanged, self.redoTextChanged)

    def _is_held(self, place: int) -> bool:
        command = self.command(place)
        parts = [command.child(part) for part in range(command.childCount())] or [command]
        return any(part.id() in self._held for part in parts)

    @Slot()
    def _tell(self) -> None:
        self.canUndoChanged.emit(self.canUndo())
        self.canRedoChanged.emit(self.canRedo())


class _StackAction(QAction):
    """Does what the stack offers, and says what that is."""

    def __init__(
        self,
        parent: QObject,
        prefix: str,
        text: str,
        act: Callable[[], None],
        able: SignalInstance,
        told: SignalInstance,
    ) -> None:
        super().__init__(parent)
        self._prefix = prefix
        self.name(text)
        self.setEnabled(bool(text))
        self.triggered.connect(act)
        able.connect(self.setEnabled)
        told.connect(self.name)

    @Slot(str)
    def name(self, text: str) -> None:
        self.setText(f"{self._prefix} {text}".rstrip())

"""What can be undone: edits of the target, and whole set-ups, which stay as they are while a run trains one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Qt, SignalInstance, Slot
from PySide6.QtGui import QAction, QUndoCommand, QUndoStack

from studio.training.config.run_config import RunConfig

_WHOLE = 100
"""Identifies commands that replace the whole set-up."""


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

    def __init__(self, other: WholeSetup, text: str, swap: Callable[[WholeSetup], WholeSetup]) -> None:
        super().__init__(text)
        self._other, self._swap = other, swap

    def id(self) -> int:
        return _WHOLE

    def redo(self) -> None:
        """Take the other one."""
        self._other = self._swap(self._other)

    undo = redo


class UndoStack(QUndoStack):
    """Neither undoes nor redoes a whole set-up while it is held."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._held = False
        self.indexChanged.connect(self._tell, Qt.ConnectionType.QueuedConnection)  # after Qt has told its own

    def hold(self, held: bool) -> None:
        """Hold whole set-ups, or let go of them."""
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
        """Undoes what can be undone, and says what."""
        return _StackAction(parent, prefix, self.undoText(), self.undo, self.canUndoChanged, self.undoTextChanged)

    def createRedoAction(self, parent: QObject, prefix: str = "") -> QAction:
        """Redoes what can be redone, and says what."""
        return _StackAction(parent, prefix, self.redoText(), self.redo, self.canRedoChanged, self.redoTextChanged)

    def _is_held(self, place: int) -> bool:
        return self._held and self.command(place).id() == _WHOLE

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
        """Say what it would undo or redo."""
        self.setText(f"{self._prefix} {text}".rstrip())

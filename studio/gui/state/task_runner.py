"""Work beside the window that is no training: loading data, bringing torch in. A timer polls; results come as calls."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from studio.background import Background
from studio.errors import Cancelled, UserError
from studio.gui.state.log import Level, LogLine
from studio.progress import Progress

T = TypeVar("T")

_POLL = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """Something that goes on in the background and takes over a second.

    Attributes:
        fraction: 0…1, or None when unknown.
        cancellable: whether cancelling it has an effect.
    """

    text: str
    fraction: float | None = None
    cancellable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    work: Background[Any]
    done: Callable[[Any], None]
    failed: Callable[[UserError], None]
    cancelled: Callable[[], None]
    cancellable: bool


class TaskRunner(QObject):
    """Runs tasks and says how they go; the newest one that can be cancelled is the one shown."""

    changed = Signal(object)  # TaskView | None
    bug_found = Signal(object)  # LogLine with the traceback

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks: list[_Task] = []
        self.view: TaskView | None = None  # what is going on, for a status line
        self._timer = QTimer(self, interval=_POLL)
        self._timer.timeout.connect(self._poll)

    def run(
        self,
        work: Callable[[Progress], T],
        *,
        done: Callable[[T], None],
        failed: Callable[[UserError], None],
        cancelled: Callable[[], None] = lambda: None,
        cancellable: bool = True,
    ) -> Background[T]:
        """Begin a task; what it returns can be cancelled alone."""
        background = Background(work).start()
        self._tasks.append(
            _Task(work=background, done=done, failed=failed, cancelled=cancelled, cancellable=cancellable)
        )
        self._timer.start()
        return background

    def cancel(self) -> None:
        """Cancel what can be cancelled."""
        for task in self._tasks:
            if task.cancellable:
                task.work.cancel()

    def join(self, seconds: float) -> bool:
        """Cancel what can be cancelled and wait for that; whether everything has ended.

        What cannot be cancelled is not waited for, and its result comes as ever if the window stays.
        """
        self.cancel()
        deadline = time.monotonic() + seconds
        for task in [task for task in self._tasks if task.cancellable]:
            if task.work.join(max(0.0, deadline - time.monotonic())):
                self._tasks.remove(task)
                task.cancelled()
        if not self._tasks:
            self._timer.stop()
        self._show()
        return all(task.work.done for task in self._tasks)

    @Slot()
    def _poll(self) -> None:
        for task in [task for task in self._tasks if task.work.done]:
            self._tasks.remove(task)
            self._settle(task)
        if not self._tasks:
            self._timer.stop()
        self._show()

    def _settle(self, task: _Task) -> None:
        try:
            result = task.work.result()
        except Cancelled:
            task.cancelled()
        except UserError as error:
            task.failed(error)
        except Exception as error:
            doing = task.work.progress[0] or "Working in the background"
            reason = f"{type(error).__name__}: {error}"
            text = f"{doing} failed: {reason}. This is a bug in the studio; the rest goes on."
            trace = "".join(traceback.format_exception(error))
            self.bug_found.emit(LogLine(text=text, level=Level.ERROR, detail=trace))
            task.failed(UserError(f"{doing} failed", f"{reason}.", "The log has the details; try something else."))
        else:
            task.done(result)

    def _show(self) -> None:
        view = None
        if self._tasks:
            task = max(self._tasks, key=lambda task: task.cancellable)
            text, fraction = task.work.progress
            view = TaskView(text=text, fraction=fraction, cancellable=task.cancellable) if text else None
        if view != self.view:
            self.view = view
            self.changed.emit(view)


class NewestTask:
    """Work of one kind, one at a time: of what is asked for meanwhile the newest begins once that has ended."""

    def __init__(self, tasks: TaskRunner) -> None:
        self._tasks = tasks
        self.busy = False
        self._next: Callable[[], None] | None = None

    def run(
        self, work: Callable[[Progress], T], *, done: Callable[[T], None], failed: Callable[[UserError], None]
    ) -> None:
        """Begin, or wait; whoever cancels what goes on gives up what waits, too."""
        if self.busy:
            self._next = lambda: self.run(work, done=done, failed=failed)
            return
        self.busy = True

        def ended(tell: Callable[[], None]) -> None:
            tell()
            wanted = self._next
            self.give_up()
            if wanted is not None:
                wanted()

        self._tasks.run(
            work,
            done=lambda found: ended(lambda: done(found)),
            failed=lambda error: ended(lambda: failed(error)),
            cancelled=self.give_up,
        )

    def give_up(self) -> None:
        self.busy, self._next = False, None

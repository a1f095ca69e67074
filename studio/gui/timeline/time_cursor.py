"""The one time cursor: which run the panels show, and which step of it. An old run fills them as a live one does.

Curves are shown whole, with a line at the cursor and their values there; samples, weights and shares are those of the
newest moment at or before it that is on disk. Without a cursor the panels follow the run.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from studio.errors import UserError
from studio.gui.run.run_control import RunControl
from studio.gui.state.history import HistoryView, OtherHistory, TimeView
from studio.gui.state.log import Level, Log
from studio.gui.state.old_runs import Moment, OldRun, has_gone_on, read_moment, read_moment_of, read_old_run
from studio.gui.state.overlays import Overlays
from studio.gui.state.task_runner import NewestTask, TaskRunner
from studio.training.config.run_config import RunConfig
from studio.training.messages.snapshot import Snapshot
from studio.training.storage.run_folder import safe_name


class TimeCursor(QObject):
    """Stands between runs and the panels that show them."""

    changed = Signal(object)  # TimeView
    run_shown = Signal()  # it is another run
    pictures_gone = Signal()  # forget those that are shown: it is another run, or a step from before its first ones
    snapshot_shown = Signal(object)  # Snapshot of a run under way that is followed
    moment_shown = Signal(object)  # Moment: what is on disk of the cursor's step
    frame_shown = Signal(object)  # Frame of it, if there is one
    history_shown = Signal(object)  # HistoryView: other points, marks or another step

    def __init__(
        self, tasks: TaskRunner, runs: RunControl, overlays: Overlays, log: Log, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._tasks, self._runs, self._overlays, self._log = tasks, runs, overlays, log
        self.old: OldRun | None = None  # that is shown; else the run under way, or the last one of this window, is
        self._at: int | None = None
        self._newest: Snapshot | None = None
        self._pictured: object = None  # folder and steps of the last frame from disk
        self._opening: Path | None = None
        self.left = False  # the last run of this window is not shown any more
        self._reading = NewestTask(tasks)
        self.run_shown.connect(self.pictures_gone)
        runs.run_begins.connect(self.show_live)
        runs.run_reset.connect(self._on_new_run)
        runs.went_back.connect(self._on_went_back)
        runs.snapshot_arrived.connect(self._on_snapshot)
        runs.history_changed.connect(self._on_history)
        runs.run_changed.connect(self._tell)
        overlays.changed.connect(lambda: self.history_shown.emit(self.history))

    # -- state

    @property
    def config(self) -> RunConfig | None:
        """What the run that is shown began with; None while there is none."""
        return self.old.config if self.old is not None else None if self.left else self._runs.config

    @property
    def folder(self) -> Path | None:
        """Of the run that is shown, if it has one."""
        return self.old.folder if self.old is not None else None if self.left else self._runs.run.folder

    @property
    def ended(self) -> tuple[Path, int] | None:
        """Folder and last step of this window's run, if that is shown and trains no more: it may go on elsewhere."""
        run = self._runs.run
        shown = self.old is None and not self.left and not self._runs.busy
        return (run.folder, run.step) if shown and run.folder is not None else None

    @property
    def data(self) -> str:
        """Fingerprint of its data set; empty where that is not known."""
        return self.old.data if self.old is not None else self._runs.data

    @property
    def history(self) -> HistoryView:
        """Of the run that is shown."""
        others = tuple(OtherHistory(title=run.title, config=run.config, history=run.history) for run in self.others)
        if self.left:
            return HistoryView(others=others)
        history = self.old.history if self.old is not None else self._runs.history
        return HistoryView(history=history, marks=history.marks, cursor=self._at, others=others)

    @property
    def others(self) -> list[OldRun]:
        """Runs whose curves lie over those of the one shown, which does not lie over itself."""
        title = "" if self.left else self.old.title if self.old is not None else self._runs.title
        return self._overlays.beside(self.folder, title)

    @property
    def view(self) -> TimeView:
        if self.left:
            return TimeView()
        history, old, run = self.history.history, self.old, self._runs.run
        newest = int(history.steps[-1]) if len(history) else 0
        last = max(newest, old.last if old is not None else run.step)
        live = self._runs.title or "this run"
        there = last or run.phase.active or run.folder is not None
        title = old.title if old is not None else live if there else ""
        step = last if self._at is None else self._at
        return TimeView(
            title=title, live=old is None, following=self._at is None, step=step, last=last, marks=tuple(history.marks)
        )

    @property
    def picture_name(self) -> str:
        """How the name of a picture of the run that is shown begins."""
        return safe_name(self.view.title)

    # -- intent

    def open(self, folder: Path) -> None:
        """Show the run in this folder, from its end."""
        self._opening = None  # what was asked for before does not come any more
        run = self._runs.run
        own = folder == run.folder and (run.phase.active or not has_gone_on(folder, run.step))
        if folder == self.folder and (own and self._at is None if self.old is None else not self.old.has_changed):
            self._log.add(f"“{self.view.title}” is shown already, at step {self.view.step:,}")
        elif own:
            self.show_live()
        else:
            self._opening = folder
            self._tasks.run(
                lambda progress: read_old_run(folder, progress),
                done=lambda run: self._show_old(folder, run),
                failed=self._on_failed,
            )

    @Slot()
    def show_live(self) -> None:
        """Show and follow the run under way, or the last one of this window."""
        self._opening = None
        if self.old is None and self._at is None and not self.left:
            return
        other = self.left or self.old is not None
        self.old = self._at = None
        self.left = False
        if other:
            self.run_shown.emit()
        self.history_shown.emit(self.history)
        if self._newest is not None:
            self.snapshot_shown.emit(self._newest)
        self._tell()

    @Slot()
    def leave(self) -> None:
        """Show no run, or else the one under way."""
        if self._runs.run.phase.active:
            self.show_live()
            return
        self.old = self._opening = self._at = None
        self.left = True
        self.run_shown.emit()
        self.history_shown.emit(self.history)
        self._tell()

    def follow(self) -> None:
        """Show the newest moment, and those that come."""
        if self.old is None:
            self.show_live()
        else:
            self.seek(self.old.last)

    @Slot(int)
    def seek(self, step: int) -> None:
        view = self.view
        if not view.title:
            return
        self._at = max(0, min(step, view.last))
        self.history_shown.emit(self.history)
        self._tell()
        self._read()

    def to_mark(self, direction: int) -> None:
        """Go to the next mark, or with −1 to the one before."""
        view = self.view
        steps = sorted({mark.step for mark in view.marks})
        ahead = [step for step in steps if (step > view.step if direction > 0 else step < view.step)]
        if ahead:
            self.seek(ahead[0] if direction > 0 else ahead[-1])

    @Slot(object, str)
    def rename(self, folder: Path, title: str) -> None:
        """A run is called so from now on."""
        if folder == self._runs.run.folder:
            self._runs.call(title)
        if self.old is not None and folder == self.old.folder:
            self.old = replace(self.old, title=title)
        self._tell()

    @Slot()
    def tell_again(self) -> None:
        """Say what is shown, for a panel that was not there to hear it."""
        if not self.view.title:
            return
        self.history_shown.emit(self.history)
        if self.old is None and self._at is None and self._newest is not None:
            self.snapshot_shown.emit(self._newest)
        self._read()

    # -- reading

    def go_on(self, old: OldRun, now: OldRun) -> None:
        """The run that is shown has been read again; whoever looks at its newest step goes on to the newest one now."""
        if old is not self.old or self._at is None:
            return
        self.old = old.gone_on(now)
        self._at = now.last if self._at >= old.last else min(self._at, now.last)
        self.history_shown.emit(self.history)
        self._tell()
        self._read(again=True)

    def _read(self, *, again: bool = False) -> None:
        """Read what is on disk of the cursor's step."""
        folder, step, old = self.folder, self._at, self.old
        if folder is not None and step is not None:
            self._reading.run(
                lambda _: read_moment(folder, step) if old is None else read_moment_of(old, step),
                done=lambda moment: self._show(folder, moment, again=again),
                failed=lambda error: self._on_unread(folder, error),
            )

    def _on_unread(self, folder: Path, error: UserError) -> None:
        """Nothing of another step, or of a run that is gone, stays beside one that was not read."""
        self._on_failed(error)
        if folder != self.folder:
            return
        if self.old is not None and self.old.is_gone:
            self.leave()
        elif self.old is not None:
            self._show(folder, Moment(frame=None, evaluation=None))
        elif self._at is not None:
            self.follow()  # the newest is in memory

    def _show(self, folder: Path, moment: Moment, *, again: bool = False) -> None:
        if folder != self.folder or self._at is None:
            return
        frame, before = moment.frame, self._pictured
        self._pictured = folder, (frame.step, frame.diagnosed) if frame is not None else None
        if not (again and self._pictured == before):  # or other latents would give way to the same
            self.frame_shown.emit(frame) if frame is not None else self.pictures_gone.emit()
        self.moment_shown.emit(moment)

    def _show_old(self, folder: Path, run: OldRun) -> None:
        if folder != self._opening:
            return  # another one was asked for meanwhile
        self._opening = self._pictured = None
        self.old, self._at = run, None
        self.left = False
        self.run_shown.emit()
        self.history_shown.emit(self.history)
        self.seek(run.last)

    def _on_failed(self, error: UserError) -> None:
        self._log.add_error(error, Level.WARNING)

    # -- the run under way

    @Slot()
    def _on_new_run(self) -> None:
        self.old = self._opening = self._newest = self._at = None
        self.left = False
        self.run_shown.emit()
        self._tell()

    @Slot(int)
    def _on_went_back(self, step: int) -> None:
        """Forget the pictures of the steps that are undone."""
        if self._newest is not None and self._newest.step > step:
            self._newest = None
        if self.old is None and not self.left:
            if self._at is not None and self._at > step:
                self._at = None
            self.run_shown.emit()
            self.tell_again()

    @Slot(object)
    def _on_snapshot(self, snapshot: Snapshot) -> None:
        self._newest = snapshot
        if self.old is None and self._at is None:
            self.snapshot_shown.emit(snapshot)

    @Slot()
    def _on_history(self) -> None:
        if self.old is None and not self.left:
            self.history_shown.emit(self.history)
            self._tell()

    @Slot()
    def _tell(self) -> None:
        self.changed.emit(self.view)

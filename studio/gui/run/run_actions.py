"""The run's controls as actions: one set for toolbar, menu and keyboard, enabled by what the run allows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QFileDialog, QWidget

from studio.gui.run.run_control import RunControl
from studio.gui.run.run_starter import RunStarter
from studio.gui.state.run_view import RunPhase, RunView
from studio.gui.state.setup import Setup
from studio.gui.state.subject import Aspect, Subject
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import tooltip
from studio.training.messages.commands import Pause, Restore, Resume, SampleNow, Save, SaveElsewhere, Step


@dataclass(frozen=True, slots=True)
class _Control:
    """One control.

    Attributes:
        enabled: for which runs; a start also asks the starter.
    """

    name: str
    title: str
    icon: str
    shortcut: str
    enabled: Callable[[RunView], bool]
    tip: str


def _trains(run: RunView) -> bool:
    return run.phase in (RunPhase.RUNNING, RunPhase.PAUSED)


def _never(run: RunView) -> bool:
    return False  # the subject says whether it can


_GO_BACK = "Go &back to the last good state"
_START = "Train what is set up, from the beginning."
_RESUME = "Resume the run that is looked at from its last checkpoint, in its own folder."
_PAUSE = "Wait where it is, or resume. A pause is no stop: nothing is lost or reset."
_STEP = "Take one training step, then wait."
_STOP = "Finish the step under way, save and end the run. Plots and samples stay."
_SAMPLE = "Draw a sample grid at once instead of at the next turn."
_EVALUATE = "Evaluate now whether the tilt arrives: judge samples of the model as it is. Training waits for it."
_SAVE = "Save the current weights in the run's folder; a stop does so by itself."
_MOVE = "Move the run into another folder and go on, as when its disk is full. All that can be read goes along."
_RESTORE = "While it is paused: restore weights and optimisers as they were when training last looked well."
_CONTROLS = (
    _Control("start", "&Start", "start", "F5", lambda run: not run.phase.active, _START),
    _Control("resume", "Resume from the last &checkpoint", "start", "Shift+F5", _never, _RESUME),
    _Control("pause", "&Pause", "pause", "F6", _trains, _PAUSE),
    _Control("step", "S&tep", "step", "F7", _trains, _STEP),
    _Control("stop", "St&op", "stop", "F8", lambda run: run.phase is RunPhase.PREPARING or _trains(run), _STOP),
    _Control("sample", "Sample &now", "sample", "F9", _trains, _SAMPLE),
    _Control("evaluate", "&Evaluate", "evaluate", "Ctrl+E", _never, _EVALUATE),
    _Control("save", "Save &weights", "save", "Ctrl+Shift+S", _trains, _SAVE),
    _Control(
        "elsewhere",
        "Save else&where…",
        "save",
        "Ctrl+Alt+S",
        lambda run: _trains(run) and run.folder is not None,
        _MOVE,
    ),
    _Control(
        "restore",
        _GO_BACK,
        "reset",
        "Ctrl+Shift+B",
        lambda run: run.phase is RunPhase.PAUSED and run.good_step is not None,
        _RESTORE,
    ),
)
_TIPS = {control.name: control.tip for control in _CONTROLS}
_OF_ANY = ("pause", "stop")
"""What can be done to the run that trains while another is looked at."""
_PAUSE_TEXTS = ("&Pause", "&Resume")


class RunActions(QObject):
    """Keeps the controls in step with the run."""

    start_requested = Signal()
    resume_requested = Signal()
    evaluate_requested = Signal()

    def __init__(
        self, setup: Setup, runs: RunControl, starter: RunStarter, theme: ThemeManager, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._runs, self._starter, self._theme, self._window = runs, starter, theme, parent
        self._subject = Subject()
        self._evaluable, self._evaluate_tip = False, ""
        self._actions = {control.name: self._make(control, parent) for control in _CONTROLS}
        self._actions["start"].triggered.connect(self.start_requested)
        self._actions["resume"].triggered.connect(self.resume_requested)
        self._actions["pause"].triggered.connect(self._pause_or_resume)
        self._actions["stop"].triggered.connect(starter.stop)
        self._actions["evaluate"].triggered.connect(self.evaluate_requested)
        for name, command in (("step", Step()), ("sample", SampleNow()), ("save", Save()), ("restore", Restore())):
            self._actions[name].triggered.connect(lambda _=False, command=command: runs.send(command))
        self._actions["elsewhere"].triggered.connect(self._ask_elsewhere)
        for changed in (runs.run_changed, starter.changed):
            changed.connect(self._refresh)
        self._refresh()

    def all(self) -> list[QAction]:
        return list(self._actions.values())

    def __getitem__(self, name: str) -> QAction:
        return self._actions[name]

    def _make(self, control: _Control, parent: QWidget) -> QAction:
        action = QAction(control.title, parent)
        action.setObjectName(f"run_{control.name}")
        action.setShortcut(QKeySequence(control.shortcut))
        self._theme.bind_icon(action, control.icon)
        _describe(action, control.tip)
        return action

    @Slot(object)
    def take_subject(self, subject: Subject) -> None:
        before = self._subject
        changed = (subject.resumable, subject.aspect) != (before.resumable, before.aspect)
        self._subject = subject
        if changed:
            self._refresh()

    def offer_evaluation(self, possible: bool, tip: str) -> None:
        """Whether what is looked at can be evaluated, and by which weights, or why not; empty says it of the moment."""
        if (possible, tip) != (self._evaluable, self._evaluate_tip):
            self._evaluable, self._evaluate_tip = possible, tip
            self._refresh()

    @Slot()
    def _pause_or_resume(self) -> None:
        self._runs.send(Resume() if self._runs.run.phase is RunPhase.PAUSED else Pause())

    @Slot()
    def _ask_elsewhere(self) -> None:
        name = QFileDialog.getExistingDirectory(self._window, "Keep the run in a new folder under", str(Path.home()))
        if name:
            self._runs.send(SaveElsewhere(root=Path(name)))

    @Slot()
    def _refresh(self) -> None:
        run: RunView = self._runs.run
        waiting = self._starter.busy  # to go on with a run; only Stop calls it off
        other = run.phase.active and self._subject.aspect is Aspect.LOOKING  # than the run that trains
        blocked, possible = self._starter.blocked, {}
        for control in _CONTROLS:
            able = control.name == "stop" if waiting else control.enabled(run)
            possible[control.name] = able and (not other or control.name in _OF_ANY)
        possible["start"] = not blocked
        possible["resume"] = not waiting and self._subject.resumable is not None
        # But not a run beside the set-up that is the subject.
        possible["evaluate"] = self._evaluable and not waiting and self._subject.aspect is not Aspect.SETUP
        for name, able in possible.items():
            self._actions[name].setEnabled(able)
        for name in _OF_ANY:
            whose = f" It is “{self._runs.title}” that trains." if other else ""
            _describe(self._actions[name], _TIPS[name] + whose)
        _describe(self._actions["evaluate"], self._evaluate_tip or _TIPS["evaluate"])
        _describe(self._actions["start"], blocked or _TIPS["start"])
        back_to = "" if run.good_step is None else f" (step {run.good_step:,})"
        self._actions["restore"].setText(_GO_BACK + back_to)
        paused = run.phase is RunPhase.PAUSED
        self._actions["pause"].setText(_PAUSE_TEXTS[paused])
        self._theme.bind_icon(self._actions["pause"], "resume" if paused else "pause")


def _describe(action: QAction, tip: str) -> None:
    keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
    action.setToolTip(tooltip(f"{tip} ({keys})"))
    action.setStatusTip(tip)

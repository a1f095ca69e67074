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
from studio.gui.state.setup import Setup
from studio.gui.state.subject import Aspect, Subject
from studio.gui.state.view_state import RunPhase, RunView
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import tooltip
from studio.training.messages.commands import Pause, Restore, Resume, SampleNow, Save, SaveElsewhere, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class _Control:
    """One control.

    Attributes:
        enabled: for which runs; a start also asks the starter.
    """

    name: str
    title: str
    icon: str
    shortcut: str
    tip: str
    enabled: Callable[[RunView], bool]


_GO_BACK = "Go &back to the last good state"

_CONTROLS = (
    _Control(
        name="start",
        title="&Start",
        icon="start",
        shortcut="F5",
        tip="Train what is set up, from the beginning.",
        enabled=lambda run: not run.phase.active,
    ),
    _Control(
        name="continue",
        title="Go &on",
        icon="start",
        shortcut="Shift+F5",
        tip="Take up the run that is looked at where its last checkpoint left it, in its own folder.",
        enabled=lambda run: False,
    ),
    _Control(
        name="pause",
        title="&Pause",
        icon="pause",
        shortcut="F6",
        tip="Wait where it is, or go on. A pause is no stop: nothing is lost or reset.",
        enabled=lambda run: run.phase in (RunPhase.RUNNING, RunPhase.PAUSED),
    ),
    _Control(
        name="step",
        title="S&tep",
        icon="step",
        shortcut="F7",
        tip="Take one training step, then wait.",
        enabled=lambda run: run.phase in (RunPhase.RUNNING, RunPhase.PAUSED),
    ),
    _Control(
        name="stop",
        title="St&op",
        icon="stop",
        shortcut="F8",
        tip="Finish the step under way, save and end the run. Plots and samples stay.",
        enabled=lambda run: run.phase in (RunPhase.PREPARING, RunPhase.RUNNING, RunPhase.PAUSED),
    ),
    _Control(
        name="sample",
        title="Sample &now",
        icon="sample",
        shortcut="F9",
        tip="Draw a sample grid at once instead of at the next turn.",
        enabled=lambda run: run.phase in (RunPhase.RUNNING, RunPhase.PAUSED),
    ),
    _Control(
        name="evaluate",
        title="&Evaluate",
        icon="evaluate",
        shortcut="Ctrl+E",
        tip="Find out at once whether the tilt arrives: judge samples of this moment. Training waits for it.",
        enabled=lambda run: False,
    ),
    _Control(
        name="save",
        title="Save &weights",
        icon="save",
        shortcut="Ctrl+Shift+S",
        tip="Write the weights of this moment into the run's folder; a stop does so by itself.",
        enabled=lambda run: run.phase in (RunPhase.RUNNING, RunPhase.PAUSED),
    ),
    _Control(
        name="elsewhere",
        title="Save else&where…",
        icon="save",
        shortcut="Ctrl+Alt+S",
        tip="Move the run into another folder and go on, as when its disk is full. All that can be read goes along.",
        enabled=lambda run: run.phase in (RunPhase.RUNNING, RunPhase.PAUSED) and run.folder is not None,
    ),
    _Control(
        name="restore",
        title=_GO_BACK,
        icon="reset",
        shortcut="Ctrl+Shift+B",
        tip="While it is paused: take up weights and optimisers as they were when training last looked well.",
        enabled=lambda run: run.phase is RunPhase.PAUSED and run.good_step is not None,
    ),
)

_TIPS = {control.name: control.tip for control in _CONTROLS}
_OF_ANY = ("pause", "stop")
"""What can be done to the run that trains while another is looked at."""
_PAUSE_TEXTS = ("&Pause", "&Resume")


class RunActions(QObject):
    """Keeps the controls in step with the run."""

    start_requested = Signal()
    continue_requested = Signal()
    evaluate_requested = Signal()

    def __init__(
        self, setup: Setup, runs: RunControl, starter: RunStarter, theme: ThemeManager, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._runs, self._starter = runs, starter
        self._theme = theme
        self._window = parent
        self._subject = Subject()
        self._evaluable, self._evaluate_tip = False, ""
        self._actions = {control.name: self._make(control, parent) for control in _CONTROLS}
        self._actions["start"].triggered.connect(self.start_requested)
        self._actions["continue"].triggered.connect(self.continue_requested)
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
        for control in _CONTROLS:
            able = control.name == "stop" if waiting else control.enabled(run)
            self._actions[control.name].setEnabled(able and (not other or control.name in _OF_ANY))
        for name in _OF_ANY:
            whose = f" It is “{self._runs.title}” that trains." if other else ""
            _describe(self._actions[name], _TIPS[name] + whose)
        self._actions["continue"].setEnabled(not waiting and self._subject.resumable is not None)
        evaluate = self._actions["evaluate"]  # but not a run beside the set-up that is the subject
        evaluate.setEnabled(self._evaluable and not waiting and self._subject.aspect is not Aspect.SETUP)
        _describe(evaluate, self._evaluate_tip or _TIPS["evaluate"])
        blocked = self._starter.blocked
        self._actions["start"].setEnabled(not blocked)
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

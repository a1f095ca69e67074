"""The numbers of the run in the toolbar, and what goes on in the background in the status bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtWidgets import QBoxLayout, QLabel, QProgressBar, QSizePolicy, QStatusBar, QWidget

from studio.gui.run.run_control import RunControl
from studio.gui.state.log import Level, Log, LogLine, threads_words
from studio.gui.state.run_view import RunPhase, RunView
from studio.gui.state.subject import Aspect
from studio.gui.state.task_runner import TaskRunner
from studio.gui.timeline.subject_control import SubjectControl
from studio.gui.timeline.time_cursor import TimeCursor
from studio.gui.widgets.buttons import push_button
from studio.gui.widgets.labels import Elided, plain_label
from studio.gui.widgets.layouts import row_of
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import named, set_help, tooltip
from studio.number_text import format_duration

_SHOWN = 8_000  # milliseconds that a line is news


@dataclass(frozen=True, slots=True)
class _Figure:
    """One number of the run.

    Attributes:
        unit: stands behind the number, or before it where that is how one says it ("epoch 3.1").
        widest: what the number needs room for.
    """

    name: str
    title: str
    unit: str
    widest: str
    tip: str
    unit_first: bool = False


_STEP = "Training steps taken. One step trains each network once on one batch."
_EPOCH = "Passes through the data set. Examples trained on / examples there are."
_LATELY = "over the last two seconds of training."
_FIGURES = (
    _Figure("step", "Step", "step", "0,000,000", _STEP, unit_first=True),
    _Figure("steps_rate", "Steps a second", "steps/s", "0,000.0", f"Training steps a second, {_LATELY}"),
    _Figure("examples_rate", "Examples a second", "ex/s", "000,000", f"Examples trained on a second, {_LATELY}"),
    _Figure("epoch", "Epoch", "epoch", "0,000.0", _EPOCH, unit_first=True),
    _Figure(
        "elapsed", "Elapsed", "elapsed", "00:00:00", "Time spent training, without pauses. Hours : minutes : seconds."
    ),
)


class RunFigures(QWidget):
    """Step, rates, epoch and time of the subject; of fixed width, so that nothing jumps while numbers change."""

    def __init__(
        self, runs: RunControl, subjects: SubjectControl, theme: ThemeManager, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("run_figures")
        self.phase = plain_label(name="run_phase", title="Run", tip="What the run is doing.")
        self.phase.setMinimumWidth(self.phase.fontMetrics().horizontalAdvance("preparing  "))
        air = theme.tokens.spacing
        row = row_of(self.phase, inside=self, margins=(air, 0, air, 0), spacing=air // 2)
        self._labels: dict[str, QLabel] = {}
        for figure in _FIGURES:
            self._labels[figure.name] = self._figure(row, figure)
            row.addSpacing(air)
        row.addStretch(1)
        self._runs, self._subjects = runs, subjects
        runs.run_changed.connect(self._show)
        subjects.subject_changed.connect(self._show)
        self._show()

    @staticmethod
    def _figure(row: QBoxLayout, figure: _Figure) -> QLabel:
        number, unit = plain_label(name=f"run_{figure.name}"), plain_label(figure.unit, role="muted")
        side = Qt.AlignmentFlag.AlignLeft if figure.unit_first else Qt.AlignmentFlag.AlignRight
        number.setAlignment(side | Qt.AlignmentFlag.AlignVCenter)
        number.setMinimumWidth(number.fontMetrics().horizontalAdvance(figure.widest))
        for label in (unit, number) if figure.unit_first else (number, unit):
            set_help(label, figure.title, figure.tip)
            row.addWidget(label)
        return number

    @Slot()
    def _show(self) -> None:
        run, subject = self._runs.run, self._subjects.subject
        if subject.aspect is Aspect.SETUP:
            run = RunView()
        elif not subject.live:  # of a run from disk no more is known
            run = RunView(step=subject.step)
        self.phase.setText(str(run.phase) if subject.live else "elsewhere" if subject.elsewhere else "on disk")
        live = run.phase is not RunPhase.IDLE and run.phase is not RunPhase.PREPARING
        texts = {
            "step": f"{run.step:,}",
            "steps_rate": f"{run.steps_per_second:,.1f}",
            "examples_rate": f"{run.examples_per_second:,.0f}",
            "epoch": f"{run.epoch:,.1f}",
            "elapsed": format_duration(run.seconds),
        }
        for name, label in self._labels.items():
            label.setText(texts[name] if live or (name == "step" and not subject.live) else "–")


class StudioStatusBar(QStatusBar):
    """The last log line while it is news, what goes on in the background with a way to cancel it, pace and device.

    Of several runners the first that is busy is shown.
    """

    def __init__(
        self,
        runs: RunControl,
        time: TimeCursor,
        log: Log,
        runners: Sequence[TaskRunner],
        theme: ThemeManager,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("status")
        self.setContentsMargins(theme.tokens.spacing // 2, 0, theme.tokens.spacing // 2, 0)
        self._line = Elided("last_line")
        self.addWidget(self._line, 1)
        self.fading = QTimer(self, singleShot=True, interval=_SHOWN)
        self.fading.timeout.connect(lambda: self._line.show_text("", ""))
        self._text = plain_label(name="task_text")
        tip = "Progress of the work in the background."
        self._bar = named(QProgressBar(maximum=1000, textVisible=False), "task_bar", "Progress", tip)
        self._bar.setFixedSize(140, 12)
        tip = "Cancel the work in the background; nothing half-done is kept."
        self._cancel = push_button("task_cancel", "Cancel", tip, self._cancel_shown)
        tip = "Where the run computes, and with how many processor threads; fewer while other programs keep them busy."
        self._device = plain_label(name="device", title="Device", tip=tip)
        self.pace = plain_label(
            name="pace", title="Pace", tip=f"Training steps a second, {_LATELY} Time spent training."
        )
        self.pace.setMinimumWidth(self.pace.fontMetrics().horizontalAdvance("0,000.0 steps/s · 00:00 "))
        for widget in (self._text, self._bar, self._cancel, self.pace, self._device):
            self.addPermanentWidget(widget)
        self._text.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        self._runs, self._time, self._runners = runs, time, runners
        for runner in runners:
            runner.changed.connect(self._show_task)
        for changed in (runs.run_changed, time.run_shown):
            changed.connect(self._show_run)
        log.line_logged.connect(self._show_line)
        self._show_task()
        self._show_run()

    @property
    def _shown(self) -> TaskRunner:
        """Whose task is shown: the first that has one."""
        return next((runner for runner in self._runners if runner.view is not None), self._runners[-1])

    @Slot()
    def _cancel_shown(self) -> None:
        self._shown.cancel()

    @Slot()
    def _show_task(self) -> None:
        task = self._shown.view
        for widget in (self._text, self._bar):
            widget.setVisible(task is not None)
        self._cancel.setVisible(task is not None and task.cancellable)
        if task is None:
            return
        widest = self.width() // 3
        self._text.setText(self._text.fontMetrics().elidedText(task.text, Qt.TextElideMode.ElideMiddle, widest))
        self._text.setToolTip(tooltip(task.text))
        self._bar.setMaximum(0 if task.fraction is None else 1000)
        if task.fraction is not None:
            self._bar.setValue(round(1000 * task.fraction))

    @Slot()
    def _show_run(self) -> None:
        """Of the run that trains, where that is the one on the screen."""
        run = self._runs.run if self._time.old is None else RunView()
        computes = run.phase.active and bool(run.device)
        self._device.setText(f"{run.device}, {threads_words(run.threads)}" if computes else "")
        self._device.setVisible(computes)
        self.pace.setText(
            f"{run.steps_per_second:,.1f} steps/s · {format_duration(run.seconds)}" if run.phase.active else ""
        )

    @Slot(object)
    def _show_line(self, line: LogLine) -> None:
        if line.level is Level.INFO:
            self._line.show_text(line.text, "")
            self.fading.start()
        else:  # stays until the next one
            self._line.show_text(line.text, str(line.level))
            self.fading.stop()

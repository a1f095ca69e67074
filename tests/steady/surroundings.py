"""What stands around the answer, against the run's own files: names and captions of what is saved, the curve of the
share error, marks, tips, the status bar, the queue, and comparisons that are open.

As all that a witness asks, it is true at any moment.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from html import unescape
from pathlib import Path
from unittest.mock import patch

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QLabel, QTableWidget, QToolButton

from studio.evaluation.record import curve_values
from studio.gui.evaluation.curves import SHARE_ERROR
from studio.gui.library.compare_window import CompareWindow
from studio.gui.live.samples.panel import SamplesPanel
from studio.gui.plots.curves import CurvesPanel
from studio.gui.plots.plot import Plot
from studio.gui.queue.panel import QueuePanel
from studio.gui.state.run_view import RunPhase
from studio.gui.state.subject import Aspect
from studio.gui.target.offsets.columns import Column
from studio.gui.target.offsets.panel import OffsetsPanel
from studio.gui.widgets.live_panel import LivePanel
from studio.gui.window.main_window import MainWindow
from studio.library.run_summary import summary_of
from studio.number_text import compact, percent
from studio.training.config.run_config import PerturbationConfig
from studio.training.config.run_title import tilt_words
from studio.training.messages.events import Evaluated
from studio.training.messages.marks import Mark, MarkKind
from studio.training.storage.frames import Frame, FrameStore
from studio.training.storage.metrics import read_metrics
from studio.training.storage.run_folder import safe_name
from studio.training.storage.run_identity import noted_of_step, noted_targets, read_summary
from tests.gui.hands import find, panel_of

SETTLED = (RunPhase.IDLE, RunPhase.FINISHED, RunPhase.FAILED)
"""What the window has heard of such a run is all that there is in its folder."""


class Surroundings:
    """Looks at them.

    Args:
        newest: the evaluation of a run, by its folder, that was told or kept last, at or before a step.
    """

    def __init__(self, window: MainWindow, newest: Callable[[Path | None, int], Evaluated | None]) -> None:
        self.window, self.bench, self._newest = window, window.controls, newest

    def look(self) -> list[str]:
        """What is wrong now, in a sentence each."""
        return [
            *self._captions(),
            *self._samples(),
            *self._curve(),
            *self._marks(),
            *self._tips(),
            *self._names(),
            *self._status(),
            *self._queue(),
            *self._compared(),
        ]

    # -- what is saved

    def _captions(self) -> list[str]:
        """Below a picture of a plot stand the run, the step and the target of what it shows."""
        found, view, since = [], self.bench.time.view, self.bench.data.targets._since
        for panel in self._panels():
            if not panel.findChildren(Plot):
                continue
            of_run = bool(view.title) and (panel.OF_RUN or self.bench.subjects.subject.aspect is not Aspect.SETUP)
            whose, said = f"{view.title} · step {view.step:,}" if of_run else "Set-up", panel.caption()
            target = self._target_at(view.step, own=panel.OF_RUN) if of_run else self.bench.setup.config.perturbation
            if not said.startswith(whose):
                found.append(f"A picture of {panel.objectName()} is called {said}, not {whose}")
            elif target is not None and said != whose and said not in _told(whose, target, self._counts()):
                found.append(f"A picture of {panel.objectName()} is called {said}, of {target}, of {since}")
        return found

    def _target_at(self, step: int, *, own: bool) -> PerturbationConfig | None:
        """What the run that is shown was trained towards at a step, as it kept it; None where that is not known."""
        time, folder = self.bench.time, self.bench.time.folder
        settled = time.old is not None or self.bench.runs.run.phase in SETTLED
        if folder is None or not settled or not (own or time.old is not None) or step == 0:
            return None  # nothing was learned at step 0, where an edit may be the first target that was kept
        return _kept_target(folder, step, stamp(folder / "summary.json"))

    def _counts(self) -> dict[str, int]:
        data = self.bench.data.view
        return {} if data is None else dict(zip(data.class_names, data.counts.tolist(), strict=True))

    def _samples(self) -> list[str]:
        """The grid is of the run and of no later step than is shown, and is saved under the name of both."""
        panel, time = self._panel("samples"), self.bench.time
        if not isinstance(panel, SamplesPanel) or panel._grid is None or not panel.shown:
            return []
        grid, asked, found = panel._grid, list[str](), []
        with patch.object(panel.saver, "ask", lambda title, name, picture: asked.append(name)):
            panel.save()
        if asked != [f"{safe_name(time.view.title)}-samples-step-{grid.step}"]:
            found.append(f"Samples of step {grid.step} of {time.view.title} are saved as {asked}")
        if grid.step > time.view.step and not time._reading.busy and not time.view.following:
            found.append(f"Samples of step {grid.step} stand beside step {time.view.step}")
        settled = time.old is not None or self.bench.runs.run.phase in SETTLED
        kept = _frame(time.folder, grid.step, stamp(time.folder / "frames.sqlite")) if time.folder and settled else None
        same = kept is not None and (kept.step, kept.grid.latents) == (grid.step, grid.latents)  # not rolled anew since
        if kept is not None and same and not np.array_equal(kept.grid.raw, grid.raw):
            found.append(f"Other samples are shown at step {grid.step} than {time.folder} has kept")
        return found

    # -- what is drawn

    def _curve(self) -> list[str]:
        """The share error ends at the run's last evaluation, its head is that of the cursor, and edits are marked."""
        panel, time, found = self._panel(SHARE_ERROR.name), self.bench.time, []
        history = self.bench.evaluations.history.history
        last = None if time.left else self._newest(time.folder, 2**62)
        if last is not None and (time.old is not None or self.bench.runs.run.folder is not None):
            wanted = curve_values(last.evaluation)
            drawn = {name: float(history.column(name)[-1]) for name in wanted} if len(history) else {}
            same = drawn and np.allclose([*drawn.values()], [*wanted.values()], equal_nan=True)
            if not same or history.steps[-1] != last.step:
                found.append(f"Share error ends in {drawn}, and step {last.step} of {time.folder} has {wanted}")
        if time.left and len(history):
            found.append("Share error is that of a run that was left")
        if not isinstance(panel, CurvesPanel):
            return found
        marks = {mark.step for mark in time.view.marks if mark.kind is MarkKind.EDIT}
        drawn_at = {*panel.plots["tv"].marks.places.tolist()}
        if marks - drawn_at:
            found.append(f"Share error does not mark the edits at {sorted(marks - drawn_at)}")
        at = None if time.left else self._newest(time.folder, time.view.step)
        if panel.figures and at is not None and not at.evaluation.judge:
            value = compact(at.evaluation.tv, 2)
            if f"TV\u00a0{value}<" not in panel.figures:
                found.append(f"The head of the share error says {panel.figures}, and step {at.step} has {value}")
        return found

    def _marks(self) -> list[str]:
        """Those of the time bar are those of the run, none is beyond its end, and the handle is at the cursor."""
        time, slider, found = self.bench.time, self.window.time_bar.slider, []
        view = time.view
        if slider.marks != view.marks:
            found.append(f"The time bar marks {slider.marks}, not {view.marks}")
        active = time.old is None and self.bench.runs.run.phase.active  # has told of an edit before it told of the step
        beyond = [mark for mark in view.marks if mark.step > view.last]
        if beyond and not active:
            found.append(f"{beyond} are marked of a run that ends at step {view.last}")
        if not slider.isSliderDown() and slider.value() != view.step:
            found.append(f"The time bar stands at {slider.value()} beside step {view.step}")
        settled = time.old is not None or self.bench.runs.run.phase is RunPhase.FINISHED
        if settled and time.folder is not None:
            kept = _kept_marks(time.folder, stamp(time.folder / "metrics.sqlite"))
            if kept is not None and kept != view.marks:
                found.append(f"{view.marks} are marked of {time.folder}, which has kept {kept}")
        return found

    # -- what is said

    def _tips(self) -> list[str]:
        """Numbers in tips are those that stand beside them, and names those of the run that a button acts on."""
        tilt, found = self.bench.target.tilt, []
        model = panel_of(self.window, OffsetsPanel.NAME)._model
        if tilt is not None and tilt.generated is not None and model.view is tilt:
            shown = tilt.generated
            for row, place in enumerate(model.classes):
                text = model.index(row, Column.GENERATED).data()
                if text.startswith("(") is not (shown.stale and place not in shown.untold):
                    found.append(f"The table says {text} of shares that are “{shown.note}”")
                tip = unescape(model.index(row, Column.GENERATED).data(Qt.ItemDataRole.ToolTipRole))
                share, step = percent(float(shown.shares[place])), f"step {shown.step:,}"
                if place not in shown.untold and not (share in tip and step in tip):
                    found.append(f"A tip says {tip} of {share} at {step}")
        subject, runs = self.bench.subjects.subject, self.bench.runs
        if subject.state.rstrip(", ") not in self.window.banner.toolTip():
            found.append(f"The banner's tip is {self.window.banner.toolTip()} of {subject.state}")
        if runs.run.phase.active and subject.aspect is Aspect.LOOKING:
            tip = find(self.window, QAction, "run_stop").toolTip()
            if runs.title not in tip:
                found.append(f"Stop says {tip}, and “{runs.title}” trains")
        shares = self.window.findChild(QToolButton, "shares_evaluate")
        said = find(self.window, QAction, "run_evaluate").statusTip()
        tip = self.bench.evaluations.shown.tip
        if shares is not None and tip not in ("", said) and not self.bench.time._reading.busy:
            found.append(f"Evaluate says {said}, not {self.bench.evaluations.shown.tip}")
        return found

    def _names(self) -> list[str]:
        """A run has one name, wherever it stands."""
        time, once, found = self.bench.time, self.bench.once, []
        source = once._source
        if once.view.on and source is not None and (source.folder / "config.json").exists():
            name = time.view.title if source.folder == time.folder else summary_of(source.folder).name
            if once.view.title != name:
                found.append(f"At once asks “{once.view.title}”, which is called “{name}”")
        others = [run for run in self.bench.overlays.runs if run.folder.exists()]
        called = {run.title: summary_of(run.folder).name for run in others}
        found += [f"Curves of “{title}” lie over others, of {name}" for title, name in called.items() if title != name]
        following = self.bench.means.following
        if following is not None and following.owner.title != time.view.title:
            found.append(f"Theory follows “{following.owner.title}” beside “{time.view.title}”")
        return found

    def _status(self) -> list[str]:
        """Device and task are those of now."""
        run, found = self.bench.runs.run, []
        device = find(self.window, QLabel, "device")
        computes = run.phase.active and bool(run.device)
        if device.isHidden() is computes or (computes and not device.text().startswith(run.device)):
            found.append(f"The status bar says {device.text()} of {run}")
        runners = (self.bench.tasks, self.bench.looking, self.bench.once.tasks)
        views = [runner.view for runner in runners if runner.view is not None]
        text = find(self.window, QLabel, "task_text")
        if text.isHidden() is bool(views):
            found.append(f"The status bar says “{text.text()}” while {views} are under way")
        return found

    def _queue(self) -> list[str]:
        """A line for each job, with its own status and folder; nothing waits that is called off."""
        panel = self._panel("queue")
        if not isinstance(panel, QueuePanel) or not panel.queue.jobs:
            return []
        table, found = find(panel, QTableWidget, "queue_table"), []
        lines = [[table.item(row, column).text() for column in range(3)] for row in range(table.rowCount())]
        if [(line[0], line[2]) for line in lines] != [(job.title, job.status.value) for job in panel.queue.jobs]:
            found.append(f"The queue shows {lines} of {panel.queue.jobs}")
        for row, job in enumerate(panel.queue.jobs if not found else ()):
            if str(job.folder) not in table.item(row, 0).toolTip():
                found.append(f"The queue's tip is {table.item(row, 0).toolTip()} of {job.folder}")
        return found

    def _compared(self) -> list[str]:
        """Shares in a comparison are of an evaluation that their run has kept."""
        found = []
        for window in QApplication.topLevelWidgets():
            if not isinstance(window, CompareWindow) or not window.isVisible():
                continue
            known = [(run, run.evaluation) for run in window.runs if run.evaluation is not None]
            for (run, evaluation), bars in zip(known, window.bars, strict=True):
                drawn, wanted = bars.bars, evaluation.shares.corrected
                if drawn is None or not np.array_equal(drawn.generated, wanted):
                    found.append(f"Compare shows {drawn} of {wanted}")
                if run.name not in bars.accessibleName():
                    found.append(f"Compare calls {run.name} {bars.accessibleName()}")
        return found

    # -- where

    def _panels(self) -> list[LivePanel]:
        made = [dock.widget() for dock in self.window.docks.values() if dock.made]
        return [panel for panel in made if isinstance(panel, LivePanel) and seen(panel)]

    def _panel(self, name: str) -> LivePanel | None:
        return next((panel for panel in self._panels() if panel.objectName() == name), None)


def seen(panel: LivePanel) -> bool:
    """Whether it shows something; what cannot be seen is drawn when it can."""
    return panel.on_screen() and not panel._stale and not panel.empty_text


def _told(whose: str, target: PerturbationConfig, counts: dict[str, int]) -> list[str]:
    """How a caption may say it: by shares of the data, or by offsets where these are not known."""
    return [f"{whose} · target {tilt_words(target, each) or 'without a tilt'}" for each in (counts, None)]


def stamp(file: Path) -> float:
    """Of what is kept there by now."""
    files = (file, file.with_name(f"{file.name}-wal"))
    return max((each.stat().st_mtime for each in files if each.exists()), default=0.0)


@lru_cache(maxsize=64)
def _kept_target(folder: Path, step: int, at: float) -> PerturbationConfig | None:
    if not at:
        return None
    summary = read_summary(folder)
    noted = noted_of_step(summary.get("began_with"), summary.get("edits", ()), step)
    return noted_targets(summary)[int(noted["revision"])] if noted is not None else None


@lru_cache(maxsize=16)
def _frame(folder: Path, step: int, at: float) -> Frame | None:
    return FrameStore(folder).at(step) if at else None


@lru_cache(maxsize=64)
def _kept_marks(folder: Path, at: float) -> tuple[Mark, ...] | None:
    return read_metrics(folder).marks if at else None

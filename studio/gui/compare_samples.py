"""Sample grids of several runs side by side, all of the same step or the newest before it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from studio.errors import UserError
from studio.gui.explain import explain
from studio.gui.image_view import ImageView
from studio.gui.mosaic import mosaic
from studio.gui.numbers import whole
from studio.gui.task_runner import TaskRunner
from studio.library.compare import ComparedRun
from studio.training.frames import Frame, FrameStore

_MOST = 2**31 - 1


class CompareSamples(QWidget):
    """A picture per run, by the averaged weights, and a slider over the steps.

    Args:
        tasks: reads them beside the window.
    """

    def __init__(self, tasks: TaskRunner) -> None:
        super().__init__()
        self._tasks = tasks
        self._runs: Sequence[ComparedRun] = ()
        self._reading = self._wanted = False
        self.views: list[ImageView] = []
        self._captions: list[QLabel] = []
        self._grid = QGridLayout()
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setObjectName("compare_step")
        explain(
            self.slider,
            "Step of the samples",
            "Shows each run's samples at this step or the newest before it. Runs of one seed and latent size use the "
            "same latents.",
        )
        self.slider.valueChanged.connect(self._read)
        self._step = QLabel()
        row = QHBoxLayout()
        for widget in (QLabel("Step"), self.slider, self._step):
            row.addWidget(widget)
        column = QVBoxLayout(self)
        column.addLayout(row)
        column.addLayout(self._grid, 1)

    def show_runs(self, runs: Sequence[ComparedRun]) -> None:
        """Show these, from their ends."""
        self._runs = runs
        across = math.ceil(math.sqrt(len(runs)))
        for place, run in enumerate(runs):
            caption = QLabel(run.entry.name)
            caption.setTextFormat(Qt.TextFormat.PlainText)
            view = ImageView(f"Samples of {run.entry.name}")
            side = QVBoxLayout()
            side.addWidget(caption)
            side.addWidget(view, 1)
            self._grid.addLayout(side, place // across, place % across)
            self.views.append(view)
            self._captions.append(caption)
        last = min(max(run.entry.steps for run in runs), _MOST)
        self._step.setMinimumWidth(self._step.fontMetrics().horizontalAdvance(whole(last)) + 4)
        self.slider.setRange(0, last)
        self.slider.setPageStep(max(1, last // 20))
        self.slider.setSingleStep(max(1, last // 200))
        self.slider.setValue(last)
        self._read()

    @Slot()
    def _read(self) -> None:
        step = self.slider.value()
        self._step.setText(whole(step))
        self._wanted = self._reading
        if self._reading:
            return
        self._reading = True
        folders = [run.folder for run in self._runs]
        self._tasks.run(
            lambda _: [FrameStore(folder).at(step) for folder in folders],
            done=self._show,
            failed=self._on_failed,
            cancelled=self._give_up,
        )

    def _show(self, frames: list[Frame | None]) -> None:
        for run, frame, view, caption in zip(self._runs, frames, self.views, self._captions, strict=True):
            view.set_picture(None if frame is None else mosaic(frame.grid.averaged))
            said = "no samples" if frame is None else f"step {whole(frame.step)}"
            caption.setText(f"{run.entry.name}: {said}")
        self._settle()

    def _on_failed(self, error: UserError) -> None:
        self._step.setToolTip(str(error))
        self._settle()

    def _give_up(self) -> None:
        self._reading = self._wanted = False

    def _settle(self) -> None:
        self._reading = False
        if self._wanted:
            self._read()

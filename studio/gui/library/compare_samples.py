"""Sample grids of several runs side by side, all of the same step or the newest before it, and of the same latents:
where the kept ones are not, they can be drawn anew by the newest weights.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QGridLayout, QLabel, QSlider, QWidget

from studio.errors import UserError
from studio.gui.setup.loading import LoadingBar
from studio.gui.state.task_runner import NewestTask, TaskRunner
from studio.gui.widgets.buttons import push_button
from studio.gui.widgets.image_view import ImageView
from studio.gui.widgets.labels import plain_label, wrapped_label
from studio.gui.widgets.layouts import column_of, row_of
from studio.gui.widgets.pictures import mosaic
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import named
from studio.library.compare import ComparedRun
from studio.models.catalog import model_spec
from studio.number_text import whole
from studio.progress import Progress
from studio.training.messages.latents import Latents
from studio.training.messages.snapshot import SampleGrid
from studio.training.storage.frames import Frame, FrameStore

if TYPE_CHECKING:
    from studio.training.analysis.redraw import MatchedSamples

_MOST = 2**31 - 1
_SLIDER = (
    "Shows each run's samples at this step or the newest before it. Below stands whether they are of the same latents."
)


class CompareSamples(QWidget):
    """A picture per run, by the averaged weights, and a slider over the steps."""

    def __init__(self, tasks: TaskRunner, theme: ThemeManager) -> None:
        super().__init__()
        self._tasks = tasks
        self._runs: Sequence[ComparedRun] = ()
        self._reading = NewestTask(tasks)
        self._grids: list[SampleGrid | None] = []
        self.views: list[ImageView] = []
        self._captions: list[QLabel] = []
        self._grid = QGridLayout()
        self.slider = named(QSlider(Qt.Orientation.Horizontal), "compare_step", "Step of the samples", _SLIDER)
        self.slider.valueChanged.connect(self._read)
        self._step = QLabel()
        self.note = wrapped_label("compare_latents", "small")
        tip = "Draws new samples of every run by its newest weights, all of the first run's latents. z ~ N(0, 1)."
        self.redraw = push_button("compare_redraw", "&Draw from the same latents", tip, self._draw_anew)
        self.progress = LoadingBar(theme)
        self.progress.cancel.clicked.connect(tasks.cancel)
        self.progress.hide()
        tasks.changed.connect(self.progress.show_task)
        below = row_of((self.note, 1), self.redraw)
        row = row_of(QLabel("Step"), self.slider, self._step)
        column_of(row, (self._grid, 1), below, self.progress, inside=self, margins=None)

    def show_runs(self, runs: Sequence[ComparedRun]) -> None:
        self._runs = runs
        across = math.ceil(math.sqrt(len(runs)))
        for place, run in enumerate(runs):
            caption = plain_label(run.name)
            view = ImageView(f"Samples of {run.name}")
            self._grid.addLayout(column_of(caption, (view, 1)), place // across, place % across)
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
        folders = [run.folder for run in self._runs]
        self._reading.run(
            lambda _: [FrameStore(folder).at(step) for folder in folders],
            done=self._show,
            failed=self._on_unread,
        )

    def _on_unread(self, error: UserError) -> None:
        """No samples of another step stay beside this one."""
        self._show_grids([None] * len(self._runs))
        self._say(LatentMatch(text=str(error)))

    def _show(self, frames: list[Frame | None]) -> None:
        self._show_grids([frame.grid if frame is not None else None for frame in frames])
        self._say(kinship(self._runs, self._grids))

    def _show_grids(self, grids: Sequence[SampleGrid | None], how: str = "") -> None:
        self._grids = list(grids)
        for run, grid, view, caption in zip(self._runs, grids, self.views, self._captions, strict=True):
            view.set_picture(None if grid is None else mosaic(grid.averaged))
            missing = "no samples" if run.folder.is_dir() else "its folder is not there any more"
            said = missing if grid is None else f"step {whole(grid.step)}{how}"
            caption.setText(f"{run.name}: {said}")

    def _say(self, found: LatentMatch) -> None:
        self.note.setText(found.text)
        self.redraw.setVisible(found.redraw)

    @Slot()
    def _draw_anew(self) -> None:
        latents, count = common_latents(self._runs, self._grids)
        folders = [run.folder for run in self._runs]

        def work(progress: Progress) -> MatchedSamples:
            from studio.training.analysis.redraw import redraw_alike

            return redraw_alike(folders, latents, count, progress)

        self.redraw.setEnabled(False)
        give_up = lambda: self.redraw.setEnabled(True)  # noqa: E731 - it is handed on
        self._tasks.run(work, done=self._on_redrawn, failed=self._on_not_redrawn, cancelled=give_up)

    def _on_redrawn(self, found: MatchedSamples) -> None:
        self.redraw.setEnabled(True)
        self._show_grids(found.grids, ", drawn anew")
        others = ", ".join(self._runs[place].name for place in found.others)
        differ = f" The latents of {others} have another shape, so that theirs are others." if others else ""
        self._say(LatentMatch(text=f"Drawn by the newest weights, of the same latents.{differ}"))

    def _on_not_redrawn(self, error: UserError) -> None:
        self.redraw.setEnabled(True)
        self.note.setText(str(error))


@dataclass(frozen=True, slots=True, kw_only=True)
class LatentMatch:
    """How the samples of a step belong together.

    Attributes:
        text: in a sentence or two; empty where there is nothing to compare.
        redraw: whether drawing them anew, all of the same latents, would help.
    """

    text: str = ""
    redraw: bool = False


def kinship(runs: Sequence[ComparedRun], grids: Sequence[SampleGrid | None]) -> LatentMatch:
    """Whether the runs' kept grids are of the same latents; None where a run has none."""
    shown = [(run, grid) for run, grid in zip(runs, grids, strict=True) if grid is not None]
    if len(shown) < 2:
        return LatentMatch()
    without = [run for run, _ in shown if model_spec(run.config.model.kind).without_latents]
    if without:
        return LatentMatch(text=model_spec(without[0].config.model.kind).without_latents)
    several = all(len(grid.raw) > 1 for _, grid in shown)  # points share one picture, and are not drawn anew
    if any(grid.latents is None for _, grid in shown):
        return LatentMatch(text="It was not kept which latents are behind some of these samples.", redraw=several)
    sizes = {run.config.model.latent_numbers(grid.raw[0].size) for run, grid in shown}
    if len(sizes) > 1 or _differ([grid for _, grid in shown]):
        return LatentMatch(text="These samples are of different latents.", redraw=several)
    return LatentMatch(text="All samples are of the same latents: those at one place began as the same random numbers.")


def common_latents(runs: Sequence[ComparedRun], grids: Sequence[SampleGrid | None]) -> tuple[Latents, int]:
    """Latents to draw all runs from, those of the first that has some, and how many samples."""
    known = [grid.latents for grid in grids if grid is not None and grid.latents is not None]
    counts = [len(grid.raw) for grid in grids if grid is not None]
    return known[0] if known else Latents.of(runs[0].config), min(counts, default=runs[0].config.cadence.samples)


def _differ(grids: Sequence[SampleGrid]) -> bool:
    count = min(len(grid.raw) for grid in grids)
    first, *others = [grid.latents.points(count) for grid in grids if grid.latents is not None]
    return any(points != first for points in others)

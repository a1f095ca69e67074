"""How batches fill up: n, B, B_avg and ESS, and below them the carried err and the skipped steps, against step."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from studio.gui.plots.history_plot import Curve, HistoryPlot
from studio.gui.plots.legend import Chip, Legend, is_cramped
from studio.gui.state.history import HistoryView
from studio.gui.timeline.time_cursor import TimeCursor
from studio.gui.widgets.number_format import compact
from studio.gui.widgets.panel import LivePanel
from studio.gui.widgets.theme import ThemeManager

_EMPTY = (
    "How large batches are: examples n, adjusted size B and effective size ESS against step.\nPress Start to train."
)
_SIZES = (
    Curve(name="batch_size", title="n", colour=0, tip="Examples in the batch. The number of planned indices."),
    Curve(
        name="adjusted_size", title="B", colour=1, tip="Adjusted size of the batch, which the planner holds. B = Σ w."
    ),
    Curve(
        name="average_size",
        title="B_avg",
        colour=4,
        tip="Adjusted size that batches have on average, as set up, skipped steps included: those that are trained "
        "then average more. The constant that losses are divided by.",
    ),
    Curve(
        name="ess",
        title="ESS",
        colour=2,
        tip="How many equally weighted examples the batch is worth, by Kish. ESS = (Σw)²/Σw².",
    ),
)
_CARRY = (
    Curve(
        name="err",
        title="err",
        colour=3,
        tip="Weight carried over to the next batch because the next example did not fit. Σ over steps of B_avg − B.",
    ),
    Curve(
        name="skipped",
        title="skipped",
        colour=7,
        tip="Steps passed over as the next example weighs more than what was saved up; the steps that are trained then "
        "average B_avg·(trained + skipped)/trained, more than B_avg. Count of steps with w > err.",
    ),
)
_SMOOTHED = 20  # points in the moving average of the noisy sizes; the raw curve stays faintly behind
_BOTH_FROM = 340  # pixels of height from which there is room for two plots


class BatchPanel(LivePanel):
    """Batch sizes."""

    NAME = "batch"
    TITLE = "Batch"

    def __init__(self, time: TimeCursor, theme: ThemeManager, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._history: HistoryView | None = None
        self.legend = Legend(theme)
        self.sizes = HistoryPlot(theme, "Batch sizes against step", "examples")
        self.sizes.setAccessibleDescription(
            "Examples n, adjusted size B, its average and Kish's ESS of logged batches."
        )
        self.carry = HistoryPlot(theme, "Carried weight and skipped steps against step", "weight; steps")
        self.carry.setAccessibleDescription("Weight carried from batch to batch, and steps skipped.")
        self._plot_of = {curve.name: self.sizes for curve in _SIZES} | {curve.name: self.carry for curve in _CARRY}
        self.sizes.set_curves(_SIZES)
        self.carry.set_curves(_CARRY)
        self.sizes.window = _SMOOTHED
        for curve in (*_SIZES, *_CARRY):
            self.legend.add(Chip(curve.name, curve.title, curve.tip, width=6), curve.colour)
        self.legend.toggled.connect(self._on_toggled)
        self.body.addWidget(self.legend)
        self.body.addWidget(self.sizes, 3)
        self.body.addWidget(self.carry, 2)
        for plot, other in ((self.sizes, self.carry), (self.carry, self.sizes)):
            plot.moved.connect(partial(self._hold, plot, other))
            plot.reset_asked.connect(self.follow)
        self.show_empty(_EMPTY)
        time.history_shown.connect(self.take_history)
        time.run_shown.connect(self.reset)
        self.take_history(time.history)

    @Slot(object)
    def take_history(self, view: HistoryView) -> None:
        """New points or marks."""
        self._history = view
        self.request_draw()

    @Slot()
    def reset(self) -> None:
        """A new run."""
        self._history = None
        self.follow()
        self.show_empty(_EMPTY)

    def draw(self) -> None:
        """Bring curves and values up to date."""
        view = self._history
        if view is None or not len(view.history):
            return
        self.show_body()
        for name, chip in self.legend.chips.items():
            chip.set_value(compact(view.current(name), 3))
        for plot in (self.sizes, self.carry):
            if not plot.isHidden():
                plot.show_history(view)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A low panel has room for one plot."""
        super().resizeEvent(event)
        both = self.height() >= _BOTH_FROM
        self.legend.set_compact(is_cramped(self))
        self.carry.setVisible(both)
        self.sizes.set_label("bottom", "" if both else "step")
        self.request_draw()

    @Slot(str, bool)
    def _on_toggled(self, name: str, shown: bool) -> None:
        self._plot_of[name].set_shown(name, shown)

    def _hold(self, moved: HistoryPlot, other: HistoryPlot) -> None:
        """The person looks at some steps: both plots show these, and stay there."""
        moved.following = other.following = False
        other.view.setXRange(*moved.view.viewRange()[0], padding=0)

    @Slot()
    def follow(self) -> None:
        """Show everything and keep up with the run."""
        for plot in (self.sizes, self.carry):
            plot.following = True
            plot.forget_range()
        self.request_draw()

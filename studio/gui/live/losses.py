"""Losses and metrics against step: per term, logarithmic, smoothed, following or held."""

from __future__ import annotations

from collections.abc import Container

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QWidget

from studio.gui.plots.history_plot import Curve, HistoryPlot
from studio.gui.plots.legend import Chip, Legend, is_cramped
from studio.gui.state.history import History, HistoryView
from studio.gui.timeline.time_cursor import TimeCursor
from studio.gui.widgets.buttons import toggle_button
from studio.gui.widgets.choice_box import ChoiceBox
from studio.gui.widgets.flow_layout import FlowLayout
from studio.gui.widgets.number_format import compact, whole
from studio.gui.widgets.panel import LivePanel
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import set_help
from studio.models.catalog import MODELS, model_spec

_EMPTY = (
    "The model's losses and metrics, a curve for each.\nPress Start to train; the first points come within seconds."
)
_WINDOWS = (1, 2, 3, 5, 8, 12, 20, 30, 50, 80, 120, 200, 300, 500, 1000)
_DEFAULT_WINDOW = 6
_VIEWS: tuple[tuple[str, int | None], ...] = (
    ("All steps", None),
    ("Last 1,000", 1_000),
    ("Last 10,000", 10_000),
    ("Last 100,000", 100_000),
)
_HOLD = "Hold"


class LossesPanel(LivePanel):
    """Loss curves."""

    NAME = "losses"
    TITLE = "Losses"

    def __init__(self, time: TimeCursor, theme: ThemeManager, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._time = time
        self._history: HistoryView | None = None
        self.plot = HistoryPlot(theme, "Losses against step", "value")
        self.plot.setAccessibleDescription("Losses and metrics of the run against step; one curve for each.")
        self.legend = Legend(theme)
        self.legend.toggled.connect(self._on_toggled)
        self._left_out = QLabel(wordWrap=True)
        self._left_out.setTextFormat(Qt.TextFormat.PlainText)
        self._left_out.setProperty("role", "small")
        self._left_out.hide()
        self.body.addWidget(self._controls())
        self.body.addWidget(self.plot, 1)
        self.body.addWidget(self._left_out)
        self.body.addWidget(self.legend)
        self.plot.moved.connect(self._on_moved)
        self.plot.reset_asked.connect(self._show_all)
        self.show_empty(_EMPTY)
        time.history_shown.connect(self.take_history)
        time.run_shown.connect(self.reset)
        self.take_history(time.history)

    def _controls(self) -> QWidget:
        bar = QWidget()
        row = FlowLayout(bar, spacing=self.theme.tokens.spacing)
        self.view_box = ChoiceBox()
        self.view_box.setObjectName("losses_view")
        for title, span in _VIEWS:
            self.view_box.addItem(title, span)
        self.view_box.addItem(_HOLD)
        set_help(
            self.view_box,
            "Steps shown",
            "Which steps the plot shows: it follows the run, or holds what you zoomed to. Home shows all again.",
        )
        self.view_box.currentIndexChanged.connect(self._on_view)
        tip = "Show values on a logarithmic scale; those ≤ 0 are left out."
        self.log_button = toggle_button("losses_log", "Log scale", tip)
        self.log_button.toggled.connect(self._on_log)
        row.addWidget(self.view_box)
        row.addWidget(self.log_button)
        self._smoothing_group = self._smoothing()
        row.addWidget(self._smoothing_group)
        return bar

    def _smoothing(self) -> QWidget:
        group = QWidget()
        row = QHBoxLayout(group)
        row.setContentsMargins(0, 0, 0, 0)
        self.smoothing = QSlider(Qt.Orientation.Horizontal)
        self.smoothing.setObjectName("losses_smoothing")
        self.smoothing.setRange(0, len(_WINDOWS) - 1)
        self.smoothing.setPageStep(2)
        self.smoothing.setFixedWidth(80)
        tip = "Points averaged; the raw curve stays faintly behind. Mean of the last m logged values."
        set_help(self.smoothing, "Smoothing, in points", tip)
        self.plot.window = _WINDOWS[_DEFAULT_WINDOW]
        self.smoothing.setValue(_DEFAULT_WINDOW)
        self._window = QLabel()
        self._window.setFixedWidth(self._window.fontMetrics().horizontalAdvance("1,000 pts") + 4)
        set_help(self._window, "Points averaged", tip)
        self.smoothing.valueChanged.connect(self._on_smoothing)
        row.addWidget(QLabel("Smooth"))
        row.addWidget(self.smoothing)
        row.addWidget(self._window)
        self._show_window()
        return group

    @Slot(object)
    def take_history(self, view: HistoryView) -> None:
        """New points or marks."""
        self._history = view
        self.request_draw()

    @Slot()
    def reset(self) -> None:
        """A new run: other curves, and follow again."""
        self._history = None
        self.view_box.setCurrentIndex(0)
        self.show_empty(_EMPTY)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A low panel has no room for the newest values and the smoothing."""
        super().resizeEvent(event)
        self.legend.set_compact(is_cramped(self))
        self._smoothing_group.setVisible(not is_cramped(self))

    def draw(self) -> None:
        """Bring curves and values up to date."""
        view = self._history
        if view is None or not len(view.history):
            return
        curves = self._curves(view.history)
        if [curve.name for curve in curves] != [curve.name for curve in self.plot.curves]:
            self._set_curves(curves)
        self.show_body()
        for name, chip in self.legend.chips.items():
            chip.set_value(compact(view.current(name), 3))
        self.plot.show_history(view)
        # Kept open while the scale is logarithmic, so that the plot does not jump when a value changes its sign.
        left_out = ", ".join(self.plot.left_out)
        self._left_out.setVisible(self.plot.logarithmic)
        self._left_out.setText(f"A logarithmic scale cannot show values ≤ 0: {left_out}." if left_out else " ")

    def _curves(self, history: History) -> list[Curve]:
        """A curve for each column that is a metric of the model or a loss."""
        # The run may be of another model than the one set up by now; without a run, any model's metrics will do.
        running = self._time.config
        specs = MODELS if running is None else (model_spec(running.model.kind),)
        metrics = {name: metric for spec in specs for name, metric in spec.metrics.items()}
        references = {name: found for spec in specs for name, found in spec.references.items()}
        names = [name for name in history.names if name in metrics or _is_own_loss(name, metrics)]
        order = [*metrics, *(name for name in names if name not in metrics)]
        curves = []
        for colour, name in enumerate(sorted(names, key=order.index)):
            plain = name.removeprefix("loss_").replace("_", " ")
            title, tip = metrics.get(
                name, (f"{plain[:1].upper()}{plain[1:]} loss", f"What the {plain} step makes small.")
            )
            found = tuple(references.get(name, ()))
            curves.append(Curve(name=name, title=title, tip=tip, colour=colour, references=found))
        return curves

    def _set_curves(self, curves: list[Curve]) -> None:
        hidden = {name for name, chip in self.legend.chips.items() if not chip.isChecked()}
        self.plot.set_curves(curves)
        self.legend.clear()
        for curve in curves:
            self.legend.add(Chip(curve.name, curve.title, curve.tip, width=7), curve.colour)
            self.legend.chips[curve.name].setChecked(curve.name not in hidden)

    @Slot(str, bool)
    def _on_toggled(self, name: str, shown: bool) -> None:
        self.plot.set_shown(name, shown)

    @Slot(int)
    def _on_view(self, index: int) -> None:
        self.plot.following = self.view_box.itemText(index) != _HOLD
        if self.plot.following:
            self.plot.span = self.view_box.itemData(index)
            self.plot.forget_range()
            self.plot.redraw()

    @Slot(bool)
    def _on_log(self, on: bool) -> None:
        self.plot.logarithmic = on
        self.plot.forget_range()
        if not self.plot.following:
            # What was held has no meaning on the other scale.
            self._show_all()
        self.request_draw()

    @Slot(int)
    def _on_smoothing(self, place: int) -> None:
        self.plot.window = _WINDOWS[place]
        self._show_window()
        self.request_draw()

    def _show_window(self) -> None:
        text = "off" if self.plot.window == 1 else f"{whole(self.plot.window)} pts"
        self._window.setText(text)

    @Slot()
    def _on_moved(self) -> None:
        self.view_box.setCurrentText(_HOLD)

    @Slot()
    def _show_all(self) -> None:
        self.view_box.setCurrentIndex(0)
        self._on_view(0)


def _is_own_loss(name: str, metrics: Container[str]) -> bool:
    """Whether a column is a network's loss that no metric shows already."""
    network = name.removeprefix("loss_")
    return network != name and f"{network}_loss" not in metrics

"""How strongly each network is pulled, and how far it moves: gradient norm and update-to-weight ratio against step."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QWidget

from studio.gui.plots.history_plot import Curve, HistoryPlot
from studio.gui.plots.legend import Chip, Legend, is_cramped
from studio.gui.state.history import HistoryView
from studio.gui.state.view_state import spoken
from studio.gui.timeline.time_cursor import TimeCursor
from studio.gui.widgets.buttons import toggle_button
from studio.gui.widgets.flow_layout import FlowLayout
from studio.gui.widgets.panel import LivePanel
from studio.gui.widgets.theme import ThemeManager
from studio.models.diagnostic import Reference
from studio.training.storage.health import GRADIENT, UPDATE, networks_in

_EMPTY = (
    "How strongly each network's weights are pulled, and how far a step moves them.\n"
    "Press Start to train; the first points come within seconds."
)
_USUAL = Reference(value=1e-3, title="usual 1e−3")
_TIPS = {
    GRADIENT: "Norm of each network's gradient, before clipping: near 0 it learns nothing, soaring it diverges. "
    "‖g‖ = √Σ g².",
    UPDATE: "How much a step changes each network's weights: about 1e-3 is usual, 0.1 is too much, 1e-6 learns hardly. "
    "‖Δθ‖/‖θ‖.",
}
_TITLES = {GRADIENT: "Gradient norm ‖g‖", UPDATE: "Update / weight ‖Δθ‖/‖θ‖"}
_BOTH_FROM = 400  # pixels of width or height from which there is room for two plots
_LABELS = {GRADIENT: "gradient norm", UPDATE: "update / weight"}


class GradientsPanel(LivePanel):
    """Two plots over the same steps, side by side or one above the other; in a small panel one of them."""

    NAME = "gradients"
    TITLE = "Gradients"

    def __init__(self, time: TimeCursor, theme: ThemeManager, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._history: HistoryView | None = None
        self.plots = {kind: self._make_plot(kind) for kind in (GRADIENT, UPDATE)}
        self.legend = Legend(theme)
        self.legend.toggled.connect(self._on_toggled)
        self._pair = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        for plot in self.plots.values():
            self._pair.addWidget(plot, 1)
        self.body.addWidget(self._controls())
        self.body.addLayout(self._pair, 1)
        self.body.addWidget(self.legend)
        self.show_empty(_EMPTY)
        time.history_shown.connect(self.take_history)
        time.run_shown.connect(self.reset)
        self.take_history(time.history)

    def _make_plot(self, kind: str) -> HistoryPlot:
        plot = HistoryPlot(self.theme, f"{_TITLES[kind]} against step", _LABELS[kind])
        plot.setAccessibleDescription(_TIPS[kind])
        plot.logarithmic = True
        plot.moved.connect(partial(self._hold, kind))
        plot.reset_asked.connect(self.follow)
        return plot

    def _controls(self) -> QWidget:
        bar = QWidget()
        row = FlowLayout(bar, spacing=2)
        self.shown = {
            GRADIENT: toggle_button("gradients_norm", "Norm", _TIPS[GRADIENT], checked=True),
            UPDATE: toggle_button("gradients_update", "Update ratio", _TIPS[UPDATE], checked=True),
        }
        for kind, button in self.shown.items():
            button.toggled.connect(partial(self._on_shown, kind))
            row.addWidget(button)
        tip = "Show values on a logarithmic scale, where equal factors are equal distances."
        self.log_button = toggle_button("gradients_log", "Log scale", tip, checked=True)
        self.log_button.toggled.connect(self._on_log)
        row.addWidget(self.log_button)
        return bar

    @Slot(object)
    def take_history(self, view: HistoryView) -> None:
        """New points or marks."""
        self._history = view
        self.request_draw()

    @Slot()
    def reset(self) -> None:
        """A new run, perhaps of other networks."""
        self._history = None
        self.follow()
        self.show_empty(_EMPTY)

    def draw(self) -> None:
        """Bring the curves up to date."""
        view = self._history
        if view is None:
            return
        networks = networks_in(view.history.names)
        if not networks or not len(view.history):
            return
        if networks != list(self.legend.chips):
            self._set_networks(networks)
        self.show_body()
        for plot in self.plots.values():
            if not plot.isHidden():
                plot.show_history(view)

    def _set_networks(self, networks: list[str]) -> None:
        hidden = {name for name, chip in self.legend.chips.items() if not chip.isChecked()}
        for kind, plot in self.plots.items():
            references = (_USUAL,) if kind == UPDATE else ()
            plot.set_curves(
                [
                    Curve(name=kind + name, title=spoken(name), colour=colour, references=references)
                    for colour, name in enumerate(networks)
                ]
            )
        self.legend.clear()
        for colour, name in enumerate(networks):
            title = spoken(name).capitalize()
            self.legend.add(Chip(name, title, f"Gradient and updates of the {spoken(name)}."), colour)
            self.legend.chips[name].setChecked(name not in hidden)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Side by side in a wide panel, one above the other in a high one."""
        super().resizeEvent(event)
        self.legend.set_compact(is_cramped(self))
        high = self.height() > 0.8 * self.width()
        self._pair.setDirection(QBoxLayout.Direction.TopToBottom if high else QBoxLayout.Direction.LeftToRight)
        self._choose_plots()

    def _choose_plots(self) -> None:
        """Those that are switched on, but in a small panel the first of them alone."""
        wanted = [kind for kind, button in self.shown.items() if button.isChecked()]
        if self.width() < _BOTH_FROM and self.height() < _BOTH_FROM:
            wanted = wanted[:1]
        for kind, plot in self.plots.items():
            plot.setVisible(kind in wanted)
        self.request_draw()

    def _on_shown(self, kind: str, shown: bool) -> None:
        other = UPDATE if kind == GRADIENT else GRADIENT
        if not shown and not self.shown[other].isChecked():
            self.shown[other].setChecked(True)  # something is always to be seen
        self._choose_plots()

    @Slot(str, bool)
    def _on_toggled(self, name: str, shown: bool) -> None:
        for kind, plot in self.plots.items():
            plot.set_shown(kind + name, shown)

    @Slot(bool)
    def _on_log(self, on: bool) -> None:
        for plot in self.plots.values():
            plot.logarithmic = on
        self.follow()  # what was held has no meaning on the other scale

    def _hold(self, moved: str) -> None:
        """The person looks at some steps: both plots show these, and stay there."""
        low, high = self.plots[moved].view.viewRange()[0]
        for kind, plot in self.plots.items():
            plot.following = False
            if kind != moved:
                plot.view.setXRange(low, high, padding=0)

    @Slot()
    def follow(self) -> None:
        """Show everything and keep up with the run."""
        for plot in self.plots.values():
            plot.following = True
            plot.forget_range()
        self.request_draw()

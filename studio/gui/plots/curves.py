"""Panels of curves against step, each as a declaration: plots over the same steps, legend, scale and smoothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from html import escape
from textwrap import shorten
from typing import Protocol, runtime_checkable

from PySide6.QtCore import SignalInstance, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QSizePolicy, QWidget

from studio.gui.plots.curves_spec import CurvesSpec, PlotSpec
from studio.gui.plots.history_plot import Curve, HistoryPlot
from studio.gui.plots.legend import Chip, Legend, is_cramped
from studio.gui.plots.smoothing import Smoothing
from studio.gui.state.history import HistoryView
from studio.gui.widgets.buttons import toggle_button
from studio.gui.widgets.choice_box import ChoiceBox
from studio.gui.widgets.flow_layout import flow_bar
from studio.gui.widgets.labels import plain_label
from studio.gui.widgets.layouts import fill
from studio.gui.widgets.live_panel import LivePanel
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import named
from studio.number_text import compact
from studio.training.config.run_config import RunConfig

_VIEWS = {"All steps": None, "Last 1,000": 1_000, "Last 10,000": 10_000, "Last 100,000": 100_000}
_HOLD = "Hold"
_SMOOTHING = "Points averaged; the raw curve stays faintly behind, if there is room. Mean of the last m logged values."
_LONGEST = 40
"""Characters of a run's title in the legend."""
_WIDE, _HIGH = 480, 340  # pixels of width or height from which there is room for two plots


@runtime_checkable
class HistorySource(Protocol):
    """Has a history to show: of a run, or of its evaluations."""

    @property
    def history(self) -> HistoryView: ...

    @property
    def config(self) -> RunConfig | None:
        """What the run began with, if it is known."""

    @property
    def history_shown(self) -> SignalInstance:
        """Emits HistoryView: new points or marks, another step, or another history."""


class CurvesPanel(LivePanel):
    """Curves against step."""

    OF_RUN = True

    def __init__(
        self, spec: CurvesSpec, source: HistorySource, theme: ThemeManager, parent: QWidget | None = None
    ) -> None:
        super().__init__(theme, parent)
        self.setObjectName(spec.name)
        self.setAccessibleName(spec.title)
        self._spec, self._source, self._view = spec, source, source.history
        self.OF_IMAGES = spec.of_images
        self._compact = False
        self.plots = {each.name: self._make_plot(each) for each in spec.plots}
        self.legend = Legend(theme, *self.plots.values())
        self.legend.toggled.connect(self._choose_curves)
        self._left_out = plain_label(role="small", wraps=True)
        self._left_out.hide()
        self._row = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        fill(self._row, *((plot, 1) for plot in self.plots.values()))
        self._controls = self._make_controls()
        fill(self.body, self._controls, (self._row, 1), self._left_out, self.legend)
        self._on_smoothing(self.smoothing.points)
        self._show_none()
        source.history_shown.connect(self.take_history)
        self.request_draw()

    def _make_plot(self, spec: PlotSpec) -> HistoryPlot:
        plot = HistoryPlot(self.theme, f"{spec.title} against step", spec.axis)
        plot.setAccessibleDescription(spec.tip)
        plot.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)  # no height that scrolls a panel
        plot.logarithmic, plot.limits = spec.logarithmic, spec.limits
        plot.moved.connect(partial(self._hold, plot))
        plot.reset_asked.connect(self.follow)
        return plot

    def _make_controls(self) -> QWidget:
        name = self._spec.name
        self.shown = {
            each.name: toggle_button(
                f"{name}_{each.name}", each.title, each.tip, partial(self._on_shown, each.name), checked=True
            )
            for each in self._spec.plots
        }
        if len(self.shown) == 1:
            self.shown[self._spec.plots[0].name].hide()
        tip = "Which steps are shown: those that come, or those you zoomed to. Home shows all again."
        self.view_box = named(ChoiceBox(), f"{name}_view", "Steps shown", tip)
        self.view_box.addItems([*_VIEWS, _HOLD])
        self.view_box.currentTextChanged.connect(self._on_view)
        tip = "Show values on a logarithmic scale, where equal factors are equal distances; those ≤ 0 are left out."
        logarithmic = self._spec.plots[0].logarithmic
        self.log_button = toggle_button(f"{name}_log", "Log scale", tip, self._on_log, checked=logarithmic)
        self.smoothing = Smoothing(f"{name}_smoothing", self._spec.window, _SMOOTHING)
        self.smoothing.changed.connect(self._on_smoothing)
        tools = (*self.shown.values(), self.view_box, self.log_button, self.smoothing)
        return flow_bar(*tools, spacing=self.theme.tokens.spacing)

    # -- what comes

    @Slot(object)
    def take_history(self, view: HistoryView) -> None:
        """New points or marks; another history is followed anew."""
        other, self._view = view.history is not self._view.history, view
        if other:
            self.follow()
        else:
            self.request_draw()

    def _show_none(self) -> None:
        spec, why_not = self._spec, self._view.missing or (self._spec.lacking if len(self._view.history) else "")
        self.show_empty(why_not or spec.empty, "" if why_not else spec.coming)

    def draw(self) -> None:
        curves = [self._curves(plot) for plot in self._spec.plots]
        if not any(curves):
            self._show_none()
            return
        if curves != [plot.curves for plot in self.plots.values()]:
            self._set_curves(curves)
        self.show_body()
        known = {curve.name: curve for each in curves for curve in each}
        for name, chip in self.legend.chips.items():
            chip.set_value(compact(known[name].value(self._view), 3))
        for plot in self.plots.values():
            if not plot.isHidden():
                plot.show_history(self._view)
        self.set_figures("\n".join(map(self._figure, curves[0][: self._spec.head])))
        # Kept open where the scale is logarithmic and values may change their sign, so that the plot does not jump.
        left_out = ", ".join(title for plot in self.plots.values() for title in plot.left_out if not plot.isHidden())
        signed = self.log_button.isChecked() and any(plot.limits[0] < 0 for plot in self.plots.values())
        self._left_out.setVisible((signed or bool(left_out)) and not self._compact)
        self._left_out.setText(f"A logarithmic scale cannot show values ≤ 0: {left_out}." if left_out else " ")

    def _curves(self, spec: PlotSpec) -> list[Curve]:
        """Those of the run that is shown, then those of other runs, which say whose they are."""
        view = self._view
        found = list(spec.curves(view.history.names, self._source.config)) if len(view.history) else []
        colour = max((curve.colour for curve in found), default=-1)
        for number, other in enumerate(() if self._compact else view.others):  # a card has no legend
            for place, curve in enumerate(spec.curves(other.history.names, other.config)):
                if curve.name in other.history.names:
                    colour += 1
                    whose = replace(curve, name=f"{curve.name}@{number}", column=curve.name, other=other.history)
                    title = f"{curve.title} of {shorten(other.title, _LONGEST, placeholder='…')}"
                    found.append(replace(whose, title=title, colour=colour, shown=place == 0, references=()))
        return found

    def _figure(self, curve: Curve) -> str:
        """Title and newest value of a curve in its colour, as rich text."""
        colour = self.theme.tokens.series_colour(curve.colour, of_class=curve.of_class)
        value = compact(curve.value(self._view), 2)
        return f'<span style="color: {colour}">{escape(curve.title)}\u00a0{value}</span>'

    def _set_curves(self, curves: Sequence[Sequence[Curve]]) -> None:
        """Draw these; curves of one title share an entry of the legend, which then has no value."""
        known = {chip.title: chip.isChecked() for chip in self.legend.chips.values()}
        self.legend.clear()
        titles = [curve.title for each in curves for curve in each]
        for plot, those in zip(self.plots.values(), curves, strict=True):
            plot.set_curves(those)
            for curve in those:
                if curve.title not in {chip.title for chip in self.legend.chips.values()}:
                    width = 7 if titles.count(curve.title) == 1 else 0
                    chip = Chip(curve.name, curve.title, curve.tip, width=width)
                    self.legend.add(chip, curve.colour, of_class=curve.of_class)
                    chip.setChecked(known.get(curve.title, curve.shown))
        self._choose_curves()

    # -- what is shown

    def set_compact(self, on: bool) -> None:
        """A card shows the curves of its head, and no controls."""
        self._compact = on
        for plot in self.plots.values():
            plot.set_compact(on)
        self._arrange()
        self._choose_curves()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Side by side in a wide panel, one above the other in a high one."""
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        """The plots that are switched on, but in a small panel the first of them alone."""
        high = self.height() > 0.8 * self.width()
        self._row.setDirection(QBoxLayout.Direction.TopToBottom if high else QBoxLayout.Direction.LeftToRight)
        self.legend.set_compact(is_cramped(self))
        self.legend.setVisible(not self._compact)
        self._controls.setVisible(not self._compact and not is_cramped(self))
        self.smoothing.setVisible(self.height() >= _HIGH or self.width() >= _WIDE)
        wanted = [name for name, button in self.shown.items() if button.isChecked()]
        if self._compact or (self.height() < _HIGH if high else self.width() < _WIDE):
            del wanted[1:]
        for name, plot in self.plots.items():
            plot.setVisible(name in wanted)
            plot.set_label("bottom", "" if high and name != wanted[-1] else "step")
        self.request_draw()

    def _on_shown(self, name: str, shown: bool) -> None:
        if not shown and not any(button.isChecked() for button in self.shown.values()):
            next(button for each, button in self.shown.items() if each != name).setChecked(True)  # one is always shown
        self._arrange()

    @Slot()
    def _choose_curves(self) -> None:
        """Those that the legend has switched on; on a card, those of the head."""
        on = {chip.title for chip in self.legend.chips.values() if chip.isChecked()}
        for plot in self.plots.values():
            for place, curve in enumerate(plot.curves):
                plot.set_shown(curve.name, place < self._spec.head if self._compact else curve.title in on)

    @Slot(str)
    def _on_view(self, text: str) -> None:
        for plot in self.plots.values():
            plot.following = text != _HOLD
            if plot.following:
                plot.span = _VIEWS[text]
                plot.forget_range()
        self.request_draw()

    @Slot(bool)
    def _on_log(self, on: bool) -> None:
        for plot in self.plots.values():
            plot.logarithmic = on
            plot.forget_range()
        if self.view_box.currentText() == _HOLD:
            self.follow()  # what was held has no meaning on the other scale
        self.request_draw()

    @Slot(int)
    def _on_smoothing(self, points: int) -> None:
        for spec, plot in zip(self._spec.plots, self.plots.values(), strict=True):
            plot.window = points if spec.smooth else 1
        self.request_draw()

    def _hold(self, moved: HistoryPlot) -> None:
        """The person looks at some steps: all plots show these, and stay there."""
        self.view_box.setCurrentText(_HOLD)
        for plot in self.plots.values():
            if plot is not moved:
                plot.view.setXRange(*moved.view.viewRange()[0], padding=0)

    @Slot()
    def follow(self) -> None:
        """Show everything and keep up with the run."""
        self.view_box.setCurrentIndex(0)
        self._on_view(self.view_box.currentText())

"""The plots of the theory over the scale s: ⟨f⟩ with single means on it, −log Z and ESS/n."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import QSignalBlocker, QSize, Signal
from PySide6.QtWidgets import QBoxLayout, QToolButton, QWidget

from studio.evaluation.evaluation import Mean
from studio.gui.plots.axis import Line
from studio.gui.plots.profile_plot import MeanMark, ProfilePlot
from studio.gui.plots.reference_lines import ReferenceLines
from studio.gui.target.theory.view import PLOTS, marks
from studio.gui.widgets.theme import ThemeManager, Tokens
from studio.models.diagnostic import Profile
from studio.perturb.arrays import Floats
from studio.perturb.theory import Theory

_ROOM = 220  # pixels along the longer side that a plot needs
_SCALE_AXIS = "scale s of ΔH"


class TheoryPlots(QWidget):
    """Side by side in wide room, one above the other in high room; the buttons switch them on, by name.

    Attributes:
        generated, untilted: ⟨f⟩ of what the model generates at s = 1, and of draws that are weighed back at s = 0.
    """

    arranged = Signal()  # other plots than before may be shown

    def __init__(self, buttons: Mapping[str, QToolButton], theme: ThemeManager) -> None:
        super().__init__()
        self._buttons, self._most = buttons, len(PLOTS)
        self.by_name = {name: ProfilePlot(theme) for name in PLOTS}
        self._marks = {name: ReferenceLines(vertical=True) for name in PLOTS}
        self._level = ReferenceLines(vertical=False)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(theme.tokens.spacing // 2)
        for name, plot in self.by_name.items():
            plot.addItem(self._marks[name], ignoreBounds=True)
            self._row.addWidget(plot, 1)
            buttons[name].toggled.connect(partial(self._on_shown, name))
        self.generated = MeanMark(self.by_name["mean"], at=1.0)
        self.untilted = MeanMark(self.by_name["mean"], at=0.0)
        self.by_name["mean"].addItem(self._level, ignoreBounds=True)
        theme.changed.connect(self._restyle)
        self._restyle(theme.tokens)

    def forget(self) -> None:
        """What comes next has other ranges of values."""
        for plot in self.by_name.values():
            plot.forget()

    def show_means(self, generated: Mean | None, untilted: Mean | None) -> None:
        """Show these; they are drawn with the curves that come next."""
        self.generated.show(generated)
        self.untilted.show(untilted)

    def show_curves(
        self,
        theory: Theory,
        series: Mapping[str, dict[str, Floats]],
        axis: str,
        hidden: frozenset[str],
        scale: float,
        *,
        level: bool,
    ) -> None:
        """Draw curves over s, and what is marked on them.

        Args:
            series: values by plot and by the legend's text.
            axis: what f is, with its unit.
            hidden: texts of curves that are switched off.
            scale: s, as chosen.
            level: whether ⟨f⟩ of the data is drawn, too.
        """
        axes = {"mean": axis, "energy": "−log Z / nats", "ess": "ESS/n (%)"}
        at, lines = theory.exact.scales, marks(theory, scale)
        for name, plot in self.by_name.items():
            self._marks[name].set_lines(lines[name])
            if not plot.isHidden():
                title, tip = PLOTS[name]
                labels = (_SCALE_AXIS, axes[name])
                profile = Profile(name=name, title=title, tip=tip, axes=labels, at=at, series=series[name])
                plot.show_profile(profile, hidden if name != "ess" else frozenset())
        self._level.set_lines([Line(place=theory.moments.mean, title="data")] if level else [])

    def _restyle(self, tokens: Tokens) -> None:
        for lines in (*self._marks.values(), self._level):
            lines.restyle(tokens, self.font())
        for mark in (self.generated, self.untilted):
            mark.restyle(tokens)

    # -- which are shown

    def arrange(self, room: QSize) -> None:
        """Show as many of those that are switched on as a panel of this size has room for."""
        high = room.height() > 0.8 * room.width()
        self._row.setDirection(QBoxLayout.Direction.TopToBottom if high else QBoxLayout.Direction.LeftToRight)
        self._most = min(3, max(1, max(room.width(), room.height()) // _ROOM))
        self._choose()

    def _on_shown(self, name: str, shown: bool) -> None:
        """Something is always to be seen, and what was asked for last in any case."""
        others = [other for other, button in self._buttons.items() if button.isChecked() and other != name]
        if shown:
            for other in others[: max(0, len(others) + 1 - self._most)]:
                with QSignalBlocker(self._buttons[other]):
                    self._buttons[other].setChecked(False)
        elif not others:
            self._buttons[name].setChecked(True)
            return
        self._choose()

    def _choose(self) -> None:
        wanted = [name for name, button in self._buttons.items() if button.isChecked()][: self._most]
        for name, plot in self.by_name.items():
            plot.setVisible(name in wanted)
        self.arranged.emit()

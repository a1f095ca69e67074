"""What perturbation theory says the tilt will do, before anything is trained, and where it stops being true."""

from __future__ import annotations

from functools import partial

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QLabel, QWidget

from studio.errors import UserError
from studio.evaluation.report import Mean
from studio.figures import compact
from studio.gui.plots.legend import Chip, Legend, is_cramped
from studio.gui.plots.line import Line
from studio.gui.plots.mean_mark import MeanMark
from studio.gui.plots.profile_plot import ProfilePlot
from studio.gui.plots.reference_lines import ReferenceLines
from studio.gui.state.view_state import TiltView
from studio.gui.target.energy_control import EnergyControl
from studio.gui.target.target_control import TargetControl
from studio.gui.target.terms import Observable
from studio.gui.target.theory.controls import TICKS, TheoryControls
from studio.gui.target.theory.model_means import BackAgain, Following, ModelMeans
from studio.gui.target.theory.view import (
    CLASS,
    DATA,
    PLOTS,
    SERIES,
    curves,
    exact_at,
    free_energy_words,
    ladder_words,
    marks,
    means,
    numbers,
    theory_of,
    words,
)
from studio.gui.widgets.panel import LivePanel
from studio.gui.widgets.theme import ThemeManager, Tokens
from studio.models.diagnostic import Profile
from studio.perturb.theory import Theory

_EMPTY = (
    "What perturbation theory says the tilt will do to a mean ⟨f⟩, against the exact answer, before any training.\n"
    "Choose a data set, then give its classes offsets."
)
_GENERATED = (
    "What the model generates, with its standard error; it belongs to s = 1. Images are judged first, as in the panel "
    "“Shares”."
)
_PLOT_ROOM = 220  # pixels along the longer side that a plot needs
_SCALE_AXIS = "scale s of ΔH"


class TheoryPanel(LivePanel):
    """Choose f, scale ΔH, and see prediction and truth."""

    NAME = "theory"
    TITLE = "Theory"

    def __init__(
        self,
        target: TargetControl,
        energies: EnergyControl,
        means: ModelMeans,
        theme: ThemeManager,
        parent: QWidget | None = None,
    ) -> None:
        self._marks: dict[str, ReferenceLines] = {}
        self._target = target
        super().__init__(theme, parent)
        self.controls = controls = TheoryControls(theme.tokens.spacing)
        self.choice, self.slider, self.scale_label = controls.choice, controls.slider, controls.scale_label
        self.choice.currentIndexChanged.connect(self._on_choice)
        self.slider.valueChanged.connect(self.request_draw)
        for name, button in controls.shown.items():
            button.toggled.connect(partial(self._on_shown, name))
        controls.back.clicked.connect(self._ask_back)
        controls.follow.clicked.connect(self._ask_follow)
        controls.apply.clicked.connect(self._ask_apply)
        self._energies, self._means = energies, means
        self._tilt: TiltView | None = None
        self._offered: dict[str, Observable] = {}  # what is in the list, by name
        self.theory: Theory | None = None
        self.plots = {name: self._make_plot(name) for name in PLOTS}
        self.generated = MeanMark(self.plots["mean"], at=1.0)
        self.untilted = MeanMark(self.plots["mean"], at=0.0)
        self._level = ReferenceLines(vertical=False)
        self.plots["mean"].addItem(self._level, ignoreBounds=True)
        self.legend = Legend(theme)
        self.legend.add(Chip("data", *DATA, width=15), "data_grey")
        for colour, (name, (title, tip)) in enumerate(SERIES.items()):
            self.legend.add(Chip(name, title, tip, width=15), colour)
        self.legend.add(Chip("generated", "Generated", _GENERATED, width=15), "text")
        self.legend.toggled.connect(self.request_draw)
        self.verdict = QLabel(wordWrap=True)
        self.verdict.setTextFormat(Qt.TextFormat.PlainText)
        self._pair = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        for plot in self.plots.values():
            self._pair.addWidget(plot, 1)
        self.body.addLayout(self.controls.row)
        self.body.addWidget(self.controls.buttons)
        self.body.addLayout(self._pair, 1)
        self.body.addWidget(self.legend)
        self.body.addWidget(self.verdict)
        self.restyle(theme.tokens)
        self.show_empty(_EMPTY)
        target.changed.connect(self.take_tilt)
        means.changed.connect(self.request_draw)
        self.take_tilt(target.tilt)

    def _make_plot(self, name: str) -> ProfilePlot:
        plot = ProfilePlot(self.theme)
        self._marks[name] = ReferenceLines(vertical=True)
        plot.addItem(self._marks[name], ignoreBounds=True)
        return plot

    @property
    def scale(self) -> float:
        """s, as chosen."""
        return self.slider.value() / TICKS

    # -- what comes in

    @Slot(object)
    def take_tilt(self, tilt: TiltView | None) -> None:
        """Another target or data set."""
        before, self._tilt = self._tilt, tilt
        if before is None or tilt is None or not tilt.has_target_of(before):
            self.theory = None
        if tilt is not None:
            self._list(tilt)
        self.request_draw()

    def _list(self, tilt: TiltView) -> None:
        """Offer the classes and what can be measured; stay at what was chosen if it is still there."""
        offered = {each.name: each for each in means(tilt.dataset, self._energies.observables())}
        if offered == self._offered:
            return
        self._offered, chosen = offered, self.choice.currentData()
        with QSignalBlocker(self.choice):
            self.choice.clear()
            for each in offered.values():
                self.choice.addItem(each.title, each.name)
            tilted = int(np.argmax(np.abs(tilt.summary.target - tilt.dataset.shares)))
            self.choice.setCurrentIndex(max(self.choice.findData(chosen), 0) if chosen else tilted)

    @Slot()
    def _on_choice(self) -> None:
        self.theory = None
        for plot in self.plots.values():
            plot.forget()
        self.request_draw()

    # -- what is shown

    def draw(self) -> None:
        """Compute anew if need be, and show."""
        tilt, name = self._tilt, self.choice.currentData()
        if tilt is None or name is None:
            self.show_empty(_EMPTY)
            return
        if self.theory is None and not self._compute(tilt, name):
            return
        self.show_body()
        self._show_generated(self._means.generated(name))
        self._show_curves()
        self._show_values()

    def _compute(self, tilt: TiltView, name: str) -> bool:
        """Whether there is something to show; what is still to be measured comes later."""
        measured = self._energies.measured
        if measured is None:
            return False
        if not name.startswith(CLASS) and measured.missing([name]):
            self.show_empty("Measuring this feature of every example…")
            self._energies.prepare([name], self.request_draw, self._refuse)
            return False
        try:
            self.theory = theory_of(tilt.trained, measured, name)
        except UserError as error:
            self._refuse(error)
            return False
        return True

    def _refuse(self, error: UserError) -> None:
        self.show_empty(f"{error.title}\n{error.message}")

    def _show_curves(self) -> None:
        theory = self.theory
        assert theory is not None
        hidden = frozenset(
            SERIES[name][0] for name, chip in self.legend.chips.items() if name in SERIES and not chip.isChecked()
        )
        axes = {"mean": self._offered[self.choice.currentData()].axis, "energy": "−log Z / nats", "ess": "ESS/n (%)"}
        series = curves(theory)
        if self._following is not None:
            ends = [self._along(float(s)) for s in theory.exact.scales]
            series["mean"][SERIES["model"][0]] = np.array([np.nan if end is None else end.value for end in ends])
        for name, plot in self.plots.items():
            if plot.isHidden():
                continue
            title, tip = PLOTS[name]
            labels = (_SCALE_AXIS, axes[name])
            at = theory.exact.scales
            profile = Profile(name=name, title=title, tip=tip, axes=labels, at=at, series=series[name])
            plot.show_profile(profile, hidden if name != "ess" else frozenset())
        self._show_marks(theory)

    def _show_marks(self, theory: Theory) -> None:
        for name, lines in marks(theory, self.scale).items():
            self._marks[name].set_lines(lines)
        level = [Line(place=theory.moments.mean, title="data")] if self.legend.chips["data"].isChecked() else []
        self._level.set_lines(level)

    def _show_values(self) -> None:
        """Numbers at s in the legend, and in words how far the theory carries."""
        theory = self.theory
        assert theory is not None
        scale = self.scale
        self.scale_label.setText(f"s = {scale:.2f}")
        for name, found in numbers(theory, scale).items():
            self.legend.chips[name].set_value(_shown(found))
        along = self._along(scale)
        self.legend.chips["model"].set_value("–" if along is None else _shown(along))
        text = words(theory, scale, float(exact_at(theory, scale).efficiency[0]))
        if self._tilt is not None and self._tilt.applied is not None:
            text = f"Of the ΔH that is applied to hold the shares: {text}"
        if not self.plots["energy"].isHidden():
            text += f" {free_energy_words(theory, scale)}"
            if scale > 0 and theory.moments.variance > 0:
                text += f" {ladder_words(theory, scale)}"
        if along is not None and self._following is not None:
            text += (
                f" The model’s line is {self._following.owner.words}, trained at s = {self._following.way.start:.0f}."
            )
        if self._back is not None:
            text += f" {self._back.words}"
        self.verdict.setText(f"{self._means.said} {text}".strip())

    def _show_generated(self, found: Mean | None) -> None:
        """A point at s = 1 with its error, and the numbers in the legend."""
        chip = self.legend.chips["generated"]
        chip.set_value("–" if found is None else _shown(found))
        self.generated.show(found if chip.isChecked() else None)
        self.untilted.show(None if self._back is None else self._back.mean)

    @property
    def _back(self) -> BackAgain | None:
        """What was weighed back of this f."""
        back = self._means.back
        return back if back is not None and back.name == self.choice.currentData() else None

    @property
    def _following(self) -> Following | None:
        """How the model follows this very tilt."""
        found = self._means.following
        same = found is not None and self._tilt is not None and found.tilt.has_target_of(self._tilt.trained)
        return found if same else None

    def _along(self, scale: float) -> Mean | None:
        """⟨f⟩ of the model at s, to first order, where it is known."""
        return None if self._following is None else self._following.at(self.choice.currentData(), scale)

    @Slot()
    def _ask_follow(self) -> None:
        if self._tilt is not None:
            self._means.follow(self._tilt.trained, self._followed)

    @Slot()
    def _ask_apply(self) -> None:
        if self._tilt is not None:
            shown = self._offered[self.choice.currentData()]
            self._means.apply(self._tilt.trained, self._followed, self.scale, shown)

    @property
    def _followed(self) -> list[str]:
        """What is asked of the model: every share, and f."""
        return [name for name in self._offered if name.startswith(CLASS) or name == self.choice.currentData()]

    @Slot()
    def _ask_back(self) -> None:
        self._means.ask(self.choice.currentData())

    def restyle(self, tokens: Tokens) -> None:
        """Take up another look."""
        for lines in (*self._marks.values(), self._level):
            lines.restyle(tokens, self.font())
        for mark in (self.generated, self.untilted):
            mark.restyle(tokens)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """As many plots as there is room for."""
        super().resizeEvent(event)
        self.legend.set_compact(is_cramped(self))
        self.verdict.setVisible(self.height() >= 220)
        high = self.height() > 0.8 * self.width()
        self._pair.setDirection(QBoxLayout.Direction.TopToBottom if high else QBoxLayout.Direction.LeftToRight)
        self._choose_plots()

    @property
    def _room(self) -> int:
        """For how many plots there is room."""
        return min(3, max(1, max(self.width(), self.height()) // _PLOT_ROOM))

    def _on_shown(self, name: str, shown: bool) -> None:
        """Something is always to be seen, and what was asked for last in any case."""
        others = [other for other, button in self.controls.shown.items() if button.isChecked() and other != name]
        if shown:
            for other in others[: max(0, len(others) + 1 - self._room)]:
                with QSignalBlocker(self.controls.shown[other]):
                    self.controls.shown[other].setChecked(False)
        elif not others:
            self.controls.shown[name].setChecked(True)
            return
        self._choose_plots()

    def _choose_plots(self) -> None:
        """Those that are switched on, as many as there is room for."""
        wanted = [name for name, button in self.controls.shown.items() if button.isChecked()][: self._room]
        for name, plot in self.plots.items():
            plot.setVisible(name in wanted)
        self.request_draw()


def _shown(found: Mean) -> str:
    return f"{compact(found.value, 3)} ± {compact(found.error, 2)}"

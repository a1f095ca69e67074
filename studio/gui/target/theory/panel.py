"""What perturbation theory says the tilt will do, before anything is trained, and where it stops being true."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QSignalBlocker, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from studio.errors import UserError
from studio.evaluation.evaluation import Mean
from studio.gui.plots.legend import Chip, Legend, is_cramped
from studio.gui.state.tilt_view import TiltView
from studio.gui.target.energy_control import EnergyControl
from studio.gui.target.target_control import TargetControl
from studio.gui.target.terms import Observable
from studio.gui.target.theory.answers import BackAgain, Following
from studio.gui.target.theory.controls import TheoryControls
from studio.gui.target.theory.model_means import ModelMeans
from studio.gui.target.theory.plots import TheoryPlots
from studio.gui.target.theory.view import (
    CLASS,
    DATA,
    SERIES,
    curves,
    exact_at,
    free_energy_words,
    ladder_words,
    means,
    numbers,
    theory_of,
    with_error,
    words,
)
from studio.gui.widgets.labels import plain_label
from studio.gui.widgets.layouts import fill
from studio.gui.widgets.live_panel import LivePanel
from studio.gui.widgets.theme import ThemeManager
from studio.perturb.theory import Theory

_EMPTY = (
    "What perturbation theory says the tilt will do to a mean ⟨f⟩, against the exact answer, before any training.\n"
    "Choose a data set, then give its classes offsets."
)
_GENERATED = (
    "What the model generates, with its standard error; it belongs to s = 1. Images are judged first, as in the panel "
    "“Shares”."
)
_WORDS_FROM = 220  # pixels of height from which there is room for words


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
        super().__init__(theme, parent)
        self._target, self._energies, self._means = target, energies, means
        self._tilt: TiltView | None = None
        self._offered: dict[str, Observable] = {}  # what is in the list, by name
        self._picked = False  # by a person; until then it is the share of the class that is tilted most
        self.theory: Theory | None = None
        self.controls = controls = TheoryControls(theme.tokens.spacing)
        controls.choice.currentIndexChanged.connect(self._on_choice)
        controls.slider.valueChanged.connect(self.request_draw)
        controls.back.clicked.connect(self._ask_back)
        controls.follow.clicked.connect(self._ask_follow)
        controls.apply.clicked.connect(self._ask_apply)
        self.plots = TheoryPlots(controls.shown, theme)
        self.plots.arranged.connect(self.request_draw)
        self.legend = Legend(theme, *self.plots.by_name.values())
        self.legend.add(Chip("data", *DATA, width=15), "data_grey")
        for colour, (name, (title, tip)) in enumerate(SERIES.items()):
            self.legend.add(Chip(name, title, tip, width=15), colour)
        self.legend.add(Chip("generated", "Generated", _GENERATED, width=15), "text")
        self.legend.toggled.connect(self.request_draw)
        self.verdict = plain_label(wraps=True)
        fill(self.body, controls.row, controls.buttons, (self.plots, 1), self.legend, self.verdict)
        self.show_empty(_EMPTY)
        target.changed.connect(self.take_tilt)
        means.changed.connect(self.request_draw)
        self.take_tilt(target.tilt)

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
        """Offer the classes and what can be measured; stay at what was picked if it is still there."""
        offered = {each.name: each for each in means(tilt.dataset, self._energies.observables())}
        choice, chosen = self.controls.choice, self.controls.choice.currentData()
        with QSignalBlocker(choice):
            if offered != self._offered:
                self._offered = offered
                choice.clear()
                for each in offered.values():
                    choice.addItem(each.title, each.name)
            self._picked = self._picked and chosen in offered
            choice.setCurrentIndex(choice.findData(chosen) if self._picked else tilt.tilted_most)
        if choice.currentData() != chosen:
            self._forget()

    @Slot()
    def _on_choice(self) -> None:
        self._picked = True
        self._forget()

    def _forget(self) -> None:
        self.theory = None
        self.plots.forget()
        self.request_draw()

    # -- what is shown

    def draw(self) -> None:
        """Compute anew if need be, and show."""
        tilt, name = self._tilt, self.controls.choice.currentData()
        if tilt is None or name is None:
            self.show_empty(self._target.data.missing or _EMPTY)
            return
        self.theory = theory = self.theory or self._computed(tilt, name)
        if theory is None:
            return
        self.show_body()
        self._show_generated(self._means.generated(name))
        self._show_curves(theory)
        self._show_values(theory)

    def _computed(self, tilt: TiltView, name: str) -> Theory | None:
        """None where there is nothing to show; what is still to be measured comes later."""
        measured = self._energies.measured
        if tilt.uncounted:
            self.show_empty(f"What the target comes to is not known.\n{tilt.why_uncounted}")
        if measured is None or tilt.uncounted:
            return None
        if not name.startswith(CLASS) and measured.missing([name]):
            self.show_empty("Measuring this feature of every example…")
            self._energies.prepare([name], self.request_draw, self._refuse)
            return None
        try:
            return theory_of(tilt.trained, measured, name)
        except UserError as error:
            self._refuse(error)
            return None

    def _refuse(self, error: UserError) -> None:
        self.show_empty(f"{error.title}\n{error.message}")

    def _show_curves(self, theory: Theory) -> None:
        hidden = frozenset(SERIES[name][0] for name in self.legend.hidden if name in SERIES)
        series = curves(theory)
        if self._following is not None:
            ends = [self._along(float(s)) for s in theory.exact.scales]
            series["mean"][SERIES["model"][0]] = np.array([np.nan if end is None else end.value for end in ends])
        axis, level = self._offered[self.controls.choice.currentData()].axis, self.legend.chips["data"].isChecked()
        self.plots.show_curves(theory, series, axis, hidden, self.controls.scale, level=level)

    def _show_values(self, theory: Theory) -> None:
        """Numbers at s in the legend, and in words how far the theory carries."""
        scale = self.controls.scale
        self.controls.scale_label.setText(f"s = {scale:.2f}")
        for name, found in numbers(theory, scale).items():
            self._show_value(name, found)
        along = self._along(scale)
        self._show_value("model", along)
        text = words(theory, scale, float(exact_at(theory, scale).efficiency[0]))
        if self._tilt is not None and self._tilt.applied is not None:
            text = f"Of the ΔH that is applied to hold the shares: {text}"
        if not self.plots.by_name["energy"].isHidden():
            text += f" {free_energy_words(theory, scale)}"
            if scale > 0 and theory.moments.variance > 0:
                text += f" {ladder_words(theory, scale)}"
        if along is not None and self._following is not None:
            owner, start = self._following.owner, self._following.way.start
            text += f" The model’s line is {owner.words}, trained at s = {start:.0f}."
        if self._back is not None:
            text += f" {self._back.words(self._unit)}"
        self.verdict.setText(f"{self._means.said} {text}".strip())

    def _show_generated(self, found: Mean | None) -> None:
        """A point at s = 1 with its error, and the numbers in the legend."""
        self._show_value("generated", found)
        seen = self.legend.chips["generated"].isChecked()
        self.plots.show_means(found if seen else None, None if self._back is None else self._back.mean)

    def _show_value(self, name: str, found: Mean | None) -> None:
        """Beside a name of the legend."""
        text = "–" if found is None else with_error(found, self._unit)
        self.legend.chips[name].set_value(text)

    @property
    def _unit(self) -> str:
        return self._offered[self.controls.choice.currentData()].unit

    @property
    def _back(self) -> BackAgain | None:
        """What was weighed back of this f, over these data."""
        back, tilt = self._means.back, self._tilt
        if back is None or tilt is None or back.dataset is not tilt.dataset:
            return None
        return back if back.name == self.controls.choice.currentData() else None

    @property
    def _following(self) -> Following | None:
        """How the model follows this very tilt."""
        found = self._means.following
        same = found is not None and self._tilt is not None and found.tilt.has_target_of(self._tilt.trained)
        return found if same else None

    def _along(self, scale: float) -> Mean | None:
        """⟨f⟩ of the model at s, to first order, where it is known."""
        return None if self._following is None else self._following.at(self.controls.choice.currentData(), scale)

    @Slot()
    def _ask_follow(self) -> None:
        if self._tilt is not None:
            self._means.follow(self._tilt.trained, self._followed)

    @Slot()
    def _ask_apply(self) -> None:
        if self._tilt is not None:
            shown = self._offered[self.controls.choice.currentData()]
            self._means.apply(self._tilt.trained, self._followed, self.controls.scale, shown)

    @property
    def _followed(self) -> list[str]:
        """What is asked of the model: every share, and f."""
        return [name for name in self._offered if name.startswith(CLASS) or name == self.controls.choice.currentData()]

    @Slot()
    def _ask_back(self) -> None:
        self._means.ask(self.controls.choice.currentData())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.legend.set_compact(is_cramped(self))
        self.verdict.setVisible(self.height() >= _WORDS_FROM)
        self.plots.arrange(self.size())

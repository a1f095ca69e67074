"""The button that adds a term: a menu of the kinds of terms, and of the features for those that need one."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QFileDialog, QMenu, QPushButton

from studio.gui.state.judge_offers import JudgeOffer
from studio.gui.target.terms import KINDS
from studio.gui.widgets.buttons import Menu
from studio.gui.widgets.tooltip import set_help, tooltip
from studio.perturb.features import Feature
from studio.training.config.energy import ColumnTermConfig, FeatureTermConfig, JudgeTermConfig, TermConfig


class AddTermButton(QPushButton):
    """Says which term is wanted."""

    chosen = Signal(object)  # TermConfig: the kind of term, with its feature or class; its numbers do not fit yet

    def __init__(self) -> None:
        super().__init__("Add term")
        self.setObjectName("energy_add")
        set_help(self, "Add term", "Add a row to ΔH: in a feature, as a formula, from a file, or by a judge.")
        self._menu = Menu(self)
        self.setMenu(self._menu)

    def offer(self, features: tuple[Feature, ...], judges: tuple[JudgeOffer, ...]) -> None:
        """What the data set has.

        Args:
            judges: whose judges may look, the data's own first; none where the data cannot be judged.
        """
        self._menu.clear()
        for kind, title, help_text in KINDS:
            if issubclass(kind, FeatureTermConfig):
                part = self._part(self._menu, title, help_text)
                for each in features:
                    self._add(part, each.title, kind(feature=each.name), each.help, each.formula)
            elif kind is JudgeTermConfig:
                self._add_judges(self._part(self._menu, title, help_text), judges)
            else:
                self._add(self._menu, title, kind(), help_text)

    @Slot(object)
    def _choose(self, seed: TermConfig) -> None:
        """A term from a file needs the file first."""
        if isinstance(seed, ColumnTermConfig):
            path, _ = QFileDialog.getOpenFileName(
                self, "CSV file of energies", str(Path.home()), "CSV (*.csv);;All (*)"
            )
            seed = seed.model_copy(update={"path": path})
        if not isinstance(seed, ColumnTermConfig) or seed.path:
            self.chosen.emit(seed)

    def _add_judges(self, part: QMenu, judges: tuple[JudgeOffer, ...]) -> None:
        part.setEnabled(bool(judges))
        if not judges:
            part.menuAction().setToolTip(tooltip("Only images can be judged."))
        for judge in judges:
            own = not judge.name
            place = part if own else self._part(part, f"As {judge.title}", f"As the judge of {judge.title} sees them.")
            for name in judge.class_names:
                seed = JudgeTermConfig(of=name, data=judge.name)
                self._add(place, name, seed, f"The judge’s log-odds of “{name}”.")
            if own and judge.class_names:
                part.addSeparator()

    def _part(self, menu: QMenu, title: str, help_text: str) -> QMenu:
        part = menu.addMenu(title.replace("&", "&&"))
        part.setToolTipsVisible(True)
        part.menuAction().setToolTip(tooltip(help_text))
        return part

    def _add(self, menu: QMenu, text: str, seed: TermConfig, *tips: str) -> None:
        menu.addAction(text.replace("&", "&&"), partial(self._choose, seed)).setToolTip(tooltip(*tips))

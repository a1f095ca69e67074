"""The button that adds a term: a menu of the kinds of terms, and of the features for those that need one."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QMenu, QPushButton

from studio.gui.energy_terms import KINDS
from studio.gui.explain import explain
from studio.gui.tooltip import tooltip
from studio.perturb.features import Feature
from studio.training.energy_config import FeatureTermConfig, JudgeTermConfig, TermConfig


class AddTermButton(QPushButton):
    """Says which term is wanted."""

    chosen = Signal(object, str)  # type[TermConfig], name of the feature or class; empty for a kind that needs none

    def __init__(self) -> None:
        super().__init__("Add term")
        self.setObjectName("energy_add")
        explain(self, "Add term", "Add a row to ΔH: in a feature, as a formula, from a file, or by a judge.")
        self._menu = QMenu(self)
        self._menu.setToolTipsVisible(True)
        self.setMenu(self._menu)

    def show_features(self, features: tuple[Feature, ...], judged: tuple[str, ...]) -> None:
        """What the data set has.

        Args:
            features: what can be measured.
            judged: the classes that a judge can tell apart; none where the data cannot be judged.
        """
        self._menu.clear()
        classes = [(name, name, tooltip(f"The judge’s log-odds of “{name}”.")) for name in judged]
        measured = [(each.title, each.name, tooltip(each.help, each.formula)) for each in features]
        for kind, title, help_text in KINDS:
            if issubclass(kind, FeatureTermConfig):
                self._add_part(kind, title, help_text, measured)
            elif kind is JudgeTermConfig:
                why_not = "" if judged else "Only images can be judged."
                self._add_part(kind, title, why_not or help_text, classes)
            else:
                self._menu.addAction(title, partial(self.chosen.emit, kind, "")).setToolTip(tooltip(help_text))

    def _add_part(
        self, kind: type[TermConfig], title: str, help_text: str, entries: list[tuple[str, str, str]]
    ) -> None:
        """A menu of its own, of titles, names and tooltips; disabled where it has nothing to offer."""
        part = self._menu.addMenu(title)
        part.setToolTipsVisible(True)
        part.menuAction().setToolTip(tooltip(help_text))
        part.setEnabled(bool(entries))
        for text, name, tip in entries:
            part.addAction(text.replace("&", "&&"), partial(self.chosen.emit, kind, name)).setToolTip(tip)

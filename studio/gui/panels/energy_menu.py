"""The button that adds a term: a menu of the kinds of terms, and of the features for those that need one."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QMenu, QPushButton

from studio.gui.energy_terms import KINDS
from studio.gui.explain import explain
from studio.gui.tooltip import tooltip
from studio.perturb.features import Feature
from studio.training.energy_config import FeatureTermConfig


class AddTermButton(QPushButton):
    """Says which term is wanted."""

    chosen = Signal(object, str)  # type[TermConfig], name of the feature; empty for a kind that needs none

    def __init__(self) -> None:
        super().__init__("Add term")
        self.setObjectName("energy_add")
        explain(self, "Add term", "Add a row to ΔH: in a feature, as a formula, or from a file.")
        self._menu = QMenu(self)
        self._menu.setToolTipsVisible(True)
        self.setMenu(self._menu)

    def show_features(self, features: tuple[Feature, ...]) -> None:
        """What the data set has."""
        self._menu.clear()
        for kind, title, help_text in KINDS:
            if not issubclass(kind, FeatureTermConfig):
                self._menu.addAction(title, partial(self.chosen.emit, kind, "")).setToolTip(tooltip(help_text))
                continue
            part = self._menu.addMenu(title)
            part.setToolTipsVisible(True)
            part.menuAction().setToolTip(tooltip(help_text))
            for feature in features:
                action = part.addAction(feature.title, partial(self.chosen.emit, kind, feature.name))
                action.setToolTip(tooltip(feature.help, feature.formula))

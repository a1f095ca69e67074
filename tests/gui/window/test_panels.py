"""The list of panels: what it says of each is true, and a new panel is one line of it."""

import typing
from importlib import import_module
from typing import Any

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QWidget

from studio.gui.widgets.theme import ThemeManager
from studio.gui.window import workbench
from studio.gui.window.controls import Controls
from studio.gui.window.main_window import MainWindow
from studio.gui.window.panels import PANELS, PLACES, Panel
from tests.gui.window.toy_panel import ToyPanel

TOY = Panel("right_bottom", "toy", "Toy", "tests.gui.window.toy_panel.ToyPanel", "setup")


def load(path: str) -> Any:
    module, name = path.rsplit(".", 1)
    return getattr(import_module(module), name)


def test_that_every_panel_has_a_place_that_is_laid_out() -> None:
    assert set(PLACES) == {place for *both, _ in workbench._SPLITS for place in both}


def test_that_each_panel_is_given_what_its_constructor_asks_for(controls: Controls) -> None:
    for panel in PANELS:
        kind = load(panel.path)
        *taken, theme, parent, nothing = typing.get_type_hints(kind.__init__).values()
        assert (theme, parent, nothing) == (ThemeManager, QWidget | None, type(None)), panel.name
        given = [getattr(controls, name) for name in panel.takes.split()]
        assert len(given) <= 5, panel.name
        spec = [load(panel.spec)] if panel.spec else []
        fits = [isinstance(each, wanted) for each, wanted in zip([*spec, *given], taken, strict=True)]
        assert all(fits), panel.name
        names = (spec[0].name, spec[0].title) if spec else (kind.NAME, kind.TITLE)
        assert (panel.name, panel.title) == names


def test_that_a_new_panel_is_one_line(
    controls: Controls, theme: ThemeManager, settings: QSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbench, "PANELS", (*PANELS, TOY))
    monkeypatch.setattr(workbench, "PLACES", PLACES | {"right_bottom": (*PLACES["right_bottom"], TOY)})
    window = MainWindow(controls, theme, settings)
    dock = window.docks["toy"]
    toy = dock.widget()
    assert isinstance(toy, ToyPanel)
    assert toy.label.text() == controls.setup.config.model.kind
    assert window.docks["batch"] in window.views.workbench.tabifiedDockWidgets(dock)
    window.close()
    window.deleteLater()

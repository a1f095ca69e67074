"""The list of panels: what it says of each is true, and a new panel is one line of it."""

from __future__ import annotations

import typing
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QWidget

from studio.gui.widgets.theme import ThemeManager
from studio.gui.window import main_window
from studio.gui.window.panels import PANELS, PLACES, Panel
from studio.gui.window.workbench import Workbench
from tests.gui.window.toy_panel import ToyPanel

TOY = Panel("right_bottom", "toy", "Toy", "tests.gui.window.toy_panel.ToyPanel", "setup")


def kind_of(panel: Panel) -> type[Any]:
    module, name = panel.path.rsplit(".", 1)
    found: type[Any] = getattr(import_module(module), name)
    return found


@pytest.mark.parametrize("panel", PANELS, ids=[panel.name for panel in PANELS])
def test_that_each_panel_is_given_what_its_constructor_asks_for(panel: Panel, workbench: Workbench) -> None:
    kind = kind_of(panel)
    hints = typing.get_type_hints(kind.__init__)
    given = [type(getattr(workbench, name)) for name in panel.takes.split()]
    assert list(hints.values()) == [*given, ThemeManager, QWidget | None, type(None)]
    assert len(given) <= 4
    assert (panel.name, panel.title) == (kind.NAME, kind.TITLE)


def test_that_a_new_panel_is_one_line(
    workbench: Workbench, theme: ThemeManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(main_window, "PANELS", (*PANELS, TOY))
    monkeypatch.setattr(main_window, "PLACES", PLACES | {"right_bottom": (*PLACES["right_bottom"], TOY)})
    window = main_window.MainWindow(workbench, theme, QSettings(str(tmp_path / "toy.ini"), QSettings.Format.IniFormat))
    dock = window.docks["toy"]
    toy = dock.widget()
    assert isinstance(toy, ToyPanel)
    assert toy.label.text() == workbench.setup.config.model.kind
    assert window.docks["log"] in window.tabifiedDockWidgets(dock)
    window.close()
    window.deleteLater()

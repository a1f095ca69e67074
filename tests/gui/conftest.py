"""A workbench with the built-in digits, and the light look, for tests of panels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from studio.gui.theme import ThemeManager, ThemeMode
from studio.gui.workbench import Workbench


@pytest.fixture
def theme(qtbot: QtBot) -> ThemeManager:
    return ThemeManager(ThemeMode.LIGHT)


@pytest.fixture
def workbench(qtbot: QtBot, tmp_path: Path) -> Iterator[Workbench]:
    """Digits are loaded; torch is not."""
    bench = Workbench(data_root=tmp_path / "datasets", runs_root=tmp_path / "runs")
    with qtbot.waitSignal(bench.dataset_changed):
        bench.set_dataset(bench.config.dataset)
    yield bench
    assert bench.shutdown()

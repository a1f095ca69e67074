"""The README's tour, walked in the window: what it names is there, and its steps do what it says."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QDialog,
    QDockWidget,
    QLabel,
    QMenu,
    QTabBar,
    QTableView,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

import studio
from studio.gui.live.samples.panel import SamplesPanel
from studio.gui.state.run_view import RunPhase
from studio.gui.state.subject import Aspect
from studio.gui.target.offsets.columns import Column
from studio.gui.window.main_window import MainWindow
from studio.gui.window.shortcuts import keys_of
from tests.gui.hands import Button, Hands, Key, Modifier, find

ON_PAGE = True
TOUR = (
    (Path(studio.__file__).parents[1] / "README.md")
    .read_text(encoding="utf-8")
    .split("## A two-minute tour")[1]
    .split("\n## ")[0]
)
WORDS = re.sub("`[^`]*`", "", " ".join(TOUR.split()))
"""Without what a person types."""


@pytest.fixture
def window(window: MainWindow) -> MainWindow:
    window.showNormal()
    window.resize(1280, 800)
    return window


def plain(text: str) -> str:
    return text.replace("&", "").rstrip("…")


def texts(window: MainWindow) -> Iterator[str]:
    """All that stands on the window's controls, docks, tabs and labels."""
    kinds: tuple[type[Any], ...] = (QAbstractButton, QLabel, QAction)
    for kind in kinds:
        yield from (plain(each.text()) for each in window.findChildren(kind))
    for bar in window.findChildren(QTabBar):
        yield from (plain(bar.tabText(place)) for place in range(bar.count()))
    for box in window.findChildren(QComboBox):
        yield from (box.itemText(place) for place in range(box.count()))
    yield from (dock.windowTitle() for dock in window.findChildren(QDockWidget))


def test_that_all_that_the_tour_names_is_in_the_window(window: MainWindow) -> None:
    window.views.make_panels()
    check_names(window)
    check_menus(window)
    check_keys(window)


def check_names(window: MainWindow) -> None:
    there = set(texts(window))
    emphasised = re.findall(r"(?<!\*)\*([^*]+)\*(?!\*)", WORDS)
    names = [name for name in (*emphasised, *re.findall("“([^”]+)”", WORDS)) if "→" not in name]
    assert len(names) > 10
    assert [name for name in names if plain(name) not in there] == []


def check_menus(window: MainWindow) -> None:
    paths = re.findall(r"(\w+(?: → [A-Z][\w ]*\w)+)", WORDS)
    assert {path.split(" → ")[0] for path in paths} >= {"File", "Go", "Help", "Run"}
    for path in paths:
        actions = window.menuBar().actions()
        for step in path.split(" → "):
            (found,) = [action for action in actions if step.startswith(plain(action.text())) and plain(action.text())]
            menu = found.menu()
            if isinstance(menu, QMenu):
                menu.aboutToShow.emit()
                actions = menu.actions()


def check_keys(window: MainWindow) -> None:
    there = {key for keys in keys_of(window).values() for each in keys.values() for key in re.findall(r"[\w+]+", each)}
    named = re.findall(r"\b(F\d+|Esc|Enter|Ctrl\+(?!click)\w+)\b|(?<!\w)([A-Z]) (?:for|to) ", WORDS)
    keys = {first or second for first, second in named}
    assert keys >= {"F1", "F4", "F5", "F6", "F8", "Ctrl+Z", "Esc", "Enter", "B", "R", "P"}
    assert keys <= there


def go(window: MainWindow, top: str, entry: str) -> None:
    """Choose an entry of a menu."""
    (menu,) = [action.menu() for action in window.menuBar().actions() if plain(action.text()) == top]
    assert isinstance(menu, QMenu)
    found = [action for action in menu.findChildren(QAction) if plain(action.text()) == entry]
    found[0].trigger()


def click(hands: Hands, name: str) -> None:
    hands.qtbot.mouseClick(hands.find(QToolButton, name), Button.LeftButton)


def tilt(hands: Hands) -> None:
    """Step 2."""
    table, bench = hands.find(QTableView, "offsets_table"), hands.bench
    hands.enter(2, Column.TARGET, "30")
    assert table.model().index(2, Column.OFFSET).data() == "−1.367"
    assert "ESS/n" in hands.find(QLabel, "cost").text()
    hands.key(Key.Key_Z, Modifier.ControlModifier)
    assert table.model().index(2, Column.OFFSET).data() == "0.000"
    hands.enter(2, Column.TARGET, "30")
    assert bench.target.tilt.summary.target[2] == pytest.approx(0.3)


def train(hands: Hands) -> None:
    """Step 3."""
    page, samples = hands.window.views.page, hands.find(SamplesPanel, "samples")
    hands.key(Key.Key_F5)
    hands.wait(lambda: hands.bench.runs.run.step >= 3)
    hands.wait(lambda: not samples.empty_text)
    hands.qtbot.mouseDClick(page.cards["batch"], Button.LeftButton)
    assert page.right.currentWidget() is page.grown
    hands.key(Key.Key_Escape)
    assert page.right.currentWidget() is page.rows
    view = samples.views["averaged"]
    for tile, held in ((0, Modifier.NoModifier), (3, Modifier.ControlModifier)):
        place = view.mapFromScene(view.rect_of(tile).center())
        hands.qtbot.mouseClick(view.viewport(), Button.LeftButton, held, place)
    view.setFocus()
    hands.key(Key.Key_B)
    hands.wait(lambda: not samples.shown)  # but what lies between
    hands.key(Key.Key_Escape)
    view.setFocus()
    hands.key(Key.Key_P)
    hands.key(Key.Key_R)


def change(hands: Hands) -> None:
    """Steps 5 and 6."""
    hands.enter(2, Column.OFFSET, "-1")
    hands.wait(lambda: hands.bench.target.tilt is not None and not hands.bench.target.tilt.pending)
    for phase in (RunPhase.PAUSED, RunPhase.RUNNING):
        hands.key(Key.Key_F6)
        hands.wait_for(phase)
    hands.key(Key.Key_F8)
    hands.wait(lambda: not hands.bench.starter.blocked)


def look_back(hands: Hands) -> None:
    """The rest of step 6."""
    click(hands, "subject_leave")
    go(hands.window, "Go", "Runs")
    runs = find(hands.window.docks["runs"].widget(), QTableView, "runs_table")
    hands.wait(lambda: runs.model().rowCount() == 1)
    place = runs.visualRect(runs.model().index(0, 0)).center()
    hands.qtbot.mouseClick(runs.viewport(), Button.LeftButton, pos=place)
    hands.qtbot.mouseDClick(runs.viewport(), Button.LeftButton, pos=place)
    hands.wait(lambda: hands.bench.subjects.subject.aspect is Aspect.LOOKING)
    assert hands.find(QToolButton, "subject_resume").isVisible()
    hands.key(Key.Key_Escape)


def go_on(hands: Hands) -> None:
    """Steps 7 and 8."""
    window = hands.window
    click(hands, "setup_change")
    assert hands.find(QWidget, "dataset").isVisible()
    hands.key(Key.Key_F4)
    assert window.docks["energy"].isVisible()
    hands.key(Key.Key_F4)
    hands.key(Key.Key_F1)
    (keys,) = [each for each in window.findChildren(QDialog, "shortcuts") if each.isVisible()]
    keys.close()
    lesson = next(each for each in window.findChildren(QAction) if each.objectName().startswith("lesson_"))
    with hands.qtbot.waitSignal(hands.bench.setup.dataset_changed):
        lesson.trigger()
    QApplication.processEvents()
    assert not window.docks["plane"].widget().visibleRegion().isEmpty()


@pytest.mark.slow
def test_that_the_tour_is_what_a_person_meets(qtbot: QtBot, hands: Hands) -> None:
    bench = hands.bench
    cadence = bench.setup.config.cadence.model_copy(update={"log_every": 1, "samples": 9, "sample_every": 0.1})
    bench.setup.edit(cadence=cadence, threads=1)
    assert (bench.setup.config.dataset.kind, bench.setup.config.model.kind) == ("digits", "wgan_gp")
    for step in (tilt, train, change, look_back, go_on):
        step(hands)

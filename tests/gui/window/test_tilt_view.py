"""The page that one sees first: what is on it, what may take its right side, and that panels go to docks and back."""

import threading
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QSettings
from PySide6.QtGui import QAction, QTextDocumentFragment
from PySide6.QtWidgets import (
    QApplication,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QTabBar,
    QTableView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

from studio.data.planar.config import DrawnConfig
from studio.gui.setup.panel import SetupPanel
from studio.gui.state.subject import Offer
from studio.gui.target.offsets.columns import Column
from studio.gui.target.offsets.panel import OffsetsPanel
from studio.gui.widgets.theme import ThemeManager
from studio.gui.window.card import Card
from studio.gui.window.controls import Controls
from studio.gui.window.main_window import MainWindow
from studio.gui.window.panel_dock import PanelArea
from studio.gui.window.tilt_page import CURVES
from tests.gui.hands import Button, Hands, Key, Modifier, find, panel_of
from tests.gui.layout_items import count_layout_items
from tests.gui.shown import show_active

ON_PAGE = True


@pytest.fixture
def settings(settings: QSettings) -> QSettings:
    """Of a person who has never been here."""
    settings.clear()
    return settings


@pytest.fixture
def window(qtbot: QtBot, window: MainWindow) -> MainWindow:
    """The page, with its cards, as soon after it is opened."""
    window.showNormal()  # it would fill this platform's small screen
    window.resize(1280, 800)
    if not window.docks["queue"].made:  # the last that comes
        fill_page(qtbot, window)
    return window


def fill_page(qtbot: QtBot, window: MainWindow) -> None:
    done = threading.Event()
    window.views.make_between_events(done.set)
    qtbot.waitUntil(done.is_set)


def on_page(window: MainWindow) -> set[str]:
    return {name for name, dock in window.docks.items() if dock.lent}


def test_that_the_page_comes_first_with_the_table_the_samples_and_later_three_curves(
    qtbot: QtBot, theme: ThemeManager, settings: QSettings, tmp_path: Path
) -> None:
    bench = Controls(data_root=tmp_path, runs_root=tmp_path)
    window = MainWindow(bench, theme, settings)
    assert not window.views.workbench_action.isChecked()
    show_active(qtbot, window)
    with qtbot.waitSignal(bench.setup.dataset_changed):
        bench.setup.set_dataset(bench.setup.config.dataset)
    assert window.focusWidget().objectName() == "offsets_table", "once there is data"
    fill_page(qtbot, window)
    assert on_page(window) == {"offsets", "samples", *CURVES}
    assert all(window.docks[name].widget().isVisible() for name in on_page(window))
    window.close()
    window.deleteLater()


def test_that_what_is_not_seen_is_not_made_for_the_first_paint_of_which_the_window_tells_once(
    qtbot: QtBot, controls: Controls, theme: ThemeManager, settings: QSettings
) -> None:
    window = MainWindow(controls, theme, settings)
    with qtbot.waitSignal(window.painted):
        window.show()
    assert {name for name, dock in window.docks.items() if dock.made} == {"offsets", "samples"}
    with qtbot.assertNotEmitted(window.painted):
        window.repaint()
    window.close()
    window.deleteLater()


_SECOND_ROW = ("offsets_columns", "offsets_hold", "bar_legend")


@pytest.mark.usefixtures("dressed")
def test_that_both_views_show_all_ten_digits_at_1280_by_800_and_fit_a_screen_of_960_by_540(hands: Hands) -> None:
    window, toolbar, table = hands.window, hands.window.toolbar, hands.find(QTableView, "offsets_table")
    assert table.model().rowCount() == 10
    for in_docks in (False, True):
        window.resize(1280, 800)
        window.views.workbench_action.setChecked(in_docks)
        for _ in range(5):
            QApplication.processEvents()
        last = table.visualRect(table.model().index(9, Column.TARGET))
        assert table.viewport().rect().contains(last)
        assert not table.viewport().visibleRegion().intersected(last).isEmpty()
        least = window.minimumSizeHint()
        assert (least.width() <= 960, least.height() <= 540) == (True, True), least
        window.resize(960, 540)
        assert (window.width(), window.height()) == (960, 540)
        for button in (toolbar.change, toolbar.buttons["start"], toolbar.more, toolbar.view):
            corner = button.mapTo(window, QPoint(button.width(), button.height()))
            assert corner.x() <= 960, button.objectName()
        QApplication.processEvents()
        columns, hold, legend = (hands.find(QWidget, name).geometry() for name in _SECOND_ROW)
        assert columns.right() < hold.left() < hold.right() < legend.left(), "none has a row of its own"
    window.views.workbench_action.setChecked(False)
    window.controls.subjects.offer(Offer(title="a run", folder=Path(), step=1))
    window.resize(960, 530)  # of 1,080 pixels at scale 2, below a title
    for _ in range(5):
        QApplication.processEvents()
    assert window.banner.wide
    assert window.views.page.verticalScrollBar().maximum() == 0
    window.controls.subjects.offer(None)
    window.views.workbench_action.setChecked(True)
    for bar in window.views.workbench.findChildren(QTabBar):
        assert not bar.isVisible() or bar.sizeHint().width() <= bar.width(), bar.tabText(0)


@pytest.mark.slow
@pytest.mark.usefixtures("dressed")
def test_that_no_panel_is_wider_than_its_place_in_the_workbench_at_1280_by_800_and_rows_stand_together(
    qtbot: QtBot, window: MainWindow
) -> None:
    window.resize(1280, 800)
    window.views.workbench_action.setChecked(True)
    window.views.make_panels()
    missing = {}
    for name, dock in window.docks.items():
        window.views.show_panel(name)
        qtbot.waitUntil(dock.widget().isVisible)
        QApplication.processEvents()
        missing[name] = find(dock, PanelArea, "").horizontalScrollBar().maximum()
    assert not any(missing.values()), missing
    places = {
        name: find(window, QWidget, name).mapTo(window, QPoint()).y()
        for name in ("energy_undo", "energy_redo", "queue_at_once", "queue_up")
    }
    assert places["energy_undo"] == places["energy_redo"]
    assert places["queue_up"] - places["queue_at_once"] < 2 * find(window, QWidget, "queue_up").height()


def test_that_panels_keep_themselves_and_what_is_entered_through_a_change_of_view(hands: Hands) -> None:
    window = hands.window
    before = {name: dock.widget() for name, dock in window.docks.items()}
    hands.enter(2, Column.TARGET, "30")
    hands.key(Key.Key_F4)
    assert window.views.workbench_action.isChecked()
    assert on_page(window) == set()
    assert window.docks["offsets"].isVisible()
    assert hands.focus().objectName() == "offsets_table"
    hands.key(Key.Key_F4)
    assert on_page(window) == {"offsets", "samples", *CURVES}
    assert {name: dock.widget() for name, dock in window.docks.items()} == before
    assert hands.bench.target.tilt.summary.target[2] == pytest.approx(0.3)


def test_that_a_panel_that_goes_leaves_nothing_for_another_object_to_be_taken_for(qtbot: QtBot) -> None:
    panel = QWidget()
    before = count_layout_items()
    for area in (PanelArea(), PanelArea()):
        qtbot.addWidget(area)
        area.put(panel)
        area.findChildren(QVBoxLayout)[0].minimumSize()
    assert count_layout_items() == before


def test_that_the_view_is_remembered(
    window: MainWindow, controls: Controls, theme: ThemeManager, settings: QSettings
) -> None:
    window.views.workbench_action.trigger()
    window.docks["log"].hide()
    window.close()
    again = MainWindow(controls, theme, settings)
    assert again.views.workbench_action.isChecked()
    assert again.docks["log"].isHidden()
    again.views.workbench_action.trigger()
    again.close()
    third = MainWindow(controls, theme, settings)
    assert not third.views.workbench_action.isChecked()
    third.views.workbench_action.trigger()
    assert third.docks["log"].isHidden()
    for each in (again, third):
        each.close()
        each.deleteLater()


@pytest.mark.usefixtures("own_window")
def test_that_a_floating_panel_floats_again_after_the_page(window: MainWindow) -> None:
    window.views.workbench_action.trigger()
    dock = window.docks["weights"]
    dock.setFloating(True)
    window.views.workbench_action.trigger()
    assert not dock.isVisible()
    assert window.docks["weights"].widget().window() is window
    window.views.workbench_action.trigger()
    assert dock.isVisible()
    assert dock.isFloating()


@pytest.mark.parametrize("name", ["weights", "runs"])
def test_that_any_panel_takes_the_right_side_and_escape_gives_it_back(hands: Hands, name: str) -> None:
    window = hands.window
    window.views.page.grow(name)
    assert window.docks[name].widget().width() > 600
    assert not window.docks["samples"].widget().isVisible()
    window.docks[name].widget().setFocus()
    hands.key(Key.Key_Escape)
    assert window.docks["samples"].widget().isVisible()
    assert on_page(window) == {"offsets", "samples", *CURVES}
    assert hands.focus().objectName() == "offsets_table"


def test_that_a_double_click_in_a_plot_enlarges_its_card(hands: Hands) -> None:
    card = hands.window.views.page.cards["weights"]
    plot = hands.find(QWidget, "Importance weights")
    hands.qtbot.mouseDClick(plot.viewport(), Button.LeftButton)
    assert hands.window.views.page.grown.dock is hands.window.docks["weights"]
    assert card.dock is None


def test_that_a_double_click_in_a_large_card_is_its_panels(hands: Hands) -> None:
    viewport, place = hands.cell(2, Column.TARGET)
    hands.qtbot.mouseClick(viewport, Button.LeftButton, pos=place)
    hands.qtbot.mouseDClick(viewport, Button.LeftButton, pos=place)
    assert hands.find(QLineEdit, "cell_editor").isVisible()
    hands.key(Key.Key_Escape)
    hands.window.views.page.grow("log")
    hands.bench.log.add("A word that a double click marks")
    text = find(hands.window.docks["log"].widget(), QPlainTextEdit, "")
    hands.qtbot.mouseDClick(text.viewport(), Button.LeftButton, pos=text.cursorRect().center())
    assert hands.window.views.page.grown.dock is hands.window.docks["log"]


def test_that_a_cards_head_chooses_another_curve_and_two_swap(hands: Hands) -> None:
    page = hands.window.views.page

    def choose(place: str, title: str) -> None:
        menu = page.cards[place].title.menu()
        next(action for action in menu.actions() if action.text() == title).trigger()

    def shown() -> list[str]:
        return [card.dock.name for card in page.cards.values() if card.dock is not None]

    choose("share_error", "Losses")
    assert shown() == ["losses", "batch", "weights"]
    choose("weights", "Batch")
    assert shown() == ["losses", "weights", "batch"]
    assert page.cards["weights"].title.text() == "Batch"


def test_that_the_set_up_opens_in_place_of_the_table_and_folds_away_with_escape(hands: Hands) -> None:
    setup, table = hands.window.docks["setup"].widget(), hands.find(QTableView, "offsets_table")
    assert not setup.isVisible()
    hands.qtbot.mouseClick(hands.find(QWidget, "setup_change"), Button.LeftButton)
    assert setup.isVisible()
    assert setup.isAncestorOf(hands.focus())
    hands.key(Key.Key_Escape)
    assert not setup.isVisible()
    assert table.isVisible()


def test_that_escape_goes_back_where_the_keyboard_is(hands: Hands) -> None:
    views, setup = hands.window.views, hands.window.docks["setup"].widget()
    views.go_to("queue")
    views.go_to("setup")
    hands.key(Key.Key_Escape)
    assert not setup.isVisible()
    assert views.page.right.currentWidget() is views.page.grown
    views.go_to("setup")
    views.go_to("queue")
    hands.key(Key.Key_Escape)
    assert setup.isVisible()
    assert views.page.right.currentWidget() is views.page.rows
    views.page.fold()


def test_that_the_set_up_folds_away_when_training_starts(quick_hands: Hands) -> None:
    hands = quick_hands
    hands.window.views.go_to("setup")
    hands.train()
    assert not hands.window.docks["setup"].widget().isVisible()
    assert hands.find(QTableView, "offsets_table").isVisible()
    hands.end()


def test_that_keys_go_to_a_panel_wherever_it_is_and_to_the_table_itself(hands: Hands) -> None:
    for number, (name, dock) in enumerate(hands.window.docks.items(), start=1):
        held = Modifier.AltModifier if number <= 10 else Modifier.AltModifier | Modifier.ControlModifier
        hands.key(Key(Key.Key_0 + number % 10), held)
        assert not dock.widget().visibleRegion().isEmpty(), name
        focus = hands.focus()
        assert focus is dock.widget() or dock.widget().isAncestorOf(focus), name
    hands.key(Key.Key_6, Modifier.AltModifier)
    assert hands.focus().objectName() == "offsets_table"


@pytest.mark.slow
def test_that_a_panel_that_is_made_while_a_run_is_shown_shows_it(
    qtbot: QtBot, controls: Controls, theme: ThemeManager, settings: QSettings
) -> None:
    window = MainWindow(controls, theme, settings)
    hands = Hands(qtbot, window)
    show_active(qtbot, window)
    window.views.make_between_events(lambda: None)
    controls.setup.edit(threads=1)
    hands.train()
    hands.end()
    window.views.page.show_panel("examples")
    examples = panel_of(window, "examples")
    qtbot.waitUntil(lambda: not examples.empty_text)
    window.close()
    window.deleteLater()


def test_that_a_term_of_the_table_leads_to_where_terms_are_added_and_edited(hands: Hands) -> None:
    hands.qtbot.mouseClick(hands.find(QToolButton, "offsets_add_term"), Button.LeftButton)
    add = hands.find(QPushButton, "energy_add")
    assert add.menu().isVisible()
    formula = next(each for each in add.menu().actions() if each.text() == "Formula")
    add.menu().close()
    formula.trigger()
    hands.key(Key.Key_Escape)
    hands.qtbot.mouseClick(hands.find(QToolButton, "offsets_term_0_edit"), Button.LeftButton)
    assert hands.find(QWidget, "term_0").isAncestorOf(hands.focus())


@pytest.mark.parametrize("workbench_view", [False, True])
def test_that_a_plane_leaves_its_neighbours_their_room(hands: Hands, workbench_view: bool) -> None:
    window = hands.window
    window.views.workbench_action.setChecked(workbench_view)
    names = ("offsets", "batch")
    QApplication.processEvents()
    before = [window.docks[name].widget().size() for name in names]
    with hands.qtbot.waitSignal(hands.bench.setup.dataset_changed):
        hands.bench.setup.set_dataset(DrawnConfig(count=400))
    QApplication.processEvents()
    assert not window.docks["plane"].widget().visibleRegion().isEmpty()
    assert [window.docks[name].widget().size() for name in names] == before
    window.views.workbench_action.trigger()
    for _ in range(5):
        QApplication.processEvents()
    assert not window.docks["plane"].widget().visibleRegion().isEmpty(), "the other view shows it, too"


def test_that_the_head_of_a_narrow_card_shows_whole_figures_only(qtbot: QtBot, dressed: ThemeManager) -> None:
    card = Card("card", dressed, ("grow", "Enlarge", "Enlarge it."), compact=True)
    qtbot.addWidget(card)
    card.name_it("Share error")
    card.offer(CURVES)
    lines = [f"<span>{title}\u00a00.031</span>" for title in ("TV", "KL", "MMD")]
    card.resize(240, 200)
    card.show()
    card.figures.show_lines("\n".join(lines))
    assert card.figures.text() == lines[0]
    assert card.figures.toolTip() == " ".join(lines)
    card.resize(170, 200)
    assert card.figures.text() == "", "half a figure is none"
    card.resize(400, 200)
    assert card.figures.text() == " ".join(lines)
    text = QTextDocumentFragment.fromHtml(card.figures.text()).toPlainText()
    assert card.figures.fontMetrics().horizontalAdvance(text) <= card.figures.width()


def test_that_sizes_folds_cards_and_columns_are_remembered_until_the_layout_is_reset(
    qtbot: QtBot, window: MainWindow, controls: Controls, theme: ThemeManager, settings: QSettings
) -> None:
    first = [splitter.sizes() for splitter in window.views.page.splitters.values()]
    for splitter in window.views.page.splitters.values():
        splitter.moveSplitter(splitter.sizes()[0] - 40, 1)
    moved = [splitter.sizes() for splitter in window.views.page.splitters.values()]
    assert all(before != after for before, after in zip(first, moved, strict=True))
    window.views.go_to("setup")
    find(window, SetupPanel, "setup").more.set_open(True)
    find(window, OffsetsPanel, "offsets").head.columns[Column.WEIGHT].trigger()
    window.views.page.cards["batch"].chosen.emit("losses")
    window.close()
    again = MainWindow(controls, theme, settings)
    again.showNormal()
    again.resize(window.size())
    with qtbot.waitExposed(again):
        again.show()
    fill_page(qtbot, again)
    assert [splitter.sizes() for splitter in again.views.page.splitters.values()] == moved
    table = panel_of(again, "offsets").table
    assert (table.isColumnHidden(Column.WEIGHT), table.isColumnHidden(Column.COUNT)) == (False, True)
    assert again.views.page.cards["batch"].dock is again.docks["losses"]
    again.views.go_to("setup")
    more = find(again, SetupPanel, "setup").more
    assert more.is_open
    (reset,) = [action for action in again.findChildren(QAction) if action.text() == "&Reset layout"]
    reset.trigger()
    assert not again.views.workbench_action.isChecked()
    assert [splitter.sizes() for splitter in again.views.page.splitters.values()] == first
    assert not more.is_open
    assert again.views.page.cards["batch"].dock is again.docks["batch"]
    again.close()
    again.deleteLater()


def test_that_a_window_of_a_larger_screen_fills_this_one(
    window: MainWindow, controls: Controls, theme: ThemeManager, settings: QSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def as_x11_does(self: MainWindow, _: object) -> bool:
        self.resize(1280, 800)
        return True

    window.close()
    monkeypatch.setattr(MainWindow, "restoreGeometry", as_x11_does)
    again = MainWindow(controls, theme, settings)
    assert again.isMaximized()
    again.deleteLater()

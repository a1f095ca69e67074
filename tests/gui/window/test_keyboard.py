"""The mouse is never needed: Tab reaches every control that can be seen, both ways, and each says what it is."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QRect, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QLabel, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from studio.data.folder import FolderConfig
from studio.data.planar.config import DrawnConfig
from studio.gui.forms.drawing_field import DrawingDialog
from studio.gui.library.compare_window import CompareWindow
from studio.gui.live.plane.lessons import LESSONS
from studio.gui.setup.folder_preview import FolderPreviewDialog
from studio.gui.state.history import HistoryView
from studio.gui.widgets.tab_order import reveal
from studio.gui.widgets.theme import ThemeManager
from studio.gui.window.main_window import MainWindow
from studio.gui.window.panels import PLACES
from studio.models.diagnostic import Pictures
from studio.training.config.energy import EnergyConfig
from studio.training.messages.events import Evaluated
from tests.data.image_folders import write_image_folder
from tests.gui.evaluation.test_shares_panel import evaluation
from tests.gui.hands import find, panel_of
from tests.gui.keyboard import controls, described, faults, misses, walk
from tests.gui.live.test_plane_panel import make_frame
from tests.gui.shown import come_to_rest, make_history, make_snapshot, show_active
from tests.library.made_runs import make_config, make_run, record_evaluation

NONE, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def window(window: MainWindow) -> MainWindow:
    """With all panels, which hear what is shown to them."""
    window.views.make_panels()
    return window


def check(qtbot: QtBot, root: QWidget, first: QWidget) -> None:
    """Walk both ways from `first` through the window `root`."""
    shown = controls(root)
    ahead = walk(qtbot, first, Qt.Key.Key_Tab, NONE)
    back = walk(qtbot, first, Qt.Key.Key_Tab, SHIFT)
    assert back[1:] == ahead[:0:-1]
    assert not misses(shown, ahead) + [fault for widget in shown for fault in faults(widget)]


def check_panels(qtbot: QtBot, window: MainWindow) -> None:
    """Each panel in front, one of every place at a time, with a class selected, as Tab leaves it behind."""
    window.resize(1280, 800)
    panel_of(window, "offsets").table.selectRow(0)
    for turn in range(max(len(panels) for panels in PLACES.values())):
        for panels in PLACES.values():
            window.views.go_to(panels[turn % len(panels)].name)
        for _ in range(5):
            QApplication.processEvents()  # for layouts to come to rest
        first = find(window, QWidget, "dataset")
        check(qtbot, window, first)


@pytest.mark.slow
def test_that_tab_reaches_all_of_every_panel_before_a_run(qtbot: QtBot, window: MainWindow) -> None:
    check_panels(qtbot, window)


@pytest.fixture
def run_of_another_day(qtbot: QtBot, window: MainWindow) -> Path:
    """In the table of runs, with an edit and evaluations, and open at the time bar."""
    controls = window.controls
    path = make_run(controls.setup.runs_root, "old", make_config("an old run", offsets={"2": -1.36}), steps=1000)
    record_evaluation(path, 400, 0.3, 40.0)
    record_evaluation(path, 900, 0.1, 20.0)
    controls.library.refresh()
    with qtbot.waitSignal(controls.time.frame_shown):
        controls.time.open(path)
    controls.time.seek(450)
    return path


@pytest.mark.slow
def test_that_tab_reaches_all_of_an_old_run(qtbot: QtBot, window: MainWindow, run_of_another_day: Path) -> None:
    runs = panel_of(window, "runs")
    window.views.go_to("runs")
    qtbot.waitUntil(lambda: len(runs.model.shown) == 1)
    runs.view.selectRow(0)
    check_panels(qtbot, window)


@pytest.mark.slow
def test_that_tab_reaches_all_that_a_run_shows(qtbot: QtBot, window: MainWindow) -> None:
    controls = window.controls
    terms = {"terms": [{"kind": kind, "feature": "ink"} for kind in ("linear", "quadratic", "window")]}
    controls.target.set_energy(EnergyConfig.model_validate(terms), "Terms")
    qtbot.waitUntil(lambda: bool(controls.setup.config.perturbation.terms))
    pictures = Pictures(
        name="filters", title="Filters", tip="A. B.", images=np.zeros((4, 8, 8, 1), np.uint8), columns=2, rows=()
    )
    controls.time.snapshot_shown.emit(make_snapshot(diagnostics=(pictures,)))
    controls.time.history_shown.emit(HistoryView(history=make_history(gradient_critic=1.0, update_critic=0.01)))
    controls.runs.evaluation_arrived.emit(Evaluated(step=100, seconds=1.0, revision=0, evaluation=evaluation(controls)))
    controls.log.add("so that there is a line to filter and to copy")
    check_panels(qtbot, window)


@pytest.mark.slow
def test_that_tab_reaches_all_of_a_lesson(qtbot: QtBot, window: MainWindow) -> None:
    controls = window.controls
    with qtbot.waitSignal(controls.setup.dataset_changed):
        controls.setup.set_dataset(DrawnConfig(count=400))
    plane = panel_of(window, "plane")
    controls.lessons.open(LESSONS[0], lambda: True)
    plane.steps.setVisible(True)
    controls.time.snapshot_shown.emit(make_snapshot(plane=make_frame()))
    check_panels(qtbot, window)


def test_that_what_loses_the_keyboard_as_it_is_reached_breaks_nothing(
    qtbot: QtBot, window: MainWindow, qapp: QApplication
) -> None:
    """As a field that is switched off by what was typed into the one before."""
    start = find(window, QToolButton, "run_start_button")
    start.setFocus()
    once = qapp.focusChanged.connect(lambda _, reached: reached is not None and reached.clearFocus())
    qtbot.keyClick(start, Qt.Key.Key_Tab)
    qapp.focusChanged.disconnect(once)
    assert not start.hasFocus()
    assert window.focusWidget() is None


def test_that_tab_reaches_all_of_a_comparison(qtbot: QtBot, theme: ThemeManager, tmp_path: Path) -> None:
    runs = [make_run(tmp_path, name, make_config(name), steps=100) for name in "ab"]
    window = CompareWindow(runs, theme)
    show_active(qtbot, window)
    qtbot.waitUntil(lambda: len(window.runs) == 2)
    for place in range(window.tabs.count()):
        window.tabs.setCurrentIndex(place)
        come_to_rest(qtbot)
        check(qtbot, window, window.tabs.tabBar())
    window.close()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def test_that_tab_reaches_all_of_the_dialogs(qtbot: QtBot, theme: ThemeManager, tmp_path: Path) -> None:
    folder = write_image_folder(tmp_path / "images")
    preview = FolderPreviewDialog(FolderConfig(path=str(folder)), theme)
    qtbot.waitUntil(preview.load.isEnabled)
    drawing = DrawingDialog("1@0.2 -1,0; 2@0.2 1,0")
    for dialog in (preview, drawing):
        qtbot.addWidget(dialog)
        with qtbot.waitActive(dialog):
            dialog.show()
            dialog.activateWindow()
        check(qtbot, dialog, dialog.focusWidget() or controls(dialog)[0])
        dialog.close()


def test_that_a_panel_is_floated_and_docked_again_by_keys(qtbot: QtBot, window: MainWindow) -> None:
    dock = window.docks["offsets"]
    window.views.go_to("offsets")
    focus = QApplication.focusWidget()
    said = window.findChild(QLabel, "last_line")
    keys = Qt.Key.Key_F, SHIFT | Qt.KeyboardModifier.ControlModifier
    for floats, where in ((True, "a window of its own"), (False, "in its place again")):
        qtbot.keyClick(QApplication.focusWidget(), *keys)
        assert dock.isFloating() is floats
        assert f"“{dock.windowTitle()}” is {where}" in said.toolTip()
        qtbot.waitUntil(lambda: QApplication.focusWidget() is focus)
    window.views.workbench_action.setChecked(False)
    qtbot.keyClick(QApplication.focusWidget(), *keys)
    assert not dock.isFloating()
    assert "in the Workbench alone" in said.toolTip()


@pytest.mark.slow
@pytest.mark.usefixtures("dressed")
def test_that_one_sees_where_the_keyboard_is(qtbot: QtBot, window: MainWindow, run_of_another_day: Path) -> None:
    window.resize(1280, 800)
    window.controls.time.snapshot_shown.emit(make_snapshot())
    looked_at: set[QWidget] = set()
    for turn in range(max(len(panels) for panels in PLACES.values())):
        for panels in PLACES.values():
            window.views.go_to(panels[turn % len(panels)].name)
        come_to_rest(qtbot)
        first = find(window, QWidget, "dataset")
        for widget, other in pairwise([*walk(qtbot, first, Qt.Key.Key_Tab, NONE), first]):
            if widget in looked_at:
                continue
            looked_at.add(widget)
            widget.setFocus(Qt.FocusReason.TabFocusReason)
            reveal(widget)
            with_focus = picture(widget)
            other.setFocus(Qt.FocusReason.TabFocusReason)
            without = picture(widget)
            assert with_focus.shape == without.shape, f"{described(widget)} changes its size"
            assert (with_focus != without).sum() > 100, f"{described(widget)} looks the same with the keyboard"
    assert len(looked_at) > 80


def picture(widget: QWidget) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """The widget and a little around it."""
    root = QWidget.window(widget)  # a plot has another “window”
    place = QRect(widget.mapTo(root, QPoint(0, 0)), widget.size()).adjusted(-2, -2, 2, 2)
    image = root.grab(place).toImage().convertToFormat(QImage.Format.Format_RGB32)
    return np.frombuffer(image.constBits(), np.uint8).copy()

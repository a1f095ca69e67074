"""The drawing of a planar set, by mouse and keys."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QDialogButtonBox
from pytestqt.qtbot import QtBot

from studio.gui.forms.drawing_canvas import DrawingCanvas
from studio.gui.forms.drawing_field import DrawingDialog, DrawingField
from tests.gui.hands import Button, Key
from tests.gui.shown import show

TEXT = "1@0.2 -1,0; 2@0.2 1,0"


@pytest.fixture
def dialog(qtbot: QtBot) -> DrawingDialog:
    dialog = DrawingDialog(TEXT)
    show(qtbot, dialog)
    return dialog


def drag(qtbot: QtBot, canvas: DrawingCanvas, start: tuple[float, float], end: tuple[float, float]) -> None:
    """From one place of the plane to another."""
    first, last = (canvas._point(place).toPoint() for place in (start, end))
    qtbot.mousePress(canvas, Button.LeftButton, pos=first)
    for step in range(1, 11):
        qtbot.mouseMove(
            canvas, QPoint(*(a + (b - a) * step // 10 for a, b in zip(first.toTuple(), last.toTuple(), strict=True)))
        )
    qtbot.mouseRelease(canvas, Button.LeftButton, pos=last)


def test_that_a_stroke_is_drawn_undone_and_erased(qtbot: QtBot, dialog: DrawingDialog) -> None:
    canvas = dialog.canvas
    dialog.label.setCurrentIndex(2)
    drag(qtbot, canvas, (-2, 2), (2, 2))
    stroke = canvas.strokes[-1]
    assert stroke.label == 3
    assert stroke.places[0] == pytest.approx((-2, 2), abs=0.03)
    assert stroke.places[-1] == pytest.approx((2, 2), abs=0.15)
    assert len(stroke.places) == pytest.approx(40, abs=4)
    qtbot.keyClick(canvas, Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert dialog.text == TEXT
    qtbot.mouseClick(dialog.eraser, Button.LeftButton)
    drag(qtbot, canvas, (1, 0.1), (1, -0.1))
    assert dialog.text == "1@0.2 -1,0"
    assert not dialog.buttons.button(QDialogButtonBox.StandardButton.Ok).isEnabled()
    assert "two classes" in dialog.told.text()
    qtbot.mouseClick(dialog.clear, Button.LeftButton)
    assert canvas.strokes == ()
    qtbot.mouseClick(dialog.undo, Button.LeftButton)
    qtbot.mouseClick(dialog.undo, Button.LeftButton)
    assert dialog.text == TEXT
    assert not dialog.undo.isEnabled()


def test_that_one_can_draw_by_keyboard_alone(qtbot: QtBot, dialog: DrawingDialog) -> None:
    canvas = dialog.canvas
    for key in (Key.Key_4, Key.Key_Plus, Key.Key_Up, Key.Key_Up, Key.Key_Left, Key.Key_Space):
        qtbot.keyClick(canvas, key)
    assert dialog.text == f"{TEXT}; 4@0.25 -0.1,0.2"


def test_that_the_field_takes_what_was_accepted(qtbot: QtBot) -> None:
    field = DrawingField()
    show(qtbot, field)
    field.show_value(TEXT)
    assert field.told.text() == "2 brush marks in 2 classes"
    qtbot.keyClick(field.button, Key.Key_Space)
    qtbot.keyClick(field.dialog.canvas, Key.Key_Space)
    with qtbot.waitSignal(field.edited):
        qtbot.mouseClick(field.dialog.buttons.button(QDialogButtonBox.StandardButton.Ok), Button.LeftButton)
    assert field.raw() == "1@0.2 -1,0; 2@0.2 1,0; 1@0.2 0,0"
    assert field.dialog is None

"""The editor of a drawing: what it holds in words, and a window to draw in."""

from __future__ import annotations

from PySide6.QtCore import QSize, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QDoubleSpinBox, QHBoxLayout, QWidget

from studio.data.planar.drawing import LEAST_WIDTH, MOST_CLASSES, MOST_PLACES, MOST_WIDTH, drawing_text, parse_drawing
from studio.gui.forms.drawing_canvas import DrawingCanvas
from studio.gui.forms.fields import Field
from studio.gui.widgets.buttons import push_button, toggle_button, tool_button
from studio.gui.widgets.labels import plain_label
from studio.gui.widgets.layouts import column_of, resize_to_fit, row_of
from studio.gui.widgets.tooltip import set_help

_ROOM_WORDS = "Every mark weighs the same, so a class that was drawn longer has more of the points."


def summary(text: str) -> str:
    """A drawing in words."""
    strokes = parse_drawing(text)
    places = sum(len(stroke.places) for stroke in strokes)
    return f"{places:,} brush marks in {len({stroke.label for stroke in strokes})} classes"


class DrawingDialog(QDialog):
    """Draws; `text` is the drawing once it is accepted."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("drawing_dialog")
        self.setWindowTitle("Draw your own data")
        self.canvas = DrawingCanvas(parse_drawing(text))
        self.canvas.changed.connect(self._show)
        self.told = plain_label(name="drawing_told", wraps=True)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        column_of(self._brush_row(), (self.canvas, 1), self.told, self.buttons, inside=self, margins=None)
        QShortcut(QKeySequence.StandardKey.Undo, self, self.canvas.undo)
        resize_to_fit(self, QSize(520, 620))
        self._show()
        self.canvas.setFocus()

    def _brush_row(self) -> QHBoxLayout:
        self.label = QComboBox()
        self.label.setObjectName("drawing_class")
        self.label.addItems([f"Class {number}" for number in range(1, MOST_CLASSES + 1)])
        set_help(self.label, "Class", "The class that the brush draws; 1 to 9 on the canvas.")
        self.label.currentIndexChanged.connect(self._set_label)
        self.brush = QDoubleSpinBox(minimum=LEAST_WIDTH, maximum=MOST_WIDTH, singleStep=0.05, decimals=2)
        self.brush.setObjectName("drawing_width")
        set_help(self.brush, "Width of the brush", "Standard deviation σ of the Gaussian at each place; + and − on it.")
        self.brush.setValue(self.canvas.width_)
        self.brush.valueChanged.connect(self._set_width)
        self.canvas.label_asked.connect(lambda label: self.label.setCurrentIndex(label - 1))
        self.canvas.width_asked.connect(self.brush.setValue)
        self.eraser = toggle_button("drawing_eraser", "Eraser", "Erase what the brush touches.", self._set_erasing)
        self.undo = tool_button("drawing_undo", "Undo", "Undo the last stroke (Ctrl+Z).", self.canvas.undo)
        self.clear = tool_button("drawing_clear", "Clear", "Erase everything; Undo brings it back.")
        self.clear.clicked.connect(self.canvas.clear)
        row = QHBoxLayout()
        name = plain_label("Width", of=self.brush)
        for widget in (self.label, name, self.brush, self.eraser, self.undo, self.clear):
            row.addWidget(widget)
        row.addStretch(1)
        return row

    @property
    def text(self) -> str:
        """The drawing as a configuration holds it."""
        return drawing_text(self.canvas.strokes)

    @Slot(int)
    def _set_label(self, place: int) -> None:
        self.canvas.label = place + 1
        self.eraser.setChecked(False)
        self.canvas.update()

    @Slot(float)
    def _set_width(self, width: float) -> None:
        self.canvas.width_ = round(width, 2)
        self.canvas.update()

    @Slot(bool)
    def _set_erasing(self, on: bool) -> None:
        self.canvas.erasing = on
        self.canvas.update()

    @Slot()
    def _show(self) -> None:
        classes = {stroke.label for stroke in self.canvas.strokes}
        enough = len(classes) > 1
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(enough)
        self.undo.setEnabled(self.canvas.can_undo)
        self.clear.setEnabled(bool(self.canvas.strokes))
        full = " The drawing is full." if self.canvas.places >= MOST_PLACES else ""
        advice = _ROOM_WORDS if enough else "Draw with two classes at least."
        self.told.setText(
            f"{self.canvas.places:,} of {MOST_PLACES:,} brush marks in {len(classes)} classes.{full} {advice}"
        )


class DrawingField(QWidget, Field):
    """A button that opens the drawing."""

    edited = Signal()
    finished = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = ""
        self.dialog: DrawingDialog | None = None
        self.button = push_button("draw", "Draw…", "Open a canvas with a brush for each class.")
        self.told = plain_label(role="muted")
        row_of(self.button, (self.told, 1), inside=self)
        self.setFocusProxy(self.button)
        self.button.clicked.connect(self._open)

    def raw(self) -> str:
        return self._text

    def show_value(self, value: str) -> None:
        self._text = value
        self.told.setText(summary(value))

    @Slot()
    def _open(self) -> None:
        self.dialog = DrawingDialog(self._text, self)
        self.dialog.finished.connect(self._closed)
        self.dialog.open()

    @Slot(int)
    def _closed(self, result: int) -> None:
        dialog, self.dialog = self.dialog, None
        if dialog is None:
            return
        if result == QDialog.DialogCode.Accepted and dialog.text != self._text:
            self.show_value(dialog.text)
            self.edited.emit()
            self.finished.emit()
        dialog.deleteLater()

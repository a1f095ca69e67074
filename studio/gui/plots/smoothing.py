"""How many points of a curve are averaged: a slider with the number beside it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QLabel, QSlider, QWidget

from studio.gui.widgets.layouts import row_of
from studio.gui.widgets.tooltip import named, set_help
from studio.number_text import whole

_WINDOWS = (1, 2, 3, 5, 8, 12, 20, 30, 50, 80, 120, 200, 300, 500, 1000)


class Smoothing(QWidget):
    """The slider."""

    changed = Signal(int)  # points

    def __init__(self, name: str, points: int, tip: str) -> None:
        super().__init__()
        self._allowed = True
        self.slider = named(QSlider(Qt.Orientation.Horizontal), name, "Smoothing, in points", tip)
        self.slider.setRange(0, len(_WINDOWS) - 1)
        self.slider.setPageStep(2)
        self.slider.setFixedWidth(80)
        self.slider.setValue(_WINDOWS.index(points))
        self._told = QLabel()
        self._told.setFixedWidth(self._told.fontMetrics().horizontalAdvance("1,000 pts") + 4)
        set_help(self._told, "Points averaged", tip)
        row_of(QLabel("Smooth"), self.slider, self._told, inside=self)
        self.slider.valueChanged.connect(self._on_slider)
        self._on_slider()

    def allow(self, *, on: bool) -> None:
        """Whether several may be averaged, which does not suit every curve; the slider keeps its place."""
        self._allowed = on
        self.slider.setEnabled(on)
        self._tell()

    @property
    def points(self) -> int:
        """In the moving average; 1 is none."""
        return _WINDOWS[self.slider.value()] if self._allowed else 1

    @Slot()
    def _on_slider(self) -> None:
        self._tell()
        self.changed.emit(self.points)

    def _tell(self) -> None:
        self._told.setText("off" if self.points == 1 else f"{whole(self.points)} pts")

"""Rows and columns of widgets, written as they look."""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLayout, QScrollArea, QVBoxLayout, QWidget

Part = QWidget | QLayout | tuple[QWidget | QLayout, int] | int
"""Of a row or column: a widget or layout, alone or with its stretch; a number is empty room that stretches."""
Margins = int | tuple[int, int, int, int] | None

_Box = TypeVar("_Box", bound=QBoxLayout)


def row_of(*parts: Part, inside: QWidget | None = None, margins: Margins = 0, spacing: int = -1) -> QHBoxLayout:
    """Parts side by side.

    Args:
        inside: the widget that they fill; None for a part of another layout.
        margins: around them, or at the left, top, right and bottom; None for the style's own.
        spacing: between them; the style's own if it is negative.
    """
    return _filled(QHBoxLayout(), parts, inside, margins, spacing)


def column_of(*parts: Part, inside: QWidget | None = None, margins: Margins = 0, spacing: int = -1) -> QVBoxLayout:
    """Parts below one another, as in `row_of`."""
    return _filled(QVBoxLayout(), parts, inside, margins, spacing)


_FRAME = QSize(2, 32)
"""Pixels of a window's frame, about, before it has one."""


def resize_to_fit(window: QWidget, size: QSize) -> None:
    """Give a window this size, or as much of it as its screen has room for."""
    window.resize(size.boundedTo(window.screen().availableSize() - _FRAME))


def scrolled(content: QWidget, *, frame: QFrame.Shape = QFrame.Shape.NoFrame) -> QScrollArea:
    """A window on what may be larger, and is as wide as it where there is room."""
    area = QScrollArea(widgetResizable=True)
    area.setFrameShape(frame)
    area.setWidget(content)
    return area


def _filled(box: _Box, parts: tuple[Part, ...], inside: QWidget | None, margins: Margins, spacing: int) -> _Box:
    if inside is not None:
        inside.setLayout(box)
    if isinstance(margins, int):
        margins = (margins,) * 4
    if margins is not None:
        box.setContentsMargins(*margins)
    if spacing >= 0:
        box.setSpacing(spacing)
    fill(box, *parts)
    return box


def fill(box: QBoxLayout, *parts: Part) -> None:
    """Append parts to a row or column."""
    for part in parts:
        one, stretch = part if isinstance(part, tuple) else (part, 0)
        if isinstance(one, int):
            box.addStretch(one)
        elif isinstance(one, QLayout):
            box.addLayout(one, stretch)
        else:
            box.addWidget(one, stretch)

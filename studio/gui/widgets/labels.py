"""Labels of plain text, all made alike."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from studio.gui.widgets.tooltip import set_help


def plain_label(
    text: str = "",
    *,
    name: str = "",
    role: str = "",
    wraps: bool = False,
    title: str = "",
    tip: str = "",
    of: QWidget | None = None,
) -> QLabel:
    """A label that shows its text as it is, without markup.

    Args:
        name: of the object, for tests.
        role: by which the style sheet colours it.
        wraps: over as many lines as it takes.
        title, tip: for screen readers and the mouse.
        of: the widget that it is the name of.
    """
    label = QLabel(text, textFormat=Qt.TextFormat.PlainText, wordWrap=wraps)
    label.setObjectName(name)
    if role:
        label.setProperty("role", role)
    if tip:
        set_help(label, title, tip)
    if of is not None:
        label.setBuddy(of)
    return label


def wrapped_label(name: str = "", role: str = "", *, text: str = "", of: QWidget | None = None) -> QLabel:
    """A plain label that wraps rather than widen its panel."""
    label = plain_label(text, name=name, role=role, wraps=True, of=of)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    return label

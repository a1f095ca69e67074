"""Labels of plain text, all made alike, and a line that is shortened to the room that there is."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from studio.gui.widgets.stylesheet import set_style_property
from studio.gui.widgets.tooltip import set_help, tooltip
from studio.number_text import NO_BREAK, unbroken


class WrappedLabel(QLabel):
    """Its lines end anywhere but within a share; `text` is as it was given."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent, wordWrap=True)
        self.setText(text)

    def setText(self, text: str) -> None:
        super().setText(unbroken(text))

    def text(self) -> str:
        return super().text().replace(NO_BREAK, " ")


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
    label = WrappedLabel(text) if wraps else QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
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


_LEAST = 50  # pixels


class Elided(QLabel):
    """One line, shortened in its middle to the room that there is; the tooltip has all of it.

    Args:
        snug: it takes no more room than its text.
    """

    def __init__(self, name: str = "", *, snug: bool = False) -> None:
        super().__init__()
        self.setObjectName(name)
        self._whole = ""
        self._snug = snug
        self.setTextFormat(Qt.TextFormat.PlainText)
        policy = QSizePolicy.Policy.Maximum if snug else QSizePolicy.Policy.Ignored
        self.setSizePolicy(policy, QSizePolicy.Policy.Preferred)

    def show_text(self, text: str, role: str) -> None:
        self._whole = " ".join(text.split())
        self.setToolTip(tooltip(text))
        set_style_property(self, "role", role)
        self.updateGeometry()
        self._fit()

    def sizeHint(self) -> QSize:
        return QSize(self._width(), super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        return QSize(min(self._width(), _LEAST) if self._snug else 0, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _width(self) -> int:
        return self.fontMetrics().horizontalAdvance(self._whole) + 1

    def _fit(self) -> None:
        self.setText(self.shortened(self.contentsRect().width()))

    def shortened(self, width: int) -> str:
        """As much of the text as there is room for, in pixels."""
        return self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideMiddle, width)

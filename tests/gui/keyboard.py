"""What a person needs of every control: that Tab reaches it, a name for screen readers, and a word on what it does."""

from collections.abc import Iterator

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractScrollArea,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialogButtonBox,
    QDockWidget,
    QHeaderView,
    QLineEdit,
    QPlainTextEdit,
    QScrollBar,
    QTabBar,
    QTextEdit,
    QWidget,
)
from pytestqt.qtbot import QtBot

_KINDS = (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QTabBar,
    QTextEdit,
)
_PARTS = (QScrollBar, QHeaderView)
"""Of a view that has the keyboard itself."""
_WHOLE = (QAbstractSpinBox, QComboBox)
"""What is inside them is theirs."""
_MOST_CELLS = 40
_OWN = {"mousePressEvent", "mouseReleaseEvent", "mouseDoubleClickEvent", "wheelEvent"}


def controls(root: QWidget) -> list[QWidget]:
    """Everything below `root` that can be seen and answers to a mouse."""
    return [widget for widget in root.findChildren(QWidget) if _is_control(widget)]


def _is_control(widget: QWidget) -> bool:
    if not widget.isEnabled() or not can_be_seen(widget) or isinstance(widget, _PARTS):
        return False
    if any(isinstance(parent, _WHOLE) for parent in _parents(widget)) or _is_of_a_title_bar(widget):
        return False
    own = type(widget).__module__.startswith("studio.")
    return isinstance(widget, _KINDS) or (own and bool(_OWN & vars(type(widget)).keys()))


def can_be_seen(widget: QWidget) -> bool:
    """Whether any of it is on the screen; what scrolls is covered by its viewport, and that by what is in it."""
    parts = [widget]
    if isinstance(widget, QAbstractScrollArea):
        parts += [widget.viewport(), *widget.viewport().findChildren(QWidget)]
    return any(not part.visibleRegion().isEmpty() for part in parts)


def _parents(widget: QWidget) -> Iterator[QWidget]:
    parent = widget.parentWidget()
    while parent is not None:
        yield parent
        parent = parent.parentWidget()


def _is_of_a_title_bar(widget: QWidget) -> bool:
    """Qt's own buttons that float and close a panel, for which the View menu has keys."""
    return isinstance(widget.parentWidget(), QDockWidget) and isinstance(widget, QAbstractButton)


def misses(shown: list[QWidget], reached: list[QWidget]) -> list[str]:
    """Controls that Tab never came to, in words; of buttons that exclude one another arrows go to the others."""
    groups = [button.group() for button in reached if isinstance(button, QAbstractButton) and button.group()]
    return [
        f"Tab never comes to {described(widget)}"
        for widget in shown
        if widget not in reached and not (isinstance(widget, QAbstractButton) and widget.group() in groups)
    ]


def faults(widget: QWidget) -> list[str]:
    """What a control lacks, in words."""
    found = []
    if not _named(widget):
        found.append("has no accessible name")
    said = widget.toolTip() or widget.accessibleDescription() or isinstance(widget.parentWidget(), QDialogButtonBox)
    if not said:
        found.append("has no tooltip")
    return [f"{described(widget)} {fault}" for fault in found]


def _named(widget: QWidget) -> bool:
    return bool(widget.accessibleName() or (isinstance(widget, QAbstractButton) and widget.text()))


def described(widget: QWidget) -> str:
    """A widget in an error message."""
    place = " < ".join(parent.objectName() or type(parent).__name__ for parent in list(_parents(widget))[:3])
    return f"{type(widget).__name__} “{widget.objectName() or widget.accessibleName()}” in {place}"


def walk(qtbot: QtBot, first: QWidget, key: Qt.Key, modifier: Qt.KeyboardModifier) -> list[QWidget]:
    """All that Tab, or Shift+Tab, goes to from `first` until it is back; in a table it goes from cell to cell."""
    first.setFocus()
    found, cells = [first], 0
    while True:
        qtbot.keyClick(found[-1], key, modifier)
        widget = QApplication.focusWidget()
        assert widget is not None
        assert can_be_seen(widget), f"{described(widget)} has the keyboard and cannot be seen"
        if widget is found[-1] and cells < _MOST_CELLS:
            cells += 1
            continue
        cells = 0
        if widget in found:
            break
        found.append(widget)
    assert widget is first, f"it is caught between {described(found[-1])} and {described(widget)}"
    return found

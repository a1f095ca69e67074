"""Tab goes the way the layout reads, also through widgets that were made later, and what it reaches can be seen."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget, QLayout, QScrollArea, QWidget


def follow_layout(container: QWidget) -> None:
    """Have Tab visit what is in `container` in the order of its layouts, beginning where it begins now."""
    for before, after in pairwise(_stops(container)):
        QWidget.setTabOrder(before, after)


def reveal(widget: QWidget) -> None:
    """Scroll a widget into sight; Qt does so only for Tab within one scrolled area, not into it."""
    parent = widget.parentWidget()
    while parent is not None:
        if isinstance(parent, QScrollArea):
            parent.ensureWidgetVisible(widget)
        parent = parent.parentWidget()


def go_to(dock: QDockWidget) -> None:
    """Show a panel and put the keyboard into it, at the first thing that Tab would reach."""
    dock.show()
    dock.raise_()
    dock.activateWindow()
    panel = dock.widget()
    target = panel.nextInFocusChain()
    while target is not None and target is not panel:
        if panel.isAncestorOf(target) and _takes_tab(target):
            break
        target = target.nextInFocusChain()
    (target or panel).setFocus(Qt.FocusReason.ShortcutFocusReason)
    reveal(target or panel)


def _takes_tab(widget: QWidget) -> bool:
    tab = bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
    return tab and widget.isEnabled() and widget.isVisible()


def _stops(widget: QWidget) -> Iterator[QWidget]:
    # What hands the keyboard on is in Qt's order, too: left where it was made, it takes Tab there.
    if widget.focusPolicy() & Qt.FocusPolicy.TabFocus or widget.focusProxy() is not None:
        yield widget
    layout = widget.layout()
    if layout is not None:
        yield from _stops_of_layout(layout)


def _stops_of_layout(layout: QLayout) -> Iterator[QWidget]:
    for place in range(layout.count()):
        item = layout.itemAt(place)
        widget = item.widget() if item is not None else None
        inner = item.layout() if item is not None else None
        if widget is not None:
            yield from _stops(widget)
        elif inner is not None:
            yield from _stops_of_layout(inner)

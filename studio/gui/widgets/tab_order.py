"""Tab goes the way the layout reads, also through widgets that were made later, and what it reaches can be seen."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLayout, QScrollArea, QWidget


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


def focus_first(panel: QWidget, name: str) -> None:
    """Put the keyboard into a panel that can be seen: into its child of that name, else the first that Tab would reach.

    Qt walks the chain, not `nextInFocusChain`: that makes each widget own the next one's Python side, so that a button
    of a legend which went took the window's menus and layouts with it.
    """
    child = panel.findChild(QWidget, name) if name else None
    if isinstance(child, QWidget) and not child.isHidden():
        child.setFocus(Qt.FocusReason.ShortcutFocusReason)
        return
    panel.setFocus(Qt.FocusReason.ShortcutFocusReason)
    panel.focusNextChild()
    if not panel.isAncestorOf(panel.window().focusWidget()):
        panel.setFocus(Qt.FocusReason.ShortcutFocusReason)  # there is nothing in it that takes the keyboard
    reveal(panel.window().focusWidget() or panel)


def _stops(widget: QWidget) -> Iterator[QWidget]:
    # What hands the keyboard on is in Qt's order, too: left where it was made, it takes Tab there.
    if widget.focusPolicy() & Qt.FocusPolicy.TabFocus or widget.focusProxy() is not None:
        yield widget
    layout = widget.layout()
    if layout is not None:
        yield from _stops_of_layout(layout)


def _stops_of_layout(layout: QLayout) -> Iterator[QWidget]:
    for part in _parts(layout):
        yield from _stops_of_layout(part) if isinstance(part, QLayout) else _stops(part)


def _parts(layout: QLayout) -> list[QWidget | QLayout]:
    """Widgets and layouts that a layout holds, in its order.

    Asked by `indexOf`, not `itemAt`: the Python side of an item outlives the item, and Qt's next object at that
    address, a menu for one, was then taken for an item.
    """
    direct, container = Qt.FindChildOption.FindDirectChildrenOnly, layout.parentWidget()
    widgets = container.findChildren(QWidget, options=direct) if container is not None else []
    layouts = layout.findChildren(QLayout, options=direct)
    places: dict[QWidget | QLayout, int] = {widget: layout.indexOf(widget) for widget in widgets}
    places |= {inner: layout.indexOf(inner) for inner in layouts}
    return sorted((part for part, place in places.items() if place >= 0), key=places.__getitem__)

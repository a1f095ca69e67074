"""What a widget says of itself: a tooltip that wraps, and the same words for a screen reader."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from studio.gui.widgets.tooltip import tooltip


def explain(widget: QWidget, name: str, text: str) -> None:
    """Name a widget for screen readers and say in a tooltip what it is; the formula goes into a second sentence."""
    widget.setAccessibleName(name)
    widget.setAccessibleDescription(text)
    widget.setToolTip(tooltip(text))

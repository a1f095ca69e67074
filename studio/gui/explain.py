"""What a widget says of itself: a tooltip that wraps, and the same words for a screen reader."""

from __future__ import annotations

from html import escape

from PySide6.QtWidgets import QWidget


def wrapped(text: str) -> str:
    """Plain text as a tooltip that wraps; Qt keeps plain tooltips on one line, however long."""
    return f"<qt>{escape(text)}</qt>"


def explain(widget: QWidget, name: str, text: str) -> None:
    """Name a widget for screen readers and say in a tooltip what it is; the formula goes into a second sentence."""
    widget.setAccessibleName(name)
    widget.setAccessibleDescription(text)
    widget.setToolTip(wrapped(text))

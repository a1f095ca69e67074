"""The pens of a target's outline and of an interval, which stand out from every class's colour."""

from __future__ import annotations

from PySide6.QtGui import QColor, QPen

from studio.tokens import Tokens


def outline_pens(tokens: Tokens) -> tuple[QPen, QPen]:
    """One to draw all with first, in the colour of what is below, and the pen itself."""
    return QPen(QColor(tokens.surface), 3.5), QPen(QColor(tokens.target), 1.5)

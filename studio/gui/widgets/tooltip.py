"""What a widget says of itself: a tooltip that wraps, the same for a screen reader, and what its keys do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import TypeVar

from PySide6.QtWidgets import QWidget

from studio.number_text import unbroken

_Widget = TypeVar("_Widget", bound=QWidget)


def rich(text: str) -> str:
    """Plain text as rich text, with powers of e set as such."""
    return re.sub(r"\be\^(−?\w+)", r"e<sup>\1</sup>", escape(unbroken(text), quote=False))


@lru_cache(maxsize=256)
def tooltip(*paragraphs: str) -> str:
    """Rich text of plain paragraphs; empty ones are left out. Most are asked for again at every report of a run."""
    return "".join(f"<p style='margin: 2px 0'>{rich(text)}</p>" for text in paragraphs if text)


def named(widget: _Widget, name: str, title: str, tip: str) -> _Widget:
    """The widget, with the name of the object, for tests and style, and with what `set_help` says."""
    widget.setObjectName(name)
    set_help(widget, title, tip)
    return widget


def set_help(widget: QWidget, name: str, text: str) -> None:
    """Name a widget for screen readers and say in a tooltip what it is; the formula goes into a second sentence."""
    widget.setAccessibleName(name)
    widget.setAccessibleDescription(text)
    widget.setToolTip(tooltip(text))


@dataclass(frozen=True, slots=True)
class KeyHelp:
    """Keys of a kind of widget, which has it as its class attribute ``KEYS``, so that the list of all cannot go stale.

    Attributes:
        where: the keyboard must be, such as "In a plot".
        keys: what is done, and by which keys.
    """

    where: str
    keys: tuple[tuple[str, str], ...]

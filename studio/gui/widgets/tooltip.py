"""Tooltips: one sentence that says what it is, then the formula; wrapped, which Qt does for rich text only. No Qt."""

from __future__ import annotations

from html import escape


def tooltip(*paragraphs: str) -> str:
    """Rich text of plain paragraphs; empty ones are left out."""
    return "".join(f"<p style='margin: 2px 0'>{escape(text)}</p>" for text in paragraphs if text)

"""Names of classes and files from outside, as they are compared.

One name can be spelt in several ways: an accented letter as one character (NFC, what people type) or as a letter and
an accent (NFD, what macOS may write). The studio holds all names composed, so that equal names are equal strings.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable

_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[\d¹²³]|lpt[\d¹²³]) *(\..*)?", re.IGNORECASE)


def composed(name: str) -> str:
    """The name in NFC: one string for all spellings of the same letters."""
    return unicodedata.normalize("NFC", name)


def shown_name(name: str) -> str:
    """A file's name or path as text that can be shown, saved and compared, whatever bytes it has."""
    return composed(os.fsencode(name).decode("utf-8", "backslashreplace"))


def file_system_key(name: str) -> str:
    """Equal for names that are one file on some system: macOS and Windows tell neither case nor spelling apart."""
    return composed(composed(name).casefold())


def listed(names: Iterable[str], most: int = 12) -> str:
    """The first of some names, and that there are more."""
    known = list(names)
    return ", ".join(known[:most]) + ("…" if len(known) > most else "")


def is_reserved(name: str) -> bool:
    """Whether Windows keeps the name for a device, so that no file or folder can have it."""
    return _RESERVED.fullmatch(name) is not None

"""Names of classes and files from outside, as they are compared and read.

One name can be spelt in several ways: an accented letter as one character (NFC, what people type) or as a letter and
an accent (NFD, what macOS may write). The studio holds all names composed, so that equal names are equal strings.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Collection
from enum import Enum
from itertools import islice
from typing import Any

MOST_LISTED, _LONGEST = 12, 40
"""Names in a sentence, and letters of each."""
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


def listed(names: Collection[str]) -> str:
    """The first of some names, and how many more there are."""
    more = f" and {len(names) - MOST_LISTED:,} more" if len(names) > MOST_LISTED else ""
    return ", ".join(name[:_LONGEST] for name in islice(names, MOST_LISTED)) + more


def shortened(name: str, most: int) -> str:
    """At most so many letters, of both ends: one often tells a name from others as well as the other."""
    half = (most - 1) // 2
    return name if len(name) <= most else f"{name[: most - 1 - half]}…{name[-half:]}"


def is_reserved(name: str) -> bool:
    """Whether Windows keeps the name for a device, so that no file or folder can have it."""
    return _RESERVED.fullmatch(name) is not None


def spoken(name: str) -> str:
    """A snake_case name in words."""
    return name.replace("_", " ")


def readable(value: Any) -> str:
    """A value as a title: its own ``label`` if it has one, else its words; without vowels it is an abbreviation."""
    if isinstance(label := getattr(value, "label", None), str):
        return label
    words = str(value.value if isinstance(value, Enum) else value).replace("_", " ").replace("-", " ").split()
    words = [word if set(word.lower()) & set("aeiouy") else word.upper() for word in words]
    text = " ".join(words)
    return text[:1].upper() + text[1:]

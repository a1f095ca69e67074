"""The text of a formula, checked token by token before Python's own parser sees any of it.

Only numbers, names, operators, commas and round brackets pass, within caps on length and nesting: no string, attribute,
subscript, assignment or comment can be written with them.
"""

from __future__ import annotations

import keyword
import math
import re

from studio.errors import UserError

LONGEST = 500
DEEPEST = 64
"""Caps on characters, and on how deeply brackets and operations nest."""

OPERATORS = "+ − * / % ** < <= > >= == != and or not"
_WORDS = {"and", "or", "not"}
_PLAIN = str.maketrans({"−": "-", "–": "-", "×": "*", "·": "*", "÷": "/", "\u00a0": " ", "\t": " "})
_TOKEN = re.compile(
    r"(?P<space> +)|(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(?![A-Za-z_0-9.])"
    r"|(?P<name>[A-Za-z_][A-Za-z_0-9]*)|(?P<open>\()|(?P<close>\))|(?P<operator>\*\*|<=|>=|==|!=|/(?!/)|[-+*%<>,])"
)
_HINTS = {
    "=": "Compare with ==.",
    "^": "Powers are written **.",
    "&": "Write “and”.",
    "|": "Write “or”.",
    "//": "Write floor(a/b).",
    "if": "Write where(condition, a, b).",
    "else": "Write where(condition, a, b).",
}


class FormulaError(UserError):
    """What is wrong with a formula, and where.

    Args:
        title: what happened.
        message: what is allowed; the column is put before it.
        hint: what to do next.
        column: place of the fault, from 1; one past the end where something is missing.
    """

    def __init__(self, title: str, message: str, hint: str = "", *, column: int) -> None:
        super().__init__(title, f"Column {column}: {message}", hint, field="perturbation.terms")
        self.column = column


def too_deep(column: int) -> FormulaError:
    """The refusal of a formula that nests beyond `DEEPEST`."""
    return FormulaError(
        "The formula nests too deeply", f"at most {DEEPEST} levels are read.", "Split it in two terms.", column=column
    )


def checked_text(text: str) -> str:
    """`text` in ASCII, of the same length, with nothing but tokens that formulas may hold, and its brackets in pairs.

    Raises:
        FormulaError: it holds something else, breaks off, or is beyond the caps.
    """
    if len(text) > LONGEST:
        raise FormulaError("The formula is too long", f"at most {LONGEST} characters are read.", column=LONGEST + 1)
    plain = text.translate(_PLAIN)
    if not plain.strip(" "):
        raise FormulaError("There is no formula yet", "write one, such as 0.1*ink.", column=1)
    place, last, opened = 0, "", list[int]()
    while place < len(plain):
        token = _TOKEN.match(plain, place)
        if token is None:
            raise _foreign(plain, place)
        kind, word = str(token.lastgroup), token.group()
        if kind == "name" and keyword.iskeyword(word) and word not in _WORDS:
            raise _no_place(word, place)
        if kind == "number" and not math.isfinite(float(word)):
            raise FormulaError("A number is too large", "numbers go up to 1.7e308.", column=place + 1)
        _count_bracket(kind, place, opened)
        last = last if kind == "space" else kind if word not in _WORDS else "operator"
        place = token.end()
    if opened:
        raise FormulaError("A bracket is never closed", "it is opened here.", "Add “)”.", column=opened[-1] + 1)
    if last == "operator":
        raise breaks_off(plain)
    return plain


def breaks_off(text: str) -> FormulaError:
    """The refusal of a formula whose end is missing."""
    column = len(text.rstrip(" ")) + 1
    return FormulaError("The formula breaks off", "a number, feature or function is missing.", column=column)


def _count_bracket(kind: str, place: int, opened: list[int]) -> None:
    if kind == "open":
        opened.append(place)
        if len(opened) > DEEPEST:
            raise too_deep(place + 1)
    elif kind == "close":
        if not opened:
            raise FormulaError("A bracket is closed that was never opened", "take it out.", column=place + 1)
        opened.pop()


def _foreign(text: str, place: int) -> FormulaError:
    """What stands at `place` is no token."""
    sign = text[place]
    if sign in "0123456789":
        return FormulaError("This is not a number", "numbers are written 12, 0.5 or 1e-3.", column=place + 1)
    return _no_place("//" if text.startswith("//", place) else sign, place)


def _no_place(word: str, place: int) -> FormulaError:
    shown = f"“{word}”" if word.isprintable() else f"The character U+{ord(word):04X}"
    return FormulaError(
        f"{shown} has no place in a formula",
        f"it may hold numbers, features, functions, round brackets, commas and {OPERATORS}.",
        _HINTS.get(word, ""),
        column=place + 1,
    )

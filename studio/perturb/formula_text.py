"""The text of a formula, checked token by token before Python's own parser sees any of it.

Only numbers, names, operators, commas and round brackets pass, within caps on length and nesting: no attribute,
subscript, assignment or comment can be written with them. The name of a class stands in quotes, ``"…"``, ``'…'``,
``“…”`` or ``‘…’``, in which a backslash comes before a closing quote that is part of the name, and before a backslash
before that. It is taken out first: the parser sees underscores in its place, and never a string.
"""

from __future__ import annotations

import difflib
import keyword
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from studio.errors import UserError
from studio.names import composed

_MOST_SHOWN = 12
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
_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’"}
_QUOTED = re.compile(
    "|".join(rf"{begin}(?:\\[\\{end}]|\\(?![\\{end}])|[^\\{end}])*{end}" for begin, end in _QUOTES.items())
)
_ESCAPED = re.compile(r"\\([\\\"'”’])")
_WORD = re.compile(r"[A-Za-z_0-9.]")
_HINTS = {
    "=": "Compare with ==.",
    "^": "Powers are written **.",
    "&": "Write “and”.",
    "|": "Write “or”.",
    "//": "Write floor(a/b).",
    "if": "Write where(condition, a, b).",
    "else": "Write where(condition, a, b).",
    **dict.fromkeys(_QUOTES, "A name that is opened by this quote is closed by its like."),
}


def class_number(name: str, classes: Sequence[str], column: int) -> int:
    """The number of the class named at a column of a formula; raises FormulaError, with what was probably meant."""
    known = [composed(each) for each in classes]
    if composed(name) in known:
        return known.index(composed(name))
    folded = {each.casefold(): each for each in reversed(known)}
    close = difflib.get_close_matches(composed(name).casefold(), folded, n=1)
    more = "…" if len(known) > _MOST_SHOWN else ""
    raise FormulaError(
        f"There is no class “{name[:40]}”",
        f"the classes are {', '.join(known[:_MOST_SHOWN])}{more}.",
        f"Did you mean “{folded[close[0]]}”?" if close else "",
        column=column,
    )


class FormulaError(UserError):
    """What is wrong with a formula: what happened, what is allowed there, what to do next, and the place of the fault.

    That is the column from 1, which is put before the message; one past the end where something is missing.
    """

    def __init__(self, title: str, message: str, hint: str = "", *, column: int) -> None:
        super().__init__(title, f"Column {column}: {message}", hint, field="perturbation.terms")
        self.column = column


def too_deep(column: int) -> FormulaError:
    """The refusal of a formula that nests beyond `DEEPEST`."""
    return FormulaError(
        "The formula nests too deeply", f"at most {DEEPEST} levels are read.", "Split it in two terms.", column=column
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedText:
    """The text of a formula that holds nothing but its tokens.

    `plain` is in ASCII, of the same length, its brackets in pairs, with underscores in place of what was `quoted`.
    """

    plain: str
    quoted: Mapping[int, str]


def quoted(name: str) -> str:
    """The name as it is written in a formula."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def checked_text(text: str) -> CheckedText:
    """The text as what parses it may see it; raises FormulaError if it holds something else, breaks off, or is too
    large.
    """
    if len(text) > LONGEST:
        raise FormulaError("The formula is too long", f"at most {LONGEST} characters are read.", column=LONGEST + 1)
    found = {name.start(): name for name in _QUOTED.finditer(text)}
    for place, name in found.items():
        _check_alone(text, place, name.end())
    plain = _QUOTED.sub(lambda name: "_" * len(name.group()), text).translate(_PLAIN)
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
    return CheckedText(
        plain=plain, quoted={place: _ESCAPED.sub(r"\1", name.group()[1:-1]) for place, name in found.items()}
    )


def breaks_off(text: str) -> FormulaError:
    """The refusal of a formula whose end is missing."""
    column = len(text.rstrip(" ")) + 1
    return FormulaError("The formula breaks off", "a number, feature or function is missing.", column=column)


def _check_alone(text: str, begin: int, end: int) -> None:
    """Refuse a name in quotes that something is written on to."""
    for place, at in ((begin, begin - 1), (end, end)):
        beside = text[at : at + 1] if at >= 0 else ""
        if beside and (_WORD.match(beside) or beside in _QUOTES):
            raise FormulaError(
                "The formula cannot be read here",
                "an operator is missing beside the name in quotes.",
                "A quote within a name is written with a backslash before it.",
                column=place + 1,
            )


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
        f"it may hold numbers, features, functions, names of classes in quotes, brackets, commas and {OPERATORS}.",
        _HINTS.get(word, ""),
        column=place + 1,
    )

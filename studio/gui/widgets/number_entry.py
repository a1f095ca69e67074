"""Numbers as people type and paste them, and as tables and editors show them back. No Qt.

Read: a decimal point or comma, a minus sign of any kind, spaces and apostrophes between thousands, ``1e-3``, a per cent
sign. Shown: a true minus sign, a fixed number of digits behind the point so that columns do not jump.
"""

from __future__ import annotations

import math
import re

from studio.number_text import compact, fixed

MINUS = "−"
UNKNOWN = "–"
"""Shown where a number does not exist yet."""

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_DASHES = str.maketrans(dict.fromkeys("\u2212\u2013\u2010\u2011\ufe63\uff0d", "-"))
_BETWEEN_THOUSANDS = re.compile(r"(?<=\d)[\s'\u2019\u00a0\u202f\u2009](?=\d{3}(?!\d))", re.ASCII)
_AFTER_SIGN = re.compile(r"(?<=^[+-])\s+")
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:([.,])[0-9]{3})(?:\1[0-9]{3})+")


class NotANumber(ValueError):  # noqa: N818 - what it says
    """The text is no finite number; the message says so to the person."""


def parse_number(text: str) -> float:
    """The finite number that a person wrote.

    A single comma is a decimal comma. Where both stand, the last of point and comma is the decimal one.

    Raises:
        NotANumber: it is none, or is infinite.
    """
    plain = _plain(text)
    if not _NUMBER.fullmatch(plain):
        raise NotANumber(f"“{_short(text)}” is not a number" if text.strip() else "A number is missing")
    value = float(plain)
    if not math.isfinite(value):
        raise NotANumber(f"“{_short(text)}” is too large a number")
    return value


def parse_percent(text: str) -> float:
    """A share in 0…1 from a number in per cent; the sign may be left out.

    Raises:
        NotANumber: it is no finite number.
    """
    stripped = text.strip()
    return parse_number(stripped[:-1] if stripped.endswith(("%", "\uff05")) else stripped) / 100.0


def _plain(text: str) -> str:
    """`text` with one decimal point and nothing between thousands."""
    plain = _AFTER_SIGN.sub("", _BETWEEN_THOUSANDS.sub("", text.strip().translate(_DASHES)))
    points, commas = plain.count("."), plain.count(",")
    if points and commas:
        decimal = max(".,", key=plain.rindex)
        return plain.replace("," if decimal == "." else ".", "").replace(",", ".")
    if commas == 1:
        return plain.replace(",", ".")
    return plain.replace(",", "").replace(".", "") if _GROUPED.fullmatch(plain) else plain


def _short(text: str) -> str:
    stripped = text.strip()
    return stripped if len(stripped) <= 24 else stripped[:23] + "…"


def plain_number(value: float) -> str:
    """Six significant digits, no more than needed; for editors and the clipboard."""
    mantissa, exponent, power = f"{value + 0.0:.6g}".partition("e")
    return f"{mantissa}e{int(power)}" if exponent else mantissa


def shown_number(value: float) -> str:
    """`plain_number` with a true minus sign."""
    return plain_number(value).replace("-", MINUS)


def shown_offset(value: float) -> str:
    """ΔH with three digits behind the point; never 0.000 unless it is."""
    return compact(value, 2) if value and abs(value) < 0.0005 else fixed(value, 3)


def shown_weight(value: float) -> str:
    """A weight with three digits behind the point, or in two significant ones where that says nothing."""
    if 0 < value < 0.0005:
        return "< 0.001"
    return fixed(value, 3) if value < 9999.9995 else compact(value, 2)


def shown_bytes(size: float) -> str:
    """A size in bytes as a person reads it."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= scale:
            return f"{size / scale:.3g} {unit}"
    return f"{size:.0f} bytes"

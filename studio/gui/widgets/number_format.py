"""Numbers and times as text of steady width, so that nothing jumps while they change. No Qt."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

FIGURE_SPACE = "\u2007"
"""As wide as a digit."""


def compact(value: float, digits: int = 4) -> str:
    """A number in a few significant digits: 12,340 · 0.6895 · 3.2e−7; a dash where there is none."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    if 10 ** (digits - 1) <= abs(value) < 1e7:
        return f"{value:,.0f}".replace("-", "−")
    if value.is_integer() and abs(value) < 1e7:
        return f"{value:.0f}".replace("-", "−")
    # "#" keeps trailing zeros: 1.00 and not 1, so that the width stays.
    return (
        f"{value:#.{digits}g}".rstrip(".").replace("-", "−").replace("e+0", "e").replace("e+", "e").replace("e−0", "e−")
    )


def column(text: str, width: int = 8) -> str:
    """Text set flush right in a column of digits."""
    return text.rjust(width, FIGURE_SPACE)


def classes(number: int) -> str:
    """How many classes there are to tell apart; a single one stands for examples without labels."""
    return f"{number:,} classes" if number > 1 else "no classes"


def whole(value: float) -> str:
    """A count with thousands separators; a dash where there is none."""
    return "–" if not math.isfinite(value) else f"{value:,.0f}".replace("-", "−")


def format_eta(seconds: float, now: datetime | None = None) -> str:
    """The time so many seconds from now: 17:20, or with its day if that is another one: 03:10 on Thu 26 Nov."""
    moment = now or datetime.now()
    end = moment + timedelta(seconds=seconds)
    return f"{end:%H:%M}" if end.date() == moment.date() else f"{end:%H:%M on %a %d %b}"

"""Numbers and times as text of steady width, so that nothing jumps while they change. No Qt."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

FIGURE_SPACE = "\u2007"
"""As wide as a digit."""


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


def format_duration(seconds: float) -> str:
    """Seconds as h:mm:ss, or mm:ss below an hour."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def spoken_duration(seconds: float) -> str:
    """Roughly how long: 5 min, 1 h 05 min, 2.5 days."""
    minutes = max(1, round(seconds / 60))
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes < 48 * 60 else f"{minutes / 1440:.1f} days"

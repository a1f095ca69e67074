"""Numbers, times and counts as people read them: no more digits than say something, true minus signs, steady width."""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta

FIGURE_SPACE = "\u2007"
"""As wide as a digit."""
NO_BREAK = "\u00a0"
"""A space at which no line ends."""
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def power(exponent: int) -> str:
    """10 to the power of it."""
    return "10" + str(exponent).translate(_SUPERSCRIPT)


def compact(value: float, digits: int = 4) -> str:
    """A number in a few significant digits: 12,340 · 0.6895 · 3.2·10⁻⁷; a dash where there is none."""
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
    mantissa, _, exponent = f"{value:#.{digits}g}".partition("e")
    text = mantissa.rstrip(".").replace("-", "−")
    return f"{text}·{power(int(exponent))}" if exponent else text


def short(value: float) -> str:
    """`compact` without zeros that say nothing."""
    text = compact(value)
    return text.rstrip("0").rstrip(".") if "." in text and "·" not in text else text


def plain(value: float, style: str = "g") -> str:
    """A number in Python's format, with a true minus sign; by itself as short as six digits allow: −0.05."""
    return f"{value:{style}}".replace("-", "−")


def fixed(value: float, places: int) -> str:
    """A number with so many digits behind the point, so that nothing moves; a dash where there is none, and no −0."""
    if not math.isfinite(value):
        return compact(value)
    return f"{round(value, places) + 0.0:.{places}f}".replace("-", "−")


def percent(share: float) -> str:
    """A share in 0…1 in a table: two digits behind the point; never 0.00 % or 100.00 % unless it is."""
    value = 100.0 * share
    if 0 < value < 0.0005:
        return "< 0.001 %"
    if 0 < value < 0.005:
        return f"{value:.3f} %"
    if 99.995 <= value < 100:
        return "> 99.99 %"
    return f"{fixed(value, 2)} %" if math.isfinite(value) else compact(value)


def percent_words(share: float, digits: int = 3) -> str:
    """A share in 0…1 in a sentence: so many significant digits, or that it is less or more than any of them says."""
    value = 100.0 * share
    if 0 < value < 0.001:
        return "less than 0.001 %"
    rounded = float(f"{value:.{digits}g}")
    if rounded >= 100 > value:
        return f"more than {100 - 10.0 ** (2 - digits):g} %"
    return f"{rounded + 0.0:g} %".replace("-", "−") if math.isfinite(value) else "an unknown share"


def unbroken(text: str) -> str:
    """A sentence whose lines end anywhere but within a share: 29.4 ± 3.1 %, or 2 → 30 %."""
    return re.sub(r"(?<=[\d∞–]) (?=[%±])|(?<=[±→]) | (?=→)", NO_BREAK, text)


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

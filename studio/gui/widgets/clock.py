"""When something will be, as a person says it. No Qt."""

from __future__ import annotations

from datetime import datetime, timedelta


def clock(seconds: float, now: datetime | None = None) -> str:
    """The time so many seconds from now: 17:20, or with its day if that is another one: 03:10 on Thu 26 Nov."""
    moment = now or datetime.now()
    end = moment + timedelta(seconds=seconds)
    return f"{end:%H:%M}" if end.date() == moment.date() else f"{end:%H:%M on %a %d %b}"

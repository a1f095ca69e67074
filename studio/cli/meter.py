"""How far something is, told on stderr: by a bar in a terminal, and anywhere else by a line now and then.

A bar redraws itself in its own line, which a file would hold a hundred times. Lines come every ten seconds at first,
and ever more rarely the longer it takes.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from studio.progress import Progress

PATIENCE_S = 0.5
"""What takes no longer has no bar."""

_LEAST_PAUSE_S = 10.0
_PAUSE = 0.05  # of the time that it has taken so far
_PREPARING = "{desc} [{elapsed}]"
_PACELESS = "{l_bar}{bar}| {n_fmt}/{total_fmt}{unit} [{elapsed}<{remaining}{postfix}]"
_HAVE_NO_PACE = ("s", "%", "runs")


class Meter:
    """A bar or lines for one piece of work.

    Pace and time left are reckoned from `begin`: before it there is none, whatever is prepared, and what a resumed run
    had done before does not count.

    Args:
        total, unit: when it is done, and in what, in the plural.
        leave: what was begun leaves its last state on the screen.
        patience: seconds for which there is no bar.
        clock: seconds, for lines.
    """

    def __init__(
        self,
        total: int,
        unit: str,
        *,
        leave: bool = True,
        patience: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._total, self._unit, self._leave, self._patience, self._clock = total, unit, leave, patience, clock
        self._text, self._note, self._last, self._done = "", "", "", 0
        self._begun: tuple[int, float] | None = None
        self._started = self._told = clock()
        self._bar = self._new_bar(bar_format=_PREPARING, leave=False) if sys.stderr.isatty() else None

    def _new_bar(self, **more: Any) -> Any:
        from tqdm import tqdm

        # By itself tqdm would wait for as large a step as the last one, and a first stage is often done at once.
        return tqdm(
            total=self._total,
            unit=f" {self._unit}",
            desc=self._text or None,
            file=sys.stderr,
            delay=self._patience,
            miniters=0,
            **more,
        )

    def begin(self, done: int = 0) -> None:
        """What is measured begins, with so much of it done before."""
        self._done, self._begun = done, (done, self._clock())
        if self._bar is not None:
            self._bar.close()
            look = _PACELESS if self._unit in _HAVE_NO_PACE else None
            self._bar = self._new_bar(initial=done, leave=self._leave, bar_format=look)

    def doing(self, text: str, note: str = "", done: int | None = None) -> None:
        """What goes on, a few numbers of it, and how much is done, if that is known."""
        new = text != self._text
        self._text, self._note = text, note
        if self._bar is not None:
            self._bar.set_description_str(text, refresh=False)
            self._bar.set_postfix_str(note, refresh=False)
        self._move(self._done if done is None else done)
        if self._bar is not None and new and self._clock() - self._started >= self._patience:
            self._bar.refresh()
        self._tell_if_due()

    def reach(self, done: int) -> None:
        self._move(done)
        self._tell_if_due()

    def _move(self, done: int) -> None:
        if self._bar is not None:
            self._bar.update(done - self._done)
        self._done = done

    def close(self) -> None:
        """It has ended, well or not."""
        if self._bar is not None:
            self._bar.close()
        elif self._begun is not None and self._leave and self._line() != self._last:
            self._tell()
        self._leave = False  # once is enough

    def _tell_if_due(self) -> None:
        now = self._clock()
        if self._bar is None and now - self._told >= max(_LEAST_PAUSE_S, _PAUSE * (now - self._started)):
            self._tell()

    def _tell(self) -> None:
        self._told, self._last = self._clock(), self._line()
        say(self._last)

    def _line(self) -> str:
        if self._begun is None or not self._text:
            return f"{self._text or 'Preparing'} …"
        before, since = self._begun
        parts = [f"{self._done} %" if self._unit == "%" else f"{self._done:,} of {self._total:,} {self._unit}"]
        new, seconds = self._done - before, self._clock() - since
        if new > 0 and seconds > 0:
            left = seconds * max(0, self._total - self._done) / new
            if self._unit not in _HAVE_NO_PACE:
                pace = new / seconds
                parts.append(f"{pace:,.0f} {self._unit}/s" if pace >= 100 else f"{pace:.3g} {self._unit}/s")
            parts.append(f"{_span(left)} left" if left else f"in {_span(seconds)}")
        if self._note:
            parts.append(self._note)
        return f"{self._text}: {', '.join(parts)}"


def say(text: str) -> None:
    """A line on stderr, above a bar if there is one; lost where that is a file on a disk that is full."""
    from tqdm import tqdm

    try:
        tqdm.write(text, file=sys.stderr)
    except BrokenPipeError:
        raise
    except OSError:  # the work goes on without it
        return


@contextmanager
def progress_bar(clock: Callable[[], float] = time.monotonic) -> Iterator[Progress]:
    """Progress that is shown on stderr if it lasts."""
    meter, most = Meter(100, "%", leave=False, patience=PATIENCE_S, clock=clock), 0
    meter.begin()

    def show(text: str, fraction: float | None) -> None:
        nonlocal most
        most = max(most, round(100 * (fraction or 0)))
        meter.doing(text, done=most)

    try:
        yield Progress(show)
    finally:
        meter.close()


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:,.0f} s"
    return f"{seconds / 60:,.0f} min" if seconds < 7200 else f"{seconds / 3600:,.1f} h"

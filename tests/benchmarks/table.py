"""Measurements beside their targets, as rows of a markdown table."""

import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

HEADER = "| what | against | target | median | quartiles | met | notes |\n|---|---|---|---|---|---|---|"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table.

    Attributes:
        what: is measured.
        against: the baseline of a ratio; "–" where the value stands for itself.
        target: of the median.
        values: one for each block or repetition; none where it could not be measured, for the reason in `notes`.
        at_least: whether the target is a lower bound, not an upper one.
        unit: of target and values; empty for a ratio.
        notes: the figures behind it.
    """

    what: str
    against: str = "–"
    target: float | None
    values: Sequence[float]
    at_least: bool = True
    unit: str = ""
    notes: str = ""

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        wanted = "–" if self.target is None else f"{sign} {self._said(self.target)}"
        median, spread, met = "–", "–", "–"
        if self.values:
            middle = statistics.median(self.values)
            median, spread = self._said(middle), self._spread()
            if self.target is not None:
                met = "yes" if (middle >= self.target) == self.at_least or middle == self.target else "no"
        return f"| {self.what} | {self.against} | {wanted} | {median} | {spread} | {met} | {self.notes} |"

    def _spread(self) -> str:
        if len(self.values) < 4:
            return " ".join(self._said(value) for value in sorted(self.values))
        low, _, high = statistics.quantiles(self.values, n=4)
        return f"{self._said(low)} … {self._said(high)}"

    def _said(self, value: float) -> str:
        return f"{value:.3g} {self.unit}".strip() if self.unit else f"{value:.3f}".rstrip("0").rstrip(".")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Steps a processor second of two contenders, whose blocks take turns."""

    ours: Sequence[float]
    theirs: Sequence[float]

    @property
    def ratios(self) -> list[float]:
        """Ours over theirs, of neighbouring blocks, so that whatever else the machine does slows both."""
        return [mine / other for mine, other in zip(self.ours, self.theirs, strict=True)]

    @property
    def notes(self) -> str:
        return f"{statistics.median(self.ours):.3g} against {statistics.median(self.theirs):.3g} steps/s"


def duel(
    ours: Callable[[], object], theirs: Callable[[], object], *, seconds: float = 0.7, blocks: int = 12, warm: int = 10
) -> Rates:
    """Take steps of both in turn.

    Args:
        ours, theirs: one step.
        seconds: of each block.
        blocks: of each contender.
        warm: steps of each before anything is timed.
    """
    for _ in range(warm):
        ours()
        theirs()
    rates: tuple[list[float], list[float]] = [], []
    for block in range(blocks):
        order = ((0, ours), (1, theirs)) if block % 2 else ((1, theirs), (0, ours))
        for place, step in order:
            rates[place].append(rate(step, seconds))
    return Rates(ours=rates[0], theirs=rates[1])


def rate(step: Callable[[], object], seconds: float) -> float:
    """Steps a second of this process's processor time, for that long.

    With one thread of torch that is what an idle machine would show on the wall: other programs do not count in it.
    """
    begun, taken = time.process_time(), 0
    while (spent := time.process_time() - begun) < seconds:
        step()
        taken += 1
    return taken / spent


def show(rows: Iterable[Row | str]) -> None:
    print(HEADER)
    for row in rows:
        print(row, flush=True)

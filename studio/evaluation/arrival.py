"""Whether a class's share has arrived at its target, and if not, how many more evaluations it may take.

An interval (95 %) that holds the target p′ may hold nearly anything else, too. It tells that the share is at its target
only if all of it is nearer to that than a third of the change asked for, an equivalence test:

    p′ − D/3 ≤ low ≤ p′ ≤ high ≤ p′ + D/3,    D = max_c |p′_c − p_c|

D is the largest change that the target asks of a class; that class has then made two thirds of its way at least. Where
D is below a point, nothing is asked of the classes as such, and p′ takes its place. With g = |share − p′| and half an
interval, the longer one, h ≤ max(g, D/3 − g), which is D/6 at least, it either tells or misses the target. Of h only

    s = 1.96 √(r (1 − r)/n)

is for want of samples, r the share of the n that are recognised; the rest, √(h² − s²), is the judges', and the samples
that are about enough are s² / (max(g, D/3 − g)² − h² + s²) times as many, if there are any.

A share has arrived once such intervals of two evaluations in a row hold the target: one alone does so by chance
wherever the share passes the target. One alone that misses it, as one in twenty does, undoes no arrival; two in a row
do. Until then the gaps g_i = |share_i − target| of the evaluations i since the target is in force are taken to shrink
as training relaxes, g_i ∝ e^{−λ i}; λ and its standard error come from least squares of log g_i, each weighted by
(g_i/σ_i)² as an error σ_i of a share is one of σ_i/g_i in its logarithm. The target is within the interval after

    log(g/h)/λ

more evaluations, and one more confirms it. Where λ is not above its error, or n is large, the share does not arrive.
No torch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from studio.evaluation.evaluation import Evaluation
from studio.evaluation.intervals import Z_95
from studio.perturb.arrays import Floats

KEPT = 12
"""Evaluations that a trend looks back on."""

_CONFIRMED = 2
"""Evaluations in a row that make an arrival, or undo it."""
_TREND = 4
"""Fewer evaluations off the target have no trend."""
_MOST = 50
"""More evaluations than that are no prospect."""
_ASKED = 0.01
"""A target that asks for less of every class is of other things than classes."""
_NOTHING, _FEW = 0.8, 30
"""Wider intervals say nothing, as where hardly a sample is recognised; and how many are hardly any."""
SAME = 1e-6
"""Shares of one target, computed twice, differ by less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """Shares of one evaluation; arrays of shape (K,).

    Attributes:
        step: training steps taken.
        data, target: p, and p′ that the samples were compared with.
        share, low, high: generated, and its 95 % interval.
        count: samples, recognised or not.
        untold: classes that the judge cannot tell from others, knows too few examples of, or says nothing of.
        judge: name of the data whose judge saw it, where they are not the run's own; else empty.
        unsure: share of the samples that are not recognised, so that shares are of the others.
    """

    step: int
    data: Floats
    target: Floats
    share: Floats
    low: Floats
    high: Floats
    count: int
    untold: frozenset[int] = frozenset()
    judge: str = ""
    unsure: float = 0.0

    @classmethod
    def of(cls, step: int, found: Evaluation) -> Sighting:
        """What an evaluation saw of the classes."""
        shares = found.shares
        return cls(
            step=step,
            data=found.data[:-1],
            target=found.target[:-1],
            share=shares.corrected[:-1],
            low=shares.low[:-1],
            high=shares.high[:-1],
            count=shares.count,
            untold=frozenset(shares.uncorrected).union(
                np.flatnonzero(shares.high[:-1] - shares.low[:-1] > _NOTHING).tolist(),
                *(group.classes for group in shares.together),
            ),
            judge=found.judge,
            unsure=float(shares.corrected[-1]),
        )

    @property
    def recognised(self) -> int:
        """Samples that the shares are of."""
        return round(self.count * (1 - self.unsure))

    def holds(self, index: int) -> bool:
        """Whether the target of a class is within the interval of its share."""
        return index not in self.untold and bool(self.low[index] <= self.target[index] <= self.high[index])

    @property
    def why_untold(self) -> str:
        """Why the share of an untold class is not known, in a clause."""
        few, weak = "recognises hardly any of these samples", "cannot tell them from others in these samples"
        return f"the judge {few if self.recognised < _FEW else weak}"

    def half(self, index: int) -> float:
        """Half of the interval."""
        return float(self.high[index] - self.low[index]) / 2

    def margin(self, index: int) -> float:
        """What may be between a target and any share that counts as the same."""
        asked = float(np.abs(self.target - self.data).max())
        return (asked if asked >= _ASKED else float(self.target[index])) / 3

    def tells(self, index: int) -> bool:
        """Whether the interval holds nothing that is far from the target."""
        margin, target = self.margin(index), self.target[index]
        return bool(target - margin <= self.low[index] and self.high[index] <= target + margin)

    def enough(self, index: int) -> int | None:
        """About how many samples would tell one way or the other; None where as many as one likes would not."""
        share = float(self.share[index])
        longer = max(share - float(self.low[index]), float(self.high[index]) - share)
        off = abs(share - float(self.target[index]))
        sampled = min(longer**2, Z_95**2 * share * (1 - share) / max(self.recognised, 1))
        room = max(off, self.margin(index) - off) ** 2 - (longer**2 - sampled)
        return math.ceil(self.count * sampled / room) if room > 0 else None


class Answer(StrEnum):
    """Where a share is on its way."""

    UNKNOWN = "unknown"
    NOT_YET = "not yet"
    ARRIVED = "arrived"
    STALLED = "not arriving"
    TOO_WIDE = "too wide to tell"
    UNTOLD = "untold"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Of one class, with the evaluations until it has arrived, about; None where there is no saying."""

    answer: Answer
    more: int | None = None


def since_edit(seen: Sequence[Sighting]) -> tuple[Sighting, ...]:
    """Those by the newest one's judge since its target is in force, of one run's in the order of their steps."""
    found: list[Sighting] = []
    for each in (each for each in reversed(seen) if each.judge == seen[-1].judge):
        target = seen[-1].target
        if each.target.shape != target.shape or np.abs(each.target - target).max() > SAME:
            break
        if not found or each.step != found[-1].step or not np.array_equal(each.share, found[-1].share):
            found.append(each)  # but not the same samples again
    return tuple(found[::-1])


def arrival(seen: Sequence[Sighting], index: int) -> Arrival:
    """Where a class is, by evaluations of one run and one target in the order of their steps."""
    if not seen or not math.isfinite(seen[-1].share[index]):
        return Arrival(answer=Answer.UNKNOWN)
    if index in seen[-1].untold:
        return Arrival(answer=Answer.UNTOLD)
    newest = seen[-1]
    if _arrived(seen, index):
        return Arrival(answer=Answer.ARRIVED)
    if newest.holds(index):
        return Arrival(answer=Answer.NOT_YET, more=1) if newest.tells(index) else Arrival(answer=Answer.TOO_WIDE)
    found = _prospect(seen, index)
    wide = newest.half(index) > newest.margin(index) / 2
    return replace(found, more=None) if wide else found  # there might be no telling then


def arrival_at_once(seen: Sighting, index: int) -> Arrival:
    """Where a class is of samples that were made for the target without training: there is nothing to wait for."""
    if index in seen.untold:
        return Arrival(answer=Answer.UNTOLD)
    if not seen.holds(index):
        return Arrival(answer=Answer.STALLED)
    return Arrival(answer=Answer.ARRIVED if seen.tells(index) else Answer.TOO_WIDE)


def _arrived(seen: Sequence[Sighting], index: int) -> bool:
    """Whether as many intervals that tell held the target in a row, and since then not as many in a row missed it."""
    arrived, held, missed = False, 0, 0
    for each in seen:
        holds = each.holds(index)
        held, missed = (held + 1 if each.tells(index) else 0, 0) if holds else (0, missed + 1)
        arrived = held >= _CONFIRMED or (arrived and missed < _CONFIRMED)
    return arrived


def _prospect(seen: Sequence[Sighting], index: int) -> Arrival:
    """By the trend of the gap; of those on this side of the target, which it may have passed."""
    off = np.array([each.share[index] - each.target[index] for each in seen])
    error = np.array([max(each.half(index), 1e-9) / Z_95 for each in seen])
    beyond = np.sign(off) != np.sign(off[-1])
    first = int(np.flatnonzero(beyond)[-1]) + 1 if beyond.any() else 0
    gap, error = np.abs(off[first:]), error[first:]
    if len(gap) < _TREND:
        return Arrival(answer=Answer.NOT_YET)
    rate, uncertain = _relaxation(gap, error)
    ahead = math.log(gap[-1] / (Z_95 * error[-1])) / rate if rate > uncertain else math.inf
    if ahead > _MOST:
        return Arrival(answer=Answer.STALLED)
    return Arrival(answer=Answer.NOT_YET, more=max(1, math.ceil(ahead)) + 1)


def _relaxation(gap: Floats, error: Floats) -> tuple[float, float]:
    """λ per evaluation and its standard error."""
    kept = np.maximum(gap, error)  # the logarithm of less would be noise
    weight = (kept / error) ** 2
    place = np.arange(len(gap), dtype=np.float64)
    centred = place - np.average(place, weights=weight)
    spread = float(weight @ centred**2)
    return -float(weight @ (centred * np.log(kept))) / spread, spread**-0.5

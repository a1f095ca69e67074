"""What a comparison of planners found, and what follows from it. Free of torch, so that the window can show it.

    relative variance   tr Cov(g)/|⟨g⟩|², g the gradient of one batch: so many batches have a mean as large as its noise
    bias                |⟨g⟩_planner − ⟨g⟩|/|⟨g⟩|

Variance falls as 1/B_avg, so a planner with a third of another's variance does what the other does with batches three
times as large.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from studio.training.config.planners import PlannerKind

_WORTH = 1.1
"""A planner is recommended over the current one when that has at least this many times its variance, beyond doubt."""
_SIGMAS = 2.0
_ROUNDING = 1e-5


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannerRow:
    """One way to make batches, as measured.

    Attributes:
        kind: the planner; None for fixed-size batches that are each divided by their own Σw, which no planner of the
            studio does, and which shows the bias that the constant B_avg removes.
        trace: tr Cov(g) of one batch, with its standard error.
        bias: |⟨g⟩_planner − ⟨g⟩|/|⟨g⟩|, and what chance alone would show as such.
        batches: gradients that were measured.
    """

    kind: PlannerKind | None
    trace: float
    trace_error: float
    bias: float
    bias_error: float
    batches: int

    @property
    def unbiased(self) -> bool:
        """Whether its bias is no more than chance would show."""
        return self.bias <= _SIGMAS * self.bias_error + _ROUNDING

    @property
    def label(self) -> str:
        return self.kind.label if self.kind is not None else "Own Σw"


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """Which planner to take, the current one if no other is clearly better, and why, in a sentence with numbers."""

    kind: PlannerKind
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannerReport:
    """All planners at one moment of a run, those without bias first.

    Attributes:
        revision: of the perturbation that it holds for.
        network: whose gradient.
        current: the planner that the run uses.
        average_size: B_avg.
        squared_gradient: |⟨g⟩|², unbiased, so that noise may make it negative.
        seconds: what it took.
    """

    step: int
    revision: int
    network: str
    current: PlannerKind
    average_size: float
    squared_gradient: float
    rows: tuple[PlannerRow, ...]
    seconds: float

    def row(self, kind: PlannerKind | None) -> PlannerRow:
        return next(row for row in self.rows if row.kind is kind)

    def relative(self, value: float) -> float:
        """A trace or its error over |⟨g⟩|²; infinite where the gradient is lost in its noise."""
        return value / self.squared_gradient if self.squared_gradient > 0 else math.inf

    @property
    def lowest(self) -> PlannerRow:
        return min((row for row in self.rows if row.kind is not None), key=lambda row: row.trace)

    @property
    def advice(self) -> Advice:
        """Take the planner with the least variance, if that makes a difference."""
        best, now = self.lowest, self.row(self.current)
        assert best.kind is not None
        doubt = _SIGMAS * math.hypot(best.trace_error, now.trace_error)
        factor = now.trace / max(best.trace, 1e-300)
        if best is now or now.trace - best.trace <= doubt or factor < _WORTH:
            return Advice(
                kind=self.current,
                reason=f"Keep {self.current.label.lower()}: no other planner has clearly less variance here.",
            )
        return Advice(
            kind=best.kind,
            reason=f"Take {best.kind.label.lower()}: {factor:.2g} times less variance than "
            f"{self.current.label.lower()}, as if batches were {factor:.2g} times as large, at the same cost.",
        )

    @property
    def on_carry(self) -> str:
        """What error carry does and does not do, with this run's numbers."""
        carry, fixed, own = self.row(PlannerKind.ERROR_CARRY), self.row(PlannerKind.FIXED_SIZE), self.row(None)
        bias = "" if own.unbiased else f" (dividing by each batch's own Σw is off by {100 * own.bias:.2g} %)"
        told = ""
        if all(row.trace > _SIGMAS * row.trace_error for row in (carry, fixed)):
            told = f": it is {carry.trace / fixed.trace:.2f} times that of batches of fixed size"
        return f"Error carry removes the bias of small batches{bias}. It does not lower the variance{told}."

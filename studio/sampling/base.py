"""What every method of sampling another target offers, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeAlias, cast

import numpy as np

from studio.data.scale import Values
from studio.perturb.arrays import Floats, Indices
from studio.progress import Progress
from studio.sampling.pool import Pool
from studio.sampling.tilt import Drawn, Tilt

_UNNOTICED = 0.5

_NO_TAIL = (
    "No k̂: particles are resampled as soon as their weights become uneven, before these have a tail; their number says "
    "what they are worth."
)
"""At e^−s² = ½, where log-normal weights are resampled, k̂ of 64 of them would be above its bound three times in ten."""

Look: TypeAlias = Callable[[Values], Drawn]
"""At images of the model, shape (n, H, W, C)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tilted:
    """Samples of another target than the model's.

    Attributes:
        values: as the data set stores them, shape (n, H, W, C).
        method: by name.
        draws: of the model that it took, or particles.
        seconds: that so many samples take, drawing included.
        effective: independent samples that tell as much.
        distinct: of the samples, how many differ.
        acceptance: share of the draws that were kept; None where none is thrown away.
        pareto_k: k̂ of the weights' tail; None where they have none, as where they are bounded by a few values.
        most_k: k̂ above which means by these weights are not to be trusted.
        weights: of each sample, of mean 1, shape (n,); None where all count alike.
        remarks: what a person should know, a sentence each.
        why: why this method was chosen, a sentence; empty where the person chose.
    """

    values: Values
    method: str
    draws: int
    seconds: float
    effective: float
    distinct: int
    acceptance: float | None = None
    pareto_k: float | None = None
    most_k: float | None = None
    weights: Floats | None = None
    remarks: tuple[str, ...] = ()
    why: str = ""

    def __len__(self) -> int:
        return len(self.values)

    @property
    def seconds_per_100(self) -> float:
        return 100 * self.seconds / max(1, len(self))

    @property
    def reliable(self) -> bool:
        """Whether the tail of the weights lets means by them be trusted."""
        return self.pareto_k is None or self.most_k is None or self.pareto_k <= self.most_k

    def alike(self, rng: np.random.Generator, count: int | None = None) -> Tilted:
        """As many with samples that all count alike, or `count`, some of them then more than once."""
        if self.weights is None:
            return self
        chosen = systematic(self.weights, len(self) if count is None else count, rng)
        distinct = len(np.unique(chosen))
        return replace(self, values=self.values[chosen], weights=None, distinct=distinct)

    def told(self) -> str:
        """How they were made, in sentences."""
        lines = [f"{self.why}."] if self.why else []
        kept = f", {100 * self.acceptance:.3g} % of the draws kept" if self.acceptance is not None else ""
        lines.append(
            f"{len(self):,} samples by {self.method}: {self.draws:,} draws{kept}, {self.distinct:,} different, worth "
            f"{self.effective:,.0f} independent ones; {self.seconds_per_100:.2g} s per 100."
        )
        if self.pareto_k is not None and self.most_k is not None:
            trust = "to be trusted" if self.reliable else "NOT to be trusted: too few draws decide"
            lines.append(f"Pareto k̂ = {self.pareto_k:.2f}, at most {self.most_k:.2f} wanted: the weights are {trust}.")
        elif self.method in ("steer", "chains"):
            lines.append(_NO_TAIL)
        return "\n".join([*lines, *(f"{remark}." for remark in self.remarks)])

    def record(self) -> dict[str, Any]:
        """How they were made, for a JSON file."""
        names = ("method", "draws", "seconds_per_100", "effective", "distinct", "acceptance", "pareto_k", "most_k")
        found = {name: getattr(self, name) for name in names}
        return {"count": len(self), **found, "remarks": list(self.remarks), "why": self.why}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What a method would take.

    Attributes:
        seconds: for all samples.
        says: what it would do, a clause.
        worth: of the samples, over that of copies by weights that may be trusted.
        why_not: why it cannot be relied on, a clause; empty if it can.
    """

    seconds: float
    says: str
    worth: float = 1.0
    why_not: str = ""

    @property
    def cost(self) -> tuple[bool, float]:
        """Of samples that are worth as much; the least is best, and half a second is nobody's loss."""
        return bool(self.why_not), max(self.seconds, _UNNOTICED) / self.worth


class TiltedSampler(Protocol):
    """One method; `name` is that of a `Method`."""

    @property
    def name(self) -> str: ...

    def predict(self, pool: Pool, tilt: Tilt, count: int) -> Prediction:
        """What `count` samples would take, by the draws that are kept in the pool."""

    def sample(self, pool: Pool, tilt: Tilt, count: int, rng: np.random.Generator, progress: Progress) -> Tilted:
        """`count` samples of the model tilted by `tilt`.

        Args:
            pool: of the model's draws.
            rng: of whatever the method itself decides by chance.

        Raises:
            UserError: this method cannot, or would take too long; says what to do.
            Cancelled: the person cancelled.
        """


def joined(parts: Sequence[Values]) -> Values:
    """Values of one kind, one after another."""
    return cast(Values, np.concatenate(parts))


def effective_size(weights: Floats) -> float:
    """(Σw)²/Σw², Kish's."""
    total = float(weights.sum())
    return total**2 / float((weights**2).sum()) if total else 0.0


def systematic(weights: Floats, count: int, rng: np.random.Generator) -> Indices:
    """`count` places by weight from one random number, each within one of its expected count, in random order.

    Source: G. Kitagawa, J. Comput. Graph. Stat. 5, 1 (1996).
    """
    edges = np.cumsum(weights / weights.sum())
    edges[-1] = 1.0
    chosen = np.searchsorted(edges, (np.arange(count) + rng.random()) / count, side="right")
    return rng.permutation(np.minimum(chosen, len(weights) - 1))

"""−log Z of a tilt by a ladder of smaller ones between, each of which overlaps with the next.

One sample of p gives Z_s = ⟨e^{−sΔH}⟩, but few of its draws count where ESS/n is small. Of neighbours a and b with n
draws each, with Δu = (s_b − s_a)·ΔH and f(x) = 1/(1 + e^x), the best estimate ΔF of −log(Z_b/Z_a) solves

    Σ_{draws of a} f(Δu − ΔF) = Σ_{draws of b} f(ΔF − Δu)        (Bennett acceptance ratio, BAR)

with the variance (2/n)·(1/O − 1), where O = Σ 2·p_a·p_b/(p_a + p_b) is how far the two overlap, 1 if they are the same.
That of the sum counts that a rung has a part in the step below it and in the one above.

Sources: C. Bennett, J. Comput. Phys. 22, 245 (1976); M. Shirts et al., Phys. Rev. Lett. 91, 140601 (2003).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from studio.perturb.arrays import Floats

OVERLAP = 0.5
"""Of neighbours, at least. For a normal ΔH more rungs with as many draws in all would have an error 8 % smaller."""
_STEP = 1.8
"""s·√Var(ΔH) between neighbours; they overlap by about a half where ΔH is normal."""
_HALVINGS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """−log Z of the last of several scales s, shape (k,), from the first on, with its standard error."""

    scales: Floats
    free_energy: float
    error: float

    @classmethod
    def of(cls, energies: ArrayLike, scales: ArrayLike) -> Ladder:
        """By ΔH of n independent draws of each tilt, shape (k, n)."""
        h, s = (np.asarray(values, dtype=np.float64) for values in (energies, scales))
        free, pull = 0.0, np.zeros_like(h)
        for a in range(len(s) - 1):
            below, above = (s[a + 1] - s[a]) * h[a : a + 2]
            step = _acceptance_ratio(below, above)
            kept, back = _fermi(below - step), _fermi(step - above)
            bend = (kept * (1 - kept)).sum() + (back * (1 - back)).sum()
            pull[a] -= (kept - kept.mean()) / bend
            pull[a + 1] += (back - back.mean()) / bend
            free += step
        return cls(scales=s, free_energy=free, error=float(np.sqrt((pull**2).sum())))

    @classmethod
    def drawn(
        cls, energy: ArrayLike, scale: float, draws: int, rng: np.random.Generator, counts: ArrayLike | None = None
    ) -> Ladder:
        """By so many draws in all of a finite set, with ΔH of each, shape (n,), or of kinds of `counts` ones."""
        h, s = np.asarray(energy, dtype=np.float64), rungs(energy, scale, counts)
        size = max(2, draws // len(s))
        drawn = [rng.choice(h, size, p=_tilted(h, each, counts)) for each in s.tolist()]
        return cls.of(np.stack(drawn), s)


def rungs(energy: ArrayLike, scale: float, counts: ArrayLike | None = None) -> Floats:
    """Scales from 0 to that one whose neighbours overlap by `OVERLAP` or more, for ΔH of a finite set, shape (n,)."""
    h, found = np.asarray(energy, dtype=np.float64), [0.0]
    while found[-1] < scale:
        p = _tilted(h, found[-1], counts)
        spread = float(np.sqrt(p @ (h - p @ h) ** 2))
        following = min(scale, found[-1] + _STEP / spread) if spread else scale
        while overlap(p, _tilted(h, following, counts)) < OVERLAP:
            following = found[-1] + 0.8 * (following - found[-1])
        found.append(following)
    return np.array(found)


def overlap(one: Floats, other: Floats) -> float:
    """O of two distributions over the same kinds, shapes (n,)."""
    both = one + other
    return float((2 * one * other / np.where(both > 0, both, 1)).sum())


def _tilted(h: Floats, scale: float, counts: ArrayLike | None) -> Floats:
    """p_s."""
    weights = np.exp(-scale * (h - h.min())) * (1.0 if counts is None else np.asarray(counts, dtype=np.float64))
    p: Floats = weights / weights.sum()
    return p


def _acceptance_ratio(below: Floats, above: Floats) -> float:
    """ΔF, by halving the interval of all Δu, within which it lies."""
    low, high = min(below.min(), above.min()), max(below.max(), above.max())
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _fermi(below - middle).sum() < _fermi(middle - above).sum():
            low = middle
        else:
            high = middle
    return float(low + high) / 2


def _fermi(x: Floats) -> Floats:
    return np.asarray(np.exp(-np.logaddexp(0.0, x)))

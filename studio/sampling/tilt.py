"""From the target that a model was trained for to another one: log W(x) of what it draws.

    log W(x) = log Σ_c p(c|x)·(m_c/q_c)·e^{−δH(x, c)},   δH = ΔH₁ − ΔH₀

with p(c|x) by the classes that the model makes, and m/q what it misses of ΔH₀'s; see `studio.sampling.own_shares`.
Terms are evaluated on the draws as they are. What both targets hold alike cancels, so it need not be known of draws: a
column of a file is known of the data's own examples only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from studio.data.scale import Values
from studio.errors import UserError
from studio.perturb.arrays import Floats
from studio.perturb.energy import Energy
from studio.perturb.example_features import COLUMN, ExampleFeatures
from studio.perturb.perturbation import Perturbation
from studio.sampling.own_shares import OwnShares

_JUDGED = f"{COLUMN}judge:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """n draws.

    Attributes:
        values: as the data set stores them, shape (n, H, W, C).
        probabilities: p(c|x) by a classifier that takes classes to be as frequent as in the data, shape (n, K).
        measured: their features, and the log-odds of judges.
    """

    values: Values
    probabilities: Floats
    measured: ExampleFeatures

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two energies.

    Attributes:
        offsets: ΔH per class.
        energy: what is added.
        middle: what its clip is measured from, the median of ΔH over the data; None without a clip.
    """

    offsets: tuple[float, ...]
    energy: Energy
    middle: float | None = None

    def of(self, measured: ExampleFeatures) -> Floats:
        """ΔH(x, c) of n draws as each of K classes, shape (n, K).

        Raises:
            UserError: it is not finite of one of them.
        """
        columns = [
            self.energy.of_examples(self.offsets, measured.in_class(index), self.middle).energy
            for index in range(len(self.offsets))
        ]
        return np.stack(columns, axis=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tilt:
    """δH.

    Attributes:
        before: ΔH₀, without what both hold.
        after: ΔH₁, likewise.
    """

    before: Side
    after: Side

    @classmethod
    def between(
        cls,
        trained: Perturbation,
        wanted: Perturbation,
        middles: tuple[float | None, float | None] = (None, None),
    ) -> Tilt:
        """From one target to another.

        Args:
            trained, wanted: ΔH₀ and ΔH₁.
            middles: what their clips are measured from.

        Raises:
            UserError: δH holds a column, which nothing is known of off the data.
        """
        before, after = _without_common(trained.energy, wanted.energy)
        if (trained.offsets, trained.energy) == (wanted.offsets, wanted.energy):
            before = after = Energy()
        for energy in (before, after):
            _ensure_known(energy)
        sides = [
            Side(offsets=target.offsets, energy=energy, middle=middle)
            for target, energy, middle in zip((trained, wanted), (before, after), middles, strict=True)
        ]
        return cls(before=sides[0], after=sides[1])

    def log_weights(self, drawn: Drawn, own: OwnShares) -> Floats:
        """log W of n draws, shape (n,); errors as of `log_parts`."""
        logs = self.log_parts(drawn, own)
        top = logs.max(1)
        return np.asarray(top + np.log(np.exp(logs - top[:, None]).sum(1)))

    def log_parts(self, drawn: Drawn, own: OwnShares) -> Floats:
        """What each class adds to W of n draws, in logarithms, shape (n, K).

        Raises:
            UserError: an energy is not finite of one of them.
        """
        change = self.after.of(drawn.measured) - self.before.of(drawn.measured)
        return np.asarray(own.log_posterior(drawn.probabilities) + own.log_missed - change)

    def ceiling(self, own: OwnShares) -> float | None:
        """log W_max, which no draw exceeds; None if δH depends on more than the class, and nothing is known of it."""
        change = self.by_class
        return None if change is None else float((own.log_missed - change).max())

    @property
    def by_class(self) -> Floats | None:
        """δH_c, shape (K,); None if it depends on more than the class."""
        classes = np.arange(len(self.after.offsets))
        if any(side.energy.clip is not None or side.energy.names for side in (self.before, self.after)):
            return None
        nothing = ExampleFeatures(np.zeros((len(classes), 0)), classes, [""] * len(classes))
        before, after = (side.energy.of_examples(side.offsets, nothing).energy for side in (self.before, self.after))
        return np.asarray(after - before)


def _without_common(before: Energy, after: Energy) -> tuple[Energy, Energy]:
    """Both without the terms that they hold alike, which cancel where nothing is clipped."""
    left, right = ([term for term in energy.terms if term.active] for energy in (before, after))
    if before.temperature == after.temperature and before.clip is None and after.clip is None:
        for term in [*left]:
            if term in right:
                left.remove(term)
                right.remove(term)
    return replace(before, terms=tuple(left)), replace(after, terms=tuple(right))


def _ensure_known(energy: Energy) -> None:
    """Refuse a column of a file."""
    for term in energy.terms:
        if any(name.startswith(COLUMN) and not name.startswith(_JUDGED) for name in term.names):
            raise UserError(
                "A column of a file cannot be sampled at once",
                f"{term.title[0].upper()}{term.title[1:]} gives ΔH of the data's own examples, and of nothing else.",
                "Switch the term off, use a formula or a judge in its place, or train it instead.",
                field="perturbation.terms",
            )

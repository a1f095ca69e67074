"""What a judge made of the examples held out from it, and the confusion that follows from it under a tilt.

With weights w of the held-out examples i of true class k,

    C_jk = Σ_i w_i [i judged j] / Σ_i w_i,     known from m_k = (Σ_i w_i)² / Σ_i w_i² examples

A tilt that differs within a class shows the judge other examples of it, which it may confuse more or less often: its
confusion is that of the examples as they are weighted, known from as many as Kish counts. Source: L. Kish, Survey
Sampling (1965). No torch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from studio.perturb.arrays import Floats, Indices

_TRUSTED = 2.0
"""Examples judged right that are added to each class: of a class that nothing is known of, shares stay as judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """Examples a judge was not trained on, by place in the data, with true and judged class, K for unsure, all (M,)."""

    examples: Indices
    truth: Indices
    judged: Indices

    def confusion(self, classes: int, log_weights: Floats | None = None) -> Floats:
        """Held-out examples by judged class (rows, "unsure" last) and true class, counts of shape (K + 1, K).

        By log w of every example, any gauge, shape (N,), a column adds up to m_k, which need not be whole; a class
        whose examples all weigh nothing counts none. Without weights they count evenly.
        """
        log = np.zeros(len(self.truth)) if log_weights is None else log_weights[self.examples]
        greatest = np.full(classes, -np.inf)
        np.maximum.at(greatest, self.truth, log)
        greatest[np.isneginf(greatest)] = 0.0
        weights = np.exp(log - greatest[self.truth])
        table = np.zeros((classes + 1, classes))
        np.add.at(table, (self.judged, self.truth), weights)
        squares = np.bincount(self.truth, weights**2, minlength=classes)
        return table * np.divide(table.sum(axis=0), squares, out=np.zeros(classes), where=squares > 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """C_jk = P(judged j | truly k) as far as it is known.

    What belongs to no class is a class of its own, the last, and judged unsure always.

    Attributes:
        rates: C, judged class by true class, shape (K + 1, K + 1).
        known: m_k, examples held out of each class, infinitely many of the last, shape (K + 1,).
        added: examples of each class that were added to these and judged right.
    """

    rates: Floats
    known: Floats
    added: float = _TRUSTED

    @property
    def behind(self) -> Floats:
        """Examples behind each column: m_k and those added, shape (K + 1,)."""
        return self.known + self.added

    @classmethod
    def of(cls, confusion: Floats) -> Rates:
        """Rates in held-out examples, counts (K + 1, K), to which two of each class are added that are judged right."""
        known = confusion.sum(axis=0)
        rates = (confusion + _TRUSTED * np.eye(*confusion.shape)) / (known + _TRUSTED)
        unsure = np.eye(len(rates))[:, -1:]
        return cls(rates=np.hstack([rates, unsure]), known=np.append(known, np.inf))

    def adding(self, added: float) -> Rates:
        """The same with another number of examples added."""
        right = np.eye(len(self.rates))
        seen = np.divide(self.behind, self.known + added, out=np.ones(len(right)), where=np.isfinite(self.known))
        return Rates(rates=right + (self.rates - right) * seen, known=self.known, added=added)

    def doubt(self, shares: Floats) -> Floats:
        """What C π is off by for what is not known of C: Σ_k π_k² (diag C_k − C_k C_kᵀ)/m_k, shape (K + 1, K + 1)."""
        weight = shares**2 / self.behind
        covariance: Floats = np.diag(self.rates @ weight) - (self.rates * weight) @ self.rates.T
        return covariance


def sampling_covariance(judged: Floats, count: float) -> Floats:
    """Covariance of the shares of n samples, (diag q − q qᵀ)/n, where they are q, shape (K + 1,), on average."""
    covariance: Floats = (np.diag(judged) - np.outer(judged, judged)) / count
    return covariance

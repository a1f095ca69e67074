"""Which classes a model makes, and what a classifier's p(c|x) is by these.

A classifier that learned from data with the class shares π says p(c|x) of these. Of draws with the class shares q

    p_q(c|x) ∝ p(c|x)·q_c/π_c,     q_c = ⟨p_q(c|x)⟩

the second being a fixed point that expectation maximisation finds. A model that was trained for the shares m misses
them a little. By chance alone, q would differ from m by K − 1 of

    χ² = Σ_x (Σ_c (q_c − m_c)·p(x|c)/Σ_c m_c·p(x|c))²

and by so much q is drawn towards m (positive-part James–Stein). Weights then hold the factor m_c/q_c too, by which the
model missed.

Sources: M. Saerens, P. Latinne, C. Decaestecker, Neural Comput. 14, 21 (2002); W. James, C. Stein (1961).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from studio.perturb.arrays import Floats

_ROUNDS = 200
_SETTLED = 1e-6
_LEAST_SHARE = 1e-12
_MOST_MISSED = math.log(4)
"""A class of which the model makes less than a quarter of its share is missed too much to be made up for by copies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnShares:
    """Of one model.

    Attributes:
        prior: π, shape (K,).
        shares: q, shape (K,).
        meant: m, shape (K,).
    """

    prior: Floats
    shares: Floats
    meant: Floats

    @classmethod
    def of(cls, probabilities: Floats, prior: Floats, meant: Floats) -> OwnShares:
        """From p(c|x) of n draws, shape (n, K)."""
        prior, meant = (np.maximum(shares, _LEAST_SHARE) for shares in (prior, meant))
        likelihoods = probabilities / prior
        found = mixture_shares(likelihoods, meant)
        excess = float(((likelihoods @ (found - meant) / (likelihoods @ meant)) ** 2).sum())
        certain = max(0.0, 1 - (len(meant) - 1) / excess) if excess > 0 else 0.0
        return cls(prior=prior, shares=meant + certain * (found - meant), meant=meant)

    def log_posterior(self, probabilities: Floats) -> Floats:
        """log p_q(c|x), shape (n, K); −∞ where the classifier says 0."""
        joint = probabilities * (self.shares / self.prior)
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(joint) - np.log(joint.sum(1, keepdims=True)))

    @property
    def log_missed(self) -> Floats:
        """log m_c/q_c, shape (K,), at most a factor of 4 either way."""
        return np.asarray(np.clip(np.log(self.meant / self.shares), -_MOST_MISSED, _MOST_MISSED))


def mixture_shares(likelihoods: Floats, start: Floats) -> Floats:
    """The shares q of K classes that make n draws the likeliest, Σ_x log Σ_c q_c·p(x|c), shape (K,).

    Args:
        likelihoods: p(x|c) up to a factor of each x, shape (n, K).
        start: q to begin with, shape (K,), positive.
    """
    shares = start / start.sum()
    for _ in range(_ROUNDS):
        joint = likelihoods * shares
        before, shares = shares, (joint / joint.sum(1, keepdims=True)).mean(0)
        shares = np.maximum(shares, _LEAST_SHARE)
        if np.abs(shares - before).sum() < _SETTLED:
            break
    return np.asarray(shares / shares.sum())

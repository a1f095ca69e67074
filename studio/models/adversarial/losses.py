"""What critic and generator make small, per example, of the critic's scores s = D(x) and s′ = D(G(z)).

    minimax          −log σ(s)          −log(1 − σ(s′))       generator   log(1 − σ(s′))
    non-saturating   the same                                 generator   −log σ(s′)         (the −log D trick)
    hinge            max(0, 1 − s)      max(0, 1 + s′)        generator   −s′
    Wasserstein      −s                 s′                    generator   −s′

σ is the logistic function; its logarithms are softplus, log σ(s) = −softplus(−s), which neither overflows nor rounds
to log 0. At the best critic of the first two, ⟨log σ(s)⟩ + ⟨log(1 − σ(s′))⟩ = 2·JS − 2·log 2.
Sources: I. Goodfellow et al., arXiv:1406.2661 (2014); J. H. Lim, J. C. Ye, arXiv:1705.02894 (2017);
M. Arjovsky et al., arXiv:1701.07875 (2017).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import assert_never

import torch.nn.functional as F
from torch import Tensor

from studio.models.adversarial.config import AdversarialLoss


class Loss(ABC):
    """Terms of the critic's scores; every argument has shape (B,)."""

    @abstractmethod
    def real(self, scores: Tensor) -> Tensor:
        """The critic's term of each real example, shape (B,)."""

    @abstractmethod
    def fake(self, scores: Tensor) -> Tensor:
        """The critic's term of each generated image, shape (B,)."""

    def generator(self, scores: Tensor) -> Tensor:
        """The generator's term of each generated image, shape (B,)."""
        return -scores

    def fake_metrics(self, fake: Tensor) -> Mapping[str, Tensor]:
        """Scalars for the curves, from the generated images' scores."""
        return {}

    def example_metrics(self, real: Tensor, fake: Tensor) -> Mapping[str, Tensor]:
        """Values of each real example, shape (B,), whose weighted mean the curves show."""
        return {"critic_gap": real - fake.mean()}


class Wasserstein(Loss):
    """−s, s′; the gap of the means estimates the Wasserstein distance of a critic of slope 1."""

    def real(self, scores: Tensor) -> Tensor:
        return -scores

    def fake(self, scores: Tensor) -> Tensor:
        return scores


class Hinge(Loss):
    """max(0, 1 − s), max(0, 1 + s′)."""

    def real(self, scores: Tensor) -> Tensor:
        return F.relu(1 - scores)

    def fake(self, scores: Tensor) -> Tensor:
        return F.relu(1 + scores)


class NonSaturating(Loss):
    """Two-class cross entropy; the generator maximises log D(G(z))."""

    def real(self, scores: Tensor) -> Tensor:
        return F.softplus(-scores)

    def fake(self, scores: Tensor) -> Tensor:
        return F.softplus(scores)

    def generator(self, scores: Tensor) -> Tensor:
        return F.softplus(-scores)

    def fake_metrics(self, fake: Tensor) -> Mapping[str, Tensor]:
        return {"fake_probability": fake.sigmoid().mean()}

    def example_metrics(self, real: Tensor, fake: Tensor) -> Mapping[str, Tensor]:
        return {"real_probability": real.sigmoid(), "js_estimate": js_estimate(real, fake)}


class Minimax(NonSaturating):
    """Two-class cross entropy; the generator minimises log(1 − D(G(z)))."""

    def generator(self, scores: Tensor) -> Tensor:
        return -F.softplus(scores)


def js_estimate(real: Tensor, fake: Tensor) -> Tensor:
    """½·(log σ(s) + ⟨log(1 − σ(s′))⟩ + 2·log 2) of each real example, in nats, shape (B,); at most log 2.

    Its mean bounds the JS divergence from below; s has shape (B,), s′ of the fakes (B′,).
    """
    return math.log(2) - 0.5 * (F.softplus(-real) + F.softplus(fake).mean())


def loss_of(kind: AdversarialLoss | None) -> Loss:
    """The loss of that name; Wasserstein's if there is none."""
    match kind:
        case None:
            return Wasserstein()
        case AdversarialLoss.NON_SATURATING:
            return NonSaturating()
        case AdversarialLoss.MINIMAX:
            return Minimax()
        case AdversarialLoss.HINGE:
            return Hinge()
        case _:
            assert_never(kind)

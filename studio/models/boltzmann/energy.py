"""Energies of restricted Boltzmann machines, centred.

    E(v, h) = base(u) − b·u − (h − λ)·a,   a = c + Wᵀu,   h ∈ {0, 1}^H
    F(v)    = −log Σ_h exp(−E) = base(u) − b·u + λ·a − Σ_j log(1 + e^{a_j})
    visible units given h are independent, with natural parameter t = b + W(h − λ)

    Bernoulli   v ∈ {0, 1}^D,  u = v − μ,        base = 0
    Gaussian    v ∈ ℝ^D,       u = (v − μ)/σ,    base = ½‖u‖²

An inverse temperature β ≤ 1 multiplies the hidden units' part alone, E_β = base − b·u − β·(h − λ)·a, so that β = 0
makes the visible units independent: it mixes in one step, and its partition function is known.

The offsets μ and λ are no parameters: they only choose coordinates, in which ∂F/∂W = (v − μ)(λ − σ(a))ᵀ is centred, so
that W does not learn what the biases should. They follow the mean activities, while b and c are changed to leave the
distribution as it was. Sources: P. Smolensky (1986); M. Welling et al., NIPS 17 (2004); K. Cho et al., ICANN (2011),
enhanced gradient; G. Montavon, K.-R. Müller (2012); J. Melchior et al., JMLR 17 (2016), centring.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Beta = Tensor | float
"""Inverse temperature: a number, or a tensor that broadcasts against (…, 1)."""

_LEAST_MEAN = 0.01
"""A pixel that was never white in one batch may be in the next."""


class Machine(nn.Module, ABC):
    """Weights W, shape (D, H), of D visible and H hidden units, with biases b (D,) and c (H,), and offsets μ (D,) and λ
    (H,).

    The weights begin with a standard deviation of `scale`, drawn from torch's global stream.
    """

    visible_offset: Tensor
    hidden_offset: Tensor

    def __init__(self, visible: int, hidden: int, *, scale: float = 0.01) -> None:
        super().__init__()
        self.weight = nn.Parameter(nn.init.normal_(torch.empty(visible, hidden), std=scale))
        self.visible_bias = nn.Parameter(torch.zeros(visible))
        self.hidden_bias = nn.Parameter(torch.zeros(hidden))
        self.register_buffer("visible_offset", torch.zeros(visible))
        self.register_buffer("hidden_offset", torch.zeros(hidden))

    @property
    def visible(self) -> int:
        return self.weight.shape[0]

    @property
    def hidden(self) -> int:
        return self.weight.shape[1]

    @abstractmethod
    def coordinates(self, v: Tensor) -> Tensor:
        """u of visible values v, both of shape (…, D)."""

    @abstractmethod
    def base_energy(self, u: Tensor) -> Tensor:
        """base(u), shape (…,)."""

    @abstractmethod
    def log_normaliser(self, field: Tensor) -> Tensor:
        """log ∫ exp(t·u(v) − base) dv, or the sum over v, for `field` t of shape (…, D); shape (…,), in nats."""

    @abstractmethod
    def visible_mean(self, field: Tensor) -> Tensor:
        """⟨v⟩ given the field t, both of shape (…, D)."""

    @abstractmethod
    def draw_visible(self, field: Tensor, rng: torch.Generator) -> Tensor:
        """v given the field t, both of shape (…, D)."""

    @abstractmethod
    def scatter(self, v: Tensor, rng: torch.Generator) -> Tensor:
        """Visible values without structure, of the shape of `v`: where chains begin."""

    def hidden_input(self, v: Tensor) -> Tensor:
        """a = c + Wᵀu, shape (…, H), for v of shape (…, D)."""
        return self.hidden_bias + self.coordinates(v) @ self.weight

    def visible_field(self, h: Tensor, beta: Beta = 1.0) -> Tensor:
        """t = b + β·W(h − λ), shape (…, D), for h of shape (…, H)."""
        return self.visible_bias + beta * ((h - self.hidden_offset) @ self.weight.T)

    def draw_hidden(self, v: Tensor, rng: torch.Generator, beta: Beta = 1.0) -> Tensor:
        """h ~ p_β(h|v), shape (…, H), for v of shape (…, D)."""
        return bernoulli((beta * self.hidden_input(v)).sigmoid(), rng)

    def free_energy(self, v: Tensor, beta: Beta = 1.0) -> Tensor:
        """F_β(v) in nats, shape (…,), for v of shape (…, D)."""
        u = self.coordinates(v)
        a = self.hidden_bias + u @ self.weight
        return self.base_energy(u) - u @ self.visible_bias + self.hidden_part(a, beta)

    def hidden_part(self, a: Tensor, beta: Beta = 1.0) -> Tensor:
        """β·λ·a − Σ_j log(1 + e^{β·a_j}), the part of F that a temperature changes; shape (…,) for a of (…, H)."""
        warm = beta * a
        return warm @ self.hidden_offset - F.softplus(warm).sum(-1)

    @abstractmethod
    def field_of(self, mean: Tensor) -> Tensor:
        """The field t at which ⟨v⟩ is `mean`, both of shape (D,); near it where no finite one exists."""

    @torch.no_grad()
    def begin(self, visible_mean: Tensor, *, centred: bool) -> None:
        """Independent pixels of these means, shape (D,), before anything is learned; λ = ½ if it is to be centred.

        Otherwise the hidden units would learn the mean image first, all alike, and saturate.
        """
        if centred:
            self.visible_offset.copy_(visible_mean)
            self.hidden_offset.fill_(0.5)
        self.visible_bias.copy_(self.field_of(visible_mean))

    @torch.no_grad()
    def recentre(self, visible_mean: Tensor, hidden_mean: Tensor, rate: float) -> None:
        """Move the offsets by a part of the way, in 0…1, to mean activities (D,) and (H,); the distribution stays as it
        is.

            μ ← μ + Δμ,  c ← c + Wᵀ·Δu;     λ ← λ + Δλ,  b ← b + W·Δλ
        """
        before = self.coordinates(self.visible_offset + rate * (visible_mean - self.visible_offset))
        self.shift_visible(rate * (visible_mean - self.visible_offset))
        self.hidden_bias.add_(before @ self.weight)
        step = rate * (hidden_mean - self.hidden_offset)
        self.hidden_offset.add_(step)
        self.visible_bias.add_(self.weight @ step)

    @torch.no_grad()
    def shift_visible(self, step: Tensor) -> None:
        """μ ← μ + step, shape (D,); b changes only if base(u) does."""
        self.visible_offset.add_(step)


class BernoulliMachine(Machine):
    """Black-and-white visible units; values between 0 and 1 are taken as probabilities."""

    def coordinates(self, v: Tensor) -> Tensor:
        return v - self.visible_offset

    def base_energy(self, u: Tensor) -> Tensor:
        return u.new_zeros(())

    def log_normaliser(self, field: Tensor) -> Tensor:
        return F.softplus(field).sum(-1) - field @ self.visible_offset

    def visible_mean(self, field: Tensor) -> Tensor:
        return field.sigmoid()

    def draw_visible(self, field: Tensor, rng: torch.Generator) -> Tensor:
        return bernoulli(field.sigmoid(), rng)

    def field_of(self, mean: Tensor) -> Tensor:
        return mean.clamp(_LEAST_MEAN, 1 - _LEAST_MEAN).logit()

    def scatter(self, v: Tensor, rng: torch.Generator) -> Tensor:
        return bernoulli(torch.full_like(v, 0.5), rng)


class GaussianMachine(Machine):
    """Visible units of any value, with one width σ for all, whose logarithm is a parameter.

    `least_width` is what σ never falls below, for an image whose pixels hardly vary would drive it to 0.
    """

    def __init__(
        self, visible: int, hidden: int, *, scale: float = 0.01, width: float = 1.0, least_width: float = 0.0
    ) -> None:
        super().__init__(visible, hidden, scale=scale)
        self.log_width = nn.Parameter(torch.tensor(math.log(width)))
        self._least = math.log(least_width) if least_width else -math.inf

    @property
    def width(self) -> Tensor:
        """σ, scalar."""
        return self.log_width.clamp(min=self._least).exp()

    def coordinates(self, v: Tensor) -> Tensor:
        return (v - self.visible_offset) / self.width

    def base_energy(self, u: Tensor) -> Tensor:
        return 0.5 * u.square().sum(-1)

    def log_normaliser(self, field: Tensor) -> Tensor:
        constant = self.visible * (self.width.log() + 0.5 * math.log(2 * math.pi))
        return 0.5 * field.square().sum(-1) + constant

    def visible_mean(self, field: Tensor) -> Tensor:
        return self.visible_offset + self.width * field

    def draw_visible(self, field: Tensor, rng: torch.Generator) -> Tensor:
        return self.visible_mean(field) + self.width * normal_like(field, rng)

    def field_of(self, mean: Tensor) -> Tensor:
        return (mean - self.visible_offset) / self.width

    def scatter(self, v: Tensor, rng: torch.Generator) -> Tensor:
        return self.width * normal_like(v, rng)

    @torch.no_grad()
    def shift_visible(self, step: Tensor) -> None:
        """½‖u‖² − b·u keeps its minimum, v = μ + σ·b, when b ← b − step/σ."""
        super().shift_visible(step)
        self.visible_bias.sub_(step / self.width)


def bernoulli(probability: Tensor, rng: torch.Generator) -> Tensor:
    """1 with that probability, else 0; of the shape and type of `probability`."""
    draw = torch.rand(probability.shape, generator=rng, device=probability.device, dtype=probability.dtype)
    return (draw < probability).to(probability.dtype)


def normal_like(like: Tensor, rng: torch.Generator) -> Tensor:
    """N(0, 1), of the shape, device and type of `like`."""
    return torch.randn(like.shape, generator=rng, device=like.device, dtype=like.dtype)

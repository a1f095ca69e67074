"""Ways to bound a critic's slope, sup ‖∇D‖: each may change the critic, add a penalty, or act after its steps.

clip                w ← min(max(w, −c), c) after each step      (M. Arjovsky et al., arXiv:1701.07875, 2017)
gradient penalty    + λ·⟨(‖∇D(x̂)‖ − 1)²⟩, or one-sided + λ·⟨max(0, ‖∇D(x̂)‖ − 1)²⟩,  x̂ = u·x + (1 − u)·G(z)
                                                               (I. Gulrajani et al., arXiv:1704.00028, 2017)
spectral norm       W ← W/σ(W), W each layer's matrix                  (T. Miyato et al., arXiv:1802.05957, 2018)
spectral penalty    + ½·λ·Σ_l σ(W_l)²                           (Y. Yoshida, T. Miyato, arXiv:1705.10941, 2017)
parameter penalty   + λ·⟨w·‖∇_θ D(x)‖²⟩, which bounds ‖∇_x D‖, see `sensitivity`
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import assert_never

import torch
from torch import Tensor, nn

from studio.errors import UserError
from studio.models.adversarial.config import Constraint, LipschitzConfig, PenaltySides
from studio.models.adversarial.sensitivity import is_perceptron, parameter_squares
from studio.models.adversarial.spectral import SingularValue, iterate_norms, normalise, weight_layers
from studio.models.diagnostic import Reference

_EPSILON = 1e-12
"""Inside the root of ‖∇D‖² + ε, whose slope would otherwise be infinite at ∇D = 0."""


def interpolates(real: Tensor, fake: Tensor, rng: torch.Generator) -> Tensor:
    """x̂ = u·x + (1 − u)·x′ with one u ~ U(0, 1) per pair; all of shape (B, C, H, W)."""
    share = torch.rand(len(real), 1, 1, 1, generator=rng, device=real.device, dtype=real.dtype)
    return torch.lerp(fake, real, share)


def gradient_norm(critic: nn.Module, images: Tensor) -> Tensor:
    """√(‖∇D(x)‖² + ε) at each of `images` (B, C, H, W), shape (B,); can be differentiated again."""
    images = images.detach().requires_grad_()
    (slope,) = torch.autograd.grad(critic(images).sum(), images, create_graph=True)
    return (slope.flatten(1).square().sum(1) + _EPSILON).sqrt()


def gradient_penalty(norm: Tensor, sides: PenaltySides) -> Tensor:
    """⟨(‖∇D‖ − 1)²⟩ of `norm`, shape (B,); one-sided ⟨max(0, ‖∇D‖ − 1)²⟩."""
    excess = norm - 1
    if sides is PenaltySides.ONE:
        excess = excess.clamp(min=0)
    return excess.square().mean()


@dataclass(frozen=True, slots=True, kw_only=True)
class Penalty:
    """What a constraint adds to the critic's loss, a scalar or nothing, and to that of each real example, shape (B,) or
    nothing, which carries its weight; with detached scalars for the curves.
    """

    value: Tensor | None = None
    data: Tensor | None = None
    metrics: Mapping[str, Tensor] = field(default_factory=dict)


class Lipschitz(nn.Module):
    """No constraint; the others build on it. Its buffers, if any, are memory and not weights.

    `weight_limits` are lines to draw in a histogram of the critic's weights.
    """

    weight_limits: tuple[Reference, ...] = ()

    def penalty(self, critic: nn.Module, real: Tensor, fake: Tensor, rng: torch.Generator) -> Penalty:
        """The term to add for a critic (B, C, H, W) → (B, 1), with real and fake images, both (B, C, H, W)."""
        return Penalty()

    @torch.no_grad()
    def after_step(self, critic: nn.Module) -> None:
        """Called after each step of the critic."""


class Clip(Lipschitz):
    """Every parameter of the critic stays within ±c."""

    def __init__(self, limit: float) -> None:
        super().__init__()
        self.limit = limit
        self.weight_limits = tuple(Reference(value=sign * limit, title=f"{sign * limit:+g}") for sign in (-1, 1))

    def penalty(self, critic: nn.Module, real: Tensor, fake: Tensor, rng: torch.Generator) -> Penalty:
        weights = nn.utils.parameters_to_vector(critic.parameters()).detach()
        # A shade below c, to which float32 rounds.
        return Penalty(metrics={"clipped_share": (weights.abs() >= 0.999999 * self.limit).to(weights).mean()})

    @torch.no_grad()
    def after_step(self, critic: nn.Module) -> None:
        weights: list[Tensor] = list(critic.parameters())
        torch._foreach_clamp_min_(weights, -self.limit)
        torch._foreach_clamp_max_(weights, self.limit)


class GradientPenalty(Lipschitz):
    """The slope between real and generated images is pulled to 1."""

    def __init__(self, config: LipschitzConfig) -> None:
        super().__init__()
        self._config = config

    def penalty(self, critic: nn.Module, real: Tensor, fake: Tensor, rng: torch.Generator) -> Penalty:
        norm = gradient_norm(critic, interpolates(real, fake, rng))
        value = gradient_penalty(norm, self._config.penalty_sides)
        metrics = {"gradient_norm": norm.detach().mean(), "gradient_penalty": value.detach()}
        return Penalty(value=self._config.penalty_weight * value, metrics=metrics)


class SpectralNormalisation(Lipschitz):
    """Every layer's weight, as a matrix, stretches by at most 1; a convolution may stretch by more: see `spectral`."""

    def __init__(self, critic: nn.Module) -> None:
        super().__init__()
        normalise(critic)

    @torch.no_grad()
    def after_step(self, critic: nn.Module) -> None:
        iterate_norms(critic)


class SpectralPenalty(Lipschitz):
    """Layers whose weights, as matrices, stretch a lot cost λ."""

    def __init__(self, weight: float, critic: nn.Module) -> None:
        super().__init__()
        self._weight = weight
        self.followers = nn.ModuleList(SingularValue(layer.weight) for layer in weight_layers(critic))

    def penalty(self, critic: nn.Module, real: Tensor, fake: Tensor, rng: torch.Generator) -> Penalty:
        sigmas = torch.stack([follower.sigma(weight) for follower, weight in self._pairs(critic)])
        value = 0.5 * self._weight * sigmas.square().sum()
        return Penalty(value=value, metrics={"largest_sigma": sigmas.detach().max()})

    @torch.no_grad()
    def after_step(self, critic: nn.Module) -> None:
        for follower, weight in self._pairs(critic):
            follower.iterate(weight)

    def _pairs(self, critic: nn.Module) -> Iterator[tuple[SingularValue, Tensor]]:
        for follower, layer in zip(self.followers, weight_layers(critic), strict=True):
            assert isinstance(follower, SingularValue)
            yield follower, layer.weight


class ParameterPenalty(Lipschitz):
    """Parameters in which the critic is steep at real examples cost λ."""

    def __init__(self, weight: float, critic: nn.Module) -> None:
        super().__init__()
        if not is_perceptron(critic):
            raise UserError(
                "The parameter penalty is for a plain MLP",
                "Gradients of each example by the weights of a convolution or a norm are not at hand.",
                "Choose another constraint, or an MLP without norm for the critic.",
                field="model.lipschitz.kind",
            )
        self._weight = weight

    def penalty(self, critic: nn.Module, real: Tensor, fake: Tensor, rng: torch.Generator) -> Penalty:
        squares = parameter_squares(critic, real)
        return Penalty(data=self._weight * squares, metrics={"parameter_slope": squares.detach().mean().sqrt()})


def constrain(critic: nn.Module, config: LipschitzConfig) -> Lipschitz:
    """The constraint that the settings name; may change `critic` in place, so call it before anything trains."""
    match config.kind:
        case Constraint.NONE:
            return Lipschitz()
        case Constraint.CLIP:
            return Clip(config.clip)
        case Constraint.GRADIENT_PENALTY:
            return GradientPenalty(config)
        case Constraint.SPECTRAL_NORM:
            return SpectralNormalisation(critic)
        case Constraint.SPECTRAL_PENALTY:
            return SpectralPenalty(config.spectral_weight, critic)
        case Constraint.PARAMETER_PENALTY:
            return ParameterPenalty(config.parameter_weight, critic)
        case _:
            assert_never(config.kind)

"""How a critic changes with its parameters and with its input: the first bounds the second, layer by layer.

Of a perceptron a_l = W_l·h_{l−1} + b_l, h_l = φ(a_l), h_0 = x, D = a_L, with δ_l = ∂D/∂a_l,

    ∂D/∂W_l = δ_l·h_{l−1}ᵀ,   ∂D/∂b_l = δ_l      so that ‖∇_l D‖² = ‖δ_l‖²·(1 + ‖h_{l−1}‖²)
    ∂D/∂h_{l−1} = W_lᵀ·δ_l                       so that ‖∂D/∂h_{l−1}‖ ≤ σ(W_l)·‖δ_l‖

With |φ′| ≤ 1 therefore ‖∇_x D‖ ≤ σ(W_1)·…·σ(W_l)·‖δ_l‖ for each l, and

    ‖∇_x D‖²·(1 + ‖h_{l−1}‖²)/(σ(W_1)·…·σ(W_l))² ≤ ‖∇_l D‖²,   Σ_l ‖∇_l D‖² = ‖∇_θ D‖²

A critic that is flat in its parameters is flat in its input, too, as long as its weights do not stretch much. A weight
that is normalised counts as it acts.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from studio.models.adversarial.spectral import weight_layers


class Sensitivity(NamedTuple):
    """Of B images: ‖∇_x D‖², shape (B,), ‖∇_l D‖² and the least that it can be by the first, both (B, layers)."""

    by_input: Tensor
    by_layer: Tensor
    bound: Tensor


def is_perceptron(critic: nn.Module) -> bool:
    """Whether it is a plain one, of linear layers and functions of slope at most 1."""
    return isinstance(critic, nn.Sequential) and all(isinstance(part, _PARTS) for part in critic)


def sensitivity(critic: nn.Module, images: Tensor) -> Sensitivity | None:
    """Of a critic (B, C, H, W) → (B, 1) at `images`; None of one that is no plain perceptron, or no longer finite."""
    if not is_perceptron(critic):
        return None
    with torch.enable_grad():
        (slope, *deltas), inputs = _slopes(critic, images.detach().requires_grad_())
    by_input = slope.detach().flatten(1).square().sum(1)
    one_more = _one_more(inputs).detach()
    by_layer = torch.stack([delta.detach().square().sum(1) for delta in deltas], 1) * one_more
    weights = [layer.weight.detach() for layer in weight_layers(critic)]
    if not all(weight.isfinite().all() for weight in weights):  # of which there is no largest stretch
        return None
    stretch = torch.stack([torch.linalg.matrix_norm(weight, 2) for weight in weights]).cumprod(0)
    return Sensitivity(by_input, by_layer, by_input[:, None] * one_more / stretch.square())


def parameter_squares(critic: nn.Module, images: Tensor) -> Tensor:
    """‖∇_θ D‖² at each of `images` (B, C, H, W), shape (B,), of a plain perceptron or what reads its outputs; can be
    differentiated again.
    """
    (_, *deltas), inputs = _slopes(critic, images.detach().requires_grad_())
    return (torch.stack([delta.square().sum(1) for delta in deltas], 1) * _one_more(inputs)).sum(1)


def _slopes(critic: nn.Module, images: Tensor) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """∂D/∂x and each δ_l, and the inputs h_{l−1} of the layers, each of shape (B, …)."""
    passed: list[tuple[Tensor, Tensor]] = []
    hooks = [
        layer.register_forward_hook(lambda _, given, found: passed.append((given[0], found)))
        for layer in weight_layers(critic)
    ]
    score = critic(images).sum()
    for hook in hooks:
        hook.remove()
    inputs, outputs = zip(*passed, strict=True)
    return torch.autograd.grad(score, (images, *outputs), create_graph=True), inputs


def _one_more(inputs: tuple[Tensor, ...]) -> Tensor:
    """1 + ‖h_{l−1}‖², shape (B, layers)."""
    return torch.stack([1 + each.square().sum(1) for each in inputs], 1)


_PARTS = (nn.Flatten, nn.Linear, nn.LeakyReLU)
"""Of a perceptron, whose |φ′| is at most 1."""

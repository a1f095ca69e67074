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


class Sensitivity(NamedTuple):
    """Of B images: ‖∇_x D‖², shape (B,), ‖∇_l D‖² and the least that it can be by the first, both (B, layers)."""

    by_input: Tensor
    by_layer: Tensor
    bound: Tensor


def sensitivity(critic: nn.Module, images: Tensor) -> Sensitivity | None:
    """Of a critic (B, C, H, W) → (B, 1) at `images`; None of one that is no plain perceptron."""
    if not isinstance(critic, nn.Sequential) or not all(isinstance(part, _PARTS) for part in critic):
        return None
    values, layers, inputs, outputs = images.detach().requires_grad_(), [], [], []
    with torch.enable_grad():
        found = values
        for part in critic:
            if isinstance(part, nn.Linear):
                layers.append(part)
                inputs.append(found)
            found = part(found)
            if isinstance(part, nn.Linear):
                outputs.append(found)
        slope, *deltas = torch.autograd.grad(found.sum(), (values, *outputs))
    by_input = slope.flatten(1).square().sum(1)
    one_more = torch.stack([1 + each.detach().square().sum(1) for each in inputs], 1)
    by_layer = torch.stack([delta.square().sum(1) for delta in deltas], 1) * one_more
    stretch = torch.stack([torch.linalg.matrix_norm(layer.weight.detach(), 2) for layer in layers]).cumprod(0)
    return Sensitivity(by_input, by_layer, by_input[:, None] * one_more / stretch.square())


_PARTS = (nn.Flatten, nn.Linear, nn.LeakyReLU)
"""Of a perceptron, whose |φ′| is at most 1."""

"""Largest singular values σ(W) = max_v ‖W v‖/‖v‖ of a network's layers, by power iteration.

    v ← Wᵀu/‖Wᵀu‖,   u ← W v/‖W v‖,   σ ≈ uᵀW v,   ∂σ/∂W = u vᵀ

A convolution's kernel counts as the matrix (outputs, inputs·height·width). That is what σ(W) is of and what is divided
by it: not the convolution, in which a pixel enters up to m = ⌈height/stride⌉·⌈width/stride⌉ patches, so that it
stretches by up to √m·σ(W); for a kernel of 4 and a stride of 2 that is 2·σ(W). `layer_norms` finds what it is.

u and v are buffers that move only when they
are told to, once after each step of the critic: neither evaluation nor a second look within a step changes the network,
which torch's own parametrisation would.
Sources: T. Miyato et al., arXiv:1802.05957 (2018); penalty: Y. Yoshida, T. Miyato, arXiv:1705.10941 (2017).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize

_FIRST_ITERATIONS = 15
_LEAST_SIGMA = 1e-12

Layer = nn.Linear | nn.Conv2d


class SingularValue(nn.Module):
    """Follows the largest singular value of one weight W, shape (outputs, …)."""

    u: Tensor
    v: Tensor

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        matrix = weight.detach().flatten(1)
        self.register_buffer("u", F.normalize(nn.init.normal_(matrix.new_empty(len(matrix))), dim=0))
        self.register_buffer("v", matrix.new_zeros(matrix.shape[1]))
        self.iterate(weight, _FIRST_ITERATIONS)

    @torch.no_grad()
    def iterate(self, weight: Tensor, times: int = 1) -> None:
        """Move u and v towards the singular vectors of `weight`, shape (outputs, …)."""
        matrix = weight.detach().flatten(1)
        for _ in range(times):
            self.v.copy_(F.normalize(matrix.T @ self.u, dim=0))
            self.u.copy_(F.normalize(matrix @ self.v, dim=0))

    def sigma(self, weight: Tensor) -> Tensor:
        """uᵀW v of `weight` (outputs, …), scalar, with its gradient."""
        return self.u.clone() @ weight.flatten(1) @ self.v.clone()


class SpectralNorm(SingularValue):
    """The parametrisation W/σ(W)."""

    def forward(self, weight: Tensor) -> Tensor:
        """W (outputs, …) → W/σ(W)."""
        return weight / self.sigma(weight).clamp(min=_LEAST_SIGMA)


def weight_layers(network: nn.Module) -> list[Layer]:
    """Layers with a weight matrix, in order."""
    return [module for module in network.modules() if isinstance(module, Layer)]


def normalise(network: nn.Module) -> None:
    """Divide every layer's weight by its largest singular value from now on."""
    for layer in weight_layers(network):
        parametrize.register_parametrization(layer, "weight", SpectralNorm(layer.weight))


def iterate_norms(network: nn.Module) -> None:
    """Bring the norms of a normalised network up to date with its weights."""
    for module in network.modules():
        if isinstance(module, parametrize.ParametrizationList):
            for norm in module:
                if isinstance(norm, SpectralNorm):
                    norm.iterate(module.original)


@torch.no_grad()
def layer_norms(network: nn.Module, image: Tensor, iterations: int, rng: torch.Generator) -> Tensor:
    """max ‖A x‖/‖x‖ of each layer A, shape (layers,), without its bias, on inputs of the size that it gets; for looking
    at.

    By power iteration through the layer itself, with its stride and padding: x ← AᵀA x/‖AᵀA x‖. The network takes
    `image`, shape (1, C, H, W); the start comes from `rng`, on its device.
    """
    inputs: dict[nn.Module, Tensor] = {}
    layers = weight_layers(network)
    hooks = [layer.register_forward_hook(lambda layer, given, _: inputs.update({layer: given[0]})) for layer in layers]
    network(image)
    for hook in hooks:
        hook.remove()
    return torch.stack([_norm_of(layer, inputs[layer], iterations, rng) for layer in layers])


def _norm_of(layer: Layer, given: Tensor, iterations: int, rng: torch.Generator) -> Tensor:
    origin = layer(torch.zeros_like(given))
    x = torch.randn(given.shape, generator=rng, device=given.device, dtype=given.dtype)
    for _ in range(iterations):
        x = x / x.norm().clamp(min=_LEAST_SIGMA)
        with torch.enable_grad():
            x.requires_grad_()
            (x,) = torch.autograd.grad(0.5 * (layer(x) - origin).square().sum(), x)
    norm: Tensor = x.norm().sqrt()  # of AᵀA on a unit vector, which is A's norm squared
    return norm


def buffers_of(network: nn.Module) -> tuple[str, ...]:
    """Names of the buffers of all that follows a singular value within `network`: memory, not weights."""
    return tuple(
        f"{name}.{buffer}"
        for name, module in network.named_modules()
        if isinstance(module, SingularValue)
        for buffer, _ in module.named_buffers(recurse=False)
    )


def singular_values(network: nn.Module, iterations: int, rng: torch.Generator) -> Tensor:
    """σ(W) of each linear or convolutional layer's weight as it acts, shape (layers,), from a fresh start; for looking
    at.

    By so many iterations of the power method, whose start comes from `rng`, on the network's device.
    """
    values = []
    for layer in weight_layers(network):
        matrix = layer.weight.detach().flatten(1)
        v = torch.randn(matrix.shape[1], generator=rng, device=matrix.device, dtype=matrix.dtype)
        for _ in range(iterations):
            v = F.normalize(matrix.T @ (matrix @ v), dim=0)
        values.append((matrix @ v).norm())
    return torch.stack(values)

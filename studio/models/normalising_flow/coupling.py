"""A map of vectors to vectors that can be inverted and whose volume is known: coupling layers, one after the other.

    first     y = (x − m)·e^s
    coupling  y_A = x_A,   y_B = x_B·e^s(x_A) + t(x_A),   log |det| = Σ s

A and B are halves of the numbers in a random order, which the next layer exchanges, so that two move every number. s is
kept within ±2, so that no layer alone can make a number vanish. Source: L. Dinh et al., arXiv:1605.08803 (Real NVP).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

_MOST = 2.0


class CouplingFlow(nn.Module):
    """Vectors (B, numbers) to noise and back."""

    def __init__(self, numbers: int, layers: int, hidden: int) -> None:
        super().__init__()
        self.mean = nn.Parameter(torch.zeros(numbers))
        self.log_scale = nn.Parameter(torch.zeros(numbers))
        self.layers = nn.ModuleList()
        order = torch.arange(numbers)
        for layer in range(layers if numbers > 1 else 0):
            order = order.roll(-(numbers // 2)) if layer % 2 else torch.randperm(numbers)
            self.layers.append(_Coupling(numbers, hidden, order))

    def forward(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """z = f(x) and log |det ∂f/∂x|, shapes (B, numbers) and (B,)."""
        vectors = (vectors - self.mean) * self.log_scale.exp()
        volume = self.log_scale.sum().expand(len(vectors))
        for layer in self.layers:
            vectors, more = layer(vectors)
            volume = volume + more
        return vectors, volume

    def stages(self, noise: Tensor) -> list[Tensor]:
        """From z (B, numbers) to x = f⁻¹(z): after each layer, z first."""
        found = [noise]
        for layer in reversed(self.layers):
            assert isinstance(layer, _Coupling)
            found.append(layer.inverted(found[-1]))
        return [*found, found[-1] * (-self.log_scale).exp() + self.mean]


class _Coupling(nn.Module):
    """One half moves the other; an identity at first."""

    order: Tensor

    def __init__(self, numbers: int, hidden: int, order: Tensor) -> None:
        super().__init__()
        self.register_buffer("order", order)
        self._kept = numbers // 2
        moved = numbers - self._kept
        last = nn.Linear(hidden, 2 * moved)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.network = nn.Sequential(
            nn.Linear(self._kept, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), last
        )

    def forward(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        kept, moved = self._halves(vectors)
        log_scale, shift = self._said(kept)
        return self._whole(kept, moved * log_scale.exp() + shift), log_scale.sum(1)

    def inverted(self, vectors: Tensor) -> Tensor:
        kept, moved = self._halves(vectors)
        log_scale, shift = self._said(kept)
        return self._whole(kept, (moved - shift) * (-log_scale).exp())

    def _said(self, kept: Tensor) -> tuple[Tensor, Tensor]:
        log_scale, shift = self.network(kept).to(kept.dtype).chunk(2, 1)
        return _MOST * torch.tanh(log_scale / _MOST), shift

    def _halves(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        ordered = vectors[:, self.order]
        return ordered[:, : self._kept], ordered[:, self._kept :]

    def _whole(self, kept: Tensor, moved: Tensor) -> Tensor:
        return torch.cat((kept, moved), 1)[:, self.order.argsort()]

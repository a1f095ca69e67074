"""How a model's mean loss bends with its parameters, and how a tilt pushes them; no matrix is ever formed.

    fitted      L(θ) = ⟨ℓ(g_θ(x))⟩,             H ≈ ⟨Jᵀ·∇²ℓ·J⟩, J = ∂g/∂θ     (generalised Gauss–Newton)
    energetic   L(θ) = ⟨F_θ⟩_data + log Z,      H ≈ Cov_model(∇F, ∇F)        (Fisher)
    push        −∂_s∇L = ∇Cov(ΔH, ℓ), of the data as they are weighted at s = 0

Neither is ever negative, and both cost a few passes through the networks for each product; J·v is the slope of u ↦ Jᵀu
along v. Of ∇²ℓ the blocks of single outputs are taken, each of which is positive. Of flows, denoisers and energies they
are H itself where the model explains the data. Of a VAE they are not even there: what is left of x by one code depends
on the code's noise, and so on how encoder and decoder bend together. A linear VAE at its optimum follows a tilt in its
mean as it should, in its variance 1.6 times too far.
Sources: N. Schraudolph, Neural Comput. 14, 1723 (2002); J. Martens, ICML (2010); S. Amari, Neural Comput. 10, 251
(1998); slopes of slopes: B. Pearlmutter, Neural Comput. 6, 147 (1994).
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor
from torch.nn.utils import parameters_to_vector

from studio.models.base import Batch, GenerativeModel, Said
from studio.progress import Progress

_CHUNK = 1000


@runtime_checkable
class Fitted(Protocol):
    """Minimises the mean of one loss, and samples by a function of its parameters and of random numbers."""

    def say(self, images: Tensor, rng: torch.Generator) -> Said:
        """Of images in −1…1, shape (B, C, H, W); `rng` decides all chance."""


@runtime_checkable
class Energetic(Protocol):
    """Maximises the likelihood of p(v) ∝ e^{−F(v)}, and samples by chains."""

    def visible_values(self, images: Tensor, rng: torch.Generator) -> Tensor:
        """v of images in −1…1, shapes (B, C, H, W) and (B, D)."""

    def fantasies(self, count: int, rng: torch.Generator) -> Tensor:
        """v ~ p, shape (count, …)."""

    def free_energy(self, v: Tensor) -> Tensor:
        """F, shape (B,)."""

    def shown(self, v: Tensor, rng: torch.Generator) -> Tensor:
        """The images that are its samples where v is drawn, shape (B, C, H, W)."""


class Curvature(ABC):
    """H·v and the push, by the model's parameters as one vector of length P.

    Args:
        model: in eval mode.
        data: N examples in random order, with their weights at s = 0.
        seed: of the random numbers of the loss, which are the same in every product.
    """

    def __init__(self, model: GenerativeModel, data: Batch, seed: int) -> None:
        self._images, self._seed = data.images, seed
        self._weights = data.weights / data.weights.sum()
        self.model = copy.deepcopy(model).requires_grad_()
        self._parameters = list(self.model.parameters())

    @abstractmethod
    def product(self, v: Tensor) -> Tensor:
        """H·v, shapes (P,)."""

    @abstractmethod
    def _loss(self, images: Tensor, rng: torch.Generator) -> Tensor:
        """ℓ of examples up to a constant, shape (B,)."""

    def push(self, energy: Tensor, repeats: int, progress: Progress) -> Tensor:
        """∇Cov(ΔH, ℓ), shape (P,), for ΔH of each example, shape (N,); by so many draws of random numbers for each."""
        change = self._weights * (energy - self._weights @ energy) / repeats
        count = repeats * len(self._images)
        total = torch.zeros_like(parameters_to_vector(self._parameters))
        done = 0
        for part, rng in self._parts(count):
            progress.report("Averaging the push of the tilt", done / count)
            total += self._pull([self._loss(self._images[part], rng)], [change[part]])
            done += part.stop - part.start
        return total

    def _parts(self, count: int) -> Iterator[tuple[slice, torch.Generator]]:
        """So many places in pieces, from the first on and again, each with its own random numbers."""
        size = len(self._images)
        for repeat in range(-(-count // size)):
            for start in range(0, min(size, count - repeat * size), _CHUNK):
                rng = torch.Generator(self._images.device).manual_seed(self._seed + 1_000_003 * repeat + start)
                yield slice(start, min(start + _CHUNK, size, count - repeat * size)), rng

    def _pull(self, outputs: Sequence[Tensor], factors: Sequence[Tensor], *, again: bool = False) -> Tensor:
        """Jᵀ·factors, shape (P,); with slopes of its own where it is to be differentiated `again`."""
        # As a sum, for torch imports sympy, seconds of work, where factors are handed to it.
        return flat(_slopes(_sum(outputs, factors), self._parameters, again=again))

    def _moved(self, outputs: Sequence[Tensor], v: Tensor) -> tuple[Tensor, ...]:
        """J·v, of the outputs' shapes."""
        factors = [torch.zeros_like(output).requires_grad_() for output in outputs]
        return _slopes(self._pull(outputs, factors, again=True) @ v, factors)


def flat(slopes: Sequence[Tensor]) -> Tensor:
    """As one vector, shape (P,), also where they lie in another order, as those of transposed convolutions do."""
    return torch.cat([each.reshape(-1) for each in slopes])


def _sum(outputs: Sequence[Tensor], factors: Sequence[Tensor]) -> Tensor:
    return torch.stack([(output * factor).sum() for output, factor in zip(outputs, factors, strict=True)]).sum()


def _slopes(of: Tensor, along: Sequence[Tensor], *, again: bool = False) -> tuple[Tensor, ...]:
    """0 where `of` does not depend on it."""
    if not of.requires_grad:
        return tuple(map(torch.zeros_like, along))
    return torch.autograd.grad(
        of, along, allow_unused=True, materialize_grads=True, retain_graph=True, create_graph=again
    )


class GaussNewton(Curvature):
    """Of a fitted model, by `count` draws of examples and of random numbers."""

    def __init__(self, model: GenerativeModel, data: Batch, count: int, seed: int) -> None:
        super().__init__(model, data, seed)
        self._count = count
        self._factor = 1 / sum(float(self._weights[part].sum()) for part, _ in self._parts(count))

    def product(self, v: Tensor) -> Tensor:
        total = torch.zeros_like(v)
        for part, rng in self._parts(self._count):
            said = self._fitted.say(self._images[part], rng)
            held = tuple(output.detach().requires_grad_() for output in said.outputs)
            slopes = _slopes(self._weights[part] @ said.loss(held), held, again=True)
            moved = self._moved(said.outputs, v)
            bends = [
                _slopes((slope * each).sum(), [output])[0]
                for slope, output, each in zip(slopes, held, moved, strict=True)
            ]
            total += self._pull(said.outputs, bends)
        return total * self._factor

    @property
    def _fitted(self) -> Fitted:
        assert isinstance(self.model, Fitted)
        return self.model

    def _loss(self, images: Tensor, rng: torch.Generator) -> Tensor:
        said = self._fitted.say(images, rng)
        return said.loss(said.outputs)


class Fisher(Curvature):
    """Of an energetic model, by `fantasies`, v of its own, shape (n, …)."""

    def __init__(self, model: GenerativeModel, data: Batch, fantasies: Tensor, seed: int) -> None:
        super().__init__(model, data, seed)
        self.fantasies = fantasies

    def product(self, v: Tensor) -> Tensor:
        slopes = self.slopes(v)
        change = (slopes - slopes.mean()) / len(slopes)
        total = torch.zeros_like(v)
        for piece, part in zip(self.fantasies.split(_CHUNK), change.split(_CHUNK), strict=True):
            total += self._pull([self._energetic.free_energy(piece)], [part])
        return total

    def slopes(self, v: Tensor) -> Tensor:
        """∇F·v of each fantasy, shape (n,)."""
        pieces = self.fantasies.split(_CHUNK)
        return torch.cat([self._moved([self._energetic.free_energy(piece)], v)[0] for piece in pieces])

    @property
    def _energetic(self) -> Energetic:
        assert isinstance(self.model, Energetic)
        return self.model

    def _loss(self, images: Tensor, rng: torch.Generator) -> Tensor:
        return self._energetic.free_energy(self._energetic.visible_values(images, rng))

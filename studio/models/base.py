"""What every generative model offers to the trainer, and nothing more.

A model knows no offsets, no optimiser and no window. Each training step it is handed one batch and, for each phase that
is due, answers with unreduced terms; `studio.models.reduce` turns them into the one weighted loss.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor, nn

from studio.models.views import ModelViews


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Real examples of one step.

    Attributes:
        images: pixel values in −1…1, float, shape (B, C, H, W).
        weights: importance weight of each example, float, shape (B,). For the reduction only: a model must not use it.
            The last few may be 0, of examples that only fill the batch up.
        step: number of the training step, from 0.
        labels: class of each example, −1 where it is not to be told, int64, shape (B,); None if of none it is.
        measured: metrics are looked at; else a model may leave out those that cost it something.
    """

    images: Tensor
    weights: Tensor
    step: int
    labels: Tensor | None = None
    measured: bool = True

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One optimiser step within a training step, of the parameters of the model's attribute `network`.

    It is due on each `every`-th step (a WGAN's generator: every = n_critic); the optimiser is called as the attribute.
    """

    network: str
    every: int = 1

    def due(self, step: int) -> bool:
        """Whether it runs in training step `step` (from 0); with every = n the n-th step is the first."""
        return (step + 1) % self.every == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LossTerms:
    """Unreduced terms of one phase: loss = (1/B_avg)·Σ_j w_j·(data_j + model), or `model` alone where no data enters.

    Attributes:
        data: per-example term of the real examples, shape (B,); None for a phase without real examples
            (a generator's own step), which is then not weighted at all.
        model: scalar term of everything else: fakes, gradient penalty, negative phase.
        metrics: detached scalar tensors for the curves, by snake_case name.
        tilt: λ in 0…1 of each real example, shape (B,): it counts 1 + λ·(w − 1), so that λ = 0 is no tilt; 1 if absent.
        example_metrics: detached per-example tensors, shape (B,), by snake_case name; the curve shows their mean under
            the weights (`reduce.reduced_metrics`), so that a model reports on the target without using the weights.
    """

    data: Tensor | None = None
    model: Tensor | None = None
    tilt: Tensor | None = None
    metrics: Mapping[str, Tensor] = field(default_factory=dict)
    example_metrics: Mapping[str, Tensor] = field(default_factory=dict)


class Said(NamedTuple):
    """`outputs` of a model's networks, with as many rows for each of B examples or a scalar for all, and how wrong they
    are.

    That is the loss of each example, shape (B,); convex in each of the outputs while the others are held.
    """

    outputs: tuple[Tensor, ...]
    loss: Callable[[tuple[Tensor, ...]], Tensor]


class GenerativeModel(nn.Module, ABC):
    """Base of all models; networks are plain sub-modules, found by attribute name.

    Attributes:
        image_shape: (C, H, W) of the images it takes and makes.
        memory: names of buffers that are not weights (chains, replay buffers): saved and restored with the model, but
            copied and not averaged where weights are averaged.
        takes_bfloat16: whether its losses may be asked for under bfloat16 autocast: it converts what its networks
            return back to the images' type, in which all else goes on, and was measured to learn as well.
        shown_by: makes its views; set by whoever builds it, so that a model knows nothing of what shows it.
    """

    memory: tuple[str, ...] = ()
    takes_bfloat16: bool = False
    shown_by: Callable[[GenerativeModel], ModelViews] = staticmethod(lambda _: ModelViews())

    def __init__(self, image_shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.image_shape = image_shape

    @abstractmethod
    def phases(self) -> Sequence[Phase]:
        """Its phases, in the order in which they run within a step."""

    @abstractmethod
    def losses(self, phase: Phase, batch: Batch, rng: torch.Generator) -> LossTerms:
        """The terms of `phase`; every random draw comes from `rng`, which lives on the model's device."""

    @property
    def latent_shape(self) -> tuple[int, ...] | None:
        """Shape of the latent z ~ N(0, 1) behind one image; None for a model that draws images without one."""
        return None

    def decode(self, latents: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """The images in −1…1, shape (n, C, H, W), of latents (n, *latent_shape), which decide them but for noise that
        the settings ask for.

        Called in eval mode and without gradients, and only for a model that has a `latent_shape`. Without `rng` there
        is no such noise, and the latents alone decide.
        """
        raise NotImplementedError(f"{type(self).__name__} has no latents")

    @property
    def independent_samples(self) -> int | None:
        """How many samples are sure to be independent of each other; None for as many as are asked for."""
        return None

    def sample(self, count: int, rng: torch.Generator) -> Tensor:
        """New images in −1…1, shape (count, C, H, W), by `rng` alone; called in eval mode without gradients."""
        return next(iter(self.sample_parts((count,), rng)))

    def sample_parts(self, counts: Iterable[int], rng: torch.Generator) -> Iterator[Tensor]:
        """`sample` in parts, so that they need not all be there at once: as many images as `counts` says of each.

        A model without latents has a way of its own. Where it can give so many only, none of them is drawn from what
        another one was drawn from before all were.
        """
        for count in counts:
            yield self.decode(self.draw_latents(count, rng), rng)

    def draw_latents(self, count: int, rng: torch.Generator) -> Tensor:
        """z ~ N(0, 1), shape (count, *latent_shape); for a model that has latents."""
        like, shape = next(self.parameters()), self.latent_shape
        assert shape is not None
        return torch.randn((count, *shape), generator=rng, device=like.device, dtype=like.dtype)

    @property
    def views(self) -> ModelViews:
        """What it shows of itself beside its samples; nothing unless its family has something to show."""
        return self.shown_by(self)

    @torch.no_grad()
    def after_step(self, network: str) -> None:
        """Called after each optimiser step of one network: where a constraint is enforced (weight clipping)."""

    def network_parameters(self, network: str) -> Iterator[nn.Parameter]:
        return self.get_submodule(network).parameters()


def chosen_in_turn(size: int, counts: Iterable[int], rng: torch.Generator) -> Iterator[Tensor]:
    """Places 0…size − 1 in random order, each once before one comes again; shapes (count,), on the stream's device."""
    left = torch.empty(0, dtype=torch.int64, device=rng.device)
    for count in counts:
        passes = -(-max(0, count - len(left)) // size)
        left = torch.cat([left, *(torch.randperm(size, generator=rng, device=rng.device) for _ in range(passes))])
        yield left[:count]
        left = left[count:]


@contextmanager
def at_rest(model: GenerativeModel) -> Iterator[None]:
    """The model in eval mode, and afterwards as it was."""
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)

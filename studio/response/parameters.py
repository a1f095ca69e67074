"""How the parameters of a trained model follow a tilt of its data.

At an optimum ∇L = 0, and stays so as the data's weights turn into w·e^{−sΔH}: by the implicit function theorem

    dθ/ds = +H⁻¹·∇Cov(ΔH, ℓ),   to check: ℓ = ½(x − θ)², ΔH = λx gives −λ·Var(x)

Training ends before the optimum, and as far as `studio.response.damping` says.
Source: influence functions, P. W. Koh, P. Liang, Understanding black-box predictions via influence functions,
arXiv:1703.04730 (2017), here of all examples at once.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import Tensor

from studio.errors import UserError
from studio.models.base import Batch, GenerativeModel
from studio.models.conditional import Conditional
from studio.models.config import OptimiserConfig
from studio.progress import Progress
from studio.response.conjugate_gradients import conjugate_gradients
from studio.response.curvature import Curvature, Energetic, Fisher, Fitted, GaussNewton
from studio.response.damping import SHAPE, Damping, damping
from studio.response.means import Observe, Slopes, slopes

_WORK, _LEAST, _MOST = 10**9, 4_000, 24_000
"""Draws times parameters of a product, and bounds of the draws; by the least a rare class may follow twice too far."""
_FANTASIES = 4_000
_PUSHED = 120_000
"""Draws that the push is averaged over, if the data are not more."""
_REPEATS = 50
"""At most, of each example."""
_TOLERANCE, _ITERATIONS = 0.03, 100
_STEP = 0.1
"""Of s, where ΔH varies by 1 over the data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """How a model came to be: its optimiser, its steps, B_avg, and d if its weights are averaged."""

    optimiser: OptimiserConfig
    steps: int
    size: int
    decay: float = 0.0


class Response:
    """Of one model, to any tilt.

    Args:
        model: in eval mode; not changed.
        images: the data, in −1…1, shape (N, C, H, W).
        weights: of each in training, shape (N,).
        seed: of all chance.

    Raises:
        UserError: the model has neither a loss that it minimises nor an energy.
    """

    def __init__(
        self, model: GenerativeModel, images: Tensor, weights: Tensor, trained: Trained, seed: int = 0
    ) -> None:
        self._model, self._trained, self._seed = model, trained, seed
        self._rng = torch.Generator(images.device).manual_seed(seed)
        # In random order, for H is known by the first of them.
        self._order = torch.randperm(len(images), generator=self._rng, device=images.device)
        weights = (weights / weights.mean())[self._order]
        self._batch = Batch(images=images[self._order], weights=weights, step=1)
        self._curvature = self._bent(model)
        self._damping: Damping | None = None

    def _bent(self, model: GenerativeModel) -> Curvature:
        if isinstance(model, Conditional) and model.classes:
            raise UserError(
                "How a conditional model follows a tilt is not computed",
                "The classes of its samples follow a tilt by class exactly, and at once.",
                "Sample it at once, or use a model that is not conditional.",
            )
        if isinstance(model, Fitted):
            size = sum(each.numel() for each in model.parameters())
            count = min(max(_LEAST, _WORK // size), _MOST, _REPEATS * len(self._batch))
            return GaussNewton(model, self._batch, count, self._seed)
        if isinstance(model, Energetic):
            return Fisher(model, self._batch, model.fantasies(_FANTASIES, self._rng), self._seed)
        raise UserError(
            "How this model follows a tilt cannot be computed",
            "That takes a model that minimises one loss, or has an energy. The two networks of a GAN have a loss each, "
            "and so have an autoencoder and the Gaussian of its codes.",
            "Use a VAE, diffusion, a flow, an autoregressive or energy-based model, or a Boltzmann machine.",
        )

    def to(self, energy: Tensor, progress: Progress) -> Tensor:
        """dθ/ds, shape (P,), for ΔH of each example, shape (N,).

        Raises:
            Cancelled: the person cancelled.
        """
        if self._damping is None:
            copied = copy.deepcopy(self._model).requires_grad_()
            how, part = self._trained, progress.part(0, 0.1)
            self._damping = damping(copied, how.optimiser, how.steps, self._batch, how.size, how.decay, part)
        repeats = min(max(1, _PUSHED // len(self._batch)), 2 * _REPEATS)
        push = self._curvature.push(energy[self._order], repeats, progress.part(0.1, 0.3))
        found = conjugate_gradients(
            self._curvature.product,
            push,
            self._damping.metric,
            damping=SHAPE * self._damping.strength,
            more=2 * SHAPE * self._damping.strength,
            tolerance=_TOLERANCE,
            iterations=_ITERATIONS,
            progress=progress.part(0.3, 1),
        )
        return (2 * SHAPE - 1) * found.x - (2 * SHAPE - 2) * found.more_damped

    def slopes(self, direction: Tensor, energy: Tensor, observe: Observe, count: int) -> Slopes:
        """⟨f⟩ and d⟨f⟩/ds along dθ/ds = `direction`, by so many samples."""
        step = _STEP / max(float(energy.std()), 1e-9)
        return slopes(self._model, self._curvature, direction, step, observe, count, self._seed)

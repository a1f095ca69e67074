"""Small models in float64 with batches of random images, and randomness that can be held still."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from studio.models.base import Batch, GenerativeModel, LossTerms
from studio.models.catalog import ModelSpec
from studio.models.config import ModelConfig
from tests.threads import with_one_thread

Shape = tuple[int, int, int]

one_thread = pytest.fixture(autouse=True, scope="package")(with_one_thread)  # networks as small gain none by more
SHAPES: tuple[Shape, ...] = ((1, 8, 8), (1, 28, 28), (3, 32, 32), (2, 1, 1))


def configured(spec: ModelSpec, **settings: Any) -> ModelConfig:
    """Settings of a narrow model."""
    small = {"width": 8, "langevin_steps": 3, "sample_steps": 5, "sampling_steps": 10}
    narrow = {name: value for name, value in small.items() if name in spec.config.model_fields}
    return spec.config.model_validate({**narrow, **settings})


def small_model(spec: ModelSpec, shape: Shape, *, seed: int = 0, **settings: Any) -> GenerativeModel:
    """A narrow model in float64, its weights drawn from `seed`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return spec.build(configured(spec, **settings), shape).double()


def random_batch(shape: Shape, count: int, *, seed: int = 1, weights: Tensor | None = None) -> Batch:
    """`count` random images in −1…1."""
    images = torch.rand(count, *shape, generator=stream(seed), dtype=torch.float64) * 2 - 1
    return Batch(images=images, weights=torch.ones(count, dtype=torch.float64) if weights is None else weights, step=0)


def stream(seed: int = 2) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def flat_gradient(loss: Tensor, model: GenerativeModel, network: str) -> Tensor:
    """∇loss over all parameters of one network as one vector; zero where a parameter takes no part."""
    parameters = list(model.network_parameters(network))
    found = torch.autograd.grad(loss, parameters, allow_unused=True, materialize_grads=True)
    return torch.cat([gradient.flatten() for gradient in found])


def example_gradients(data: Tensor, model: GenerativeModel, network: str) -> Tensor:
    """∇data_j of each example over the parameters of one network, shape (B, P)."""
    parameters = list(model.network_parameters(network))
    rows = []
    for term in data:
        found = torch.autograd.grad(term, parameters, allow_unused=True, materialize_grads=True, retain_graph=True)
        rows.append(torch.cat([gradient.flatten() for gradient in found]))
    return torch.stack(rows)


def data_terms(model: GenerativeModel, batch: Batch) -> list[tuple[str, LossTerms]]:
    """Network and terms of each phase that sees real examples; without its `model` term."""
    phases = [(phase.network, model.losses(phase, batch, stream())) for phase in model.phases()]
    return [(network, LossTerms(data=terms.data)) for network, terms in phases if terms.data is not None]


@pytest.fixture
def same_noise_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every example draws the same random numbers whichever batch it is in, so that gradients of batches add up."""

    def held_still(draw: Callable[..., Tensor]) -> Callable[..., Tensor]:
        def drawn(*size: Any, generator: torch.Generator, **options: Any) -> Tensor:
            count, *rest = size[0] if len(size) == 1 and not isinstance(size[0], int) else size
            return draw((1, *rest), generator=stream(3), **options).expand(count, *rest)

        return drawn

    for name in ("randn", "rand"):
        monkeypatch.setattr(torch, name, held_still(getattr(torch, name)))
    # Spread over a batch by design, so that an example's own depends on its place there.
    for model in ("diffusion", "flow_matching"):
        monkeypatch.setattr(
            f"studio.models.{model}.model.spread", lambda like, rng: torch.full_like(like[:, 0, 0, 0], 0.4)
        )

"""Flow matching where the best velocity is known.

Pixels of the Gaussian data set are independent, x ~ N(m, s²). With x_t = α·x + σ·z the best velocity is
⟨α̇·x + σ̇·z|x_t⟩ = α̇·m + c/V·(x_t − α·m), c = α̇·α·s² + σ̇·σ, V = α²·s² + σ², and its mean squared error is
α̇²·s² + σ̇² − c²/V. It carries N(0, 1) to N(m, s²).
"""

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from studio.models.catalog import model_spec
from studio.models.diagnostic import Pictures, Profile
from studio.models.flow_matching.config import FlowPath, Solver
from studio.models.flow_matching.model import FlowMatching, mixture
from studio.models.plane import Field, Flow
from studio.models.plane_views import SIDE, grid
from studio.models.views import Probe
from tests.models.conftest import random_batch, small_model, stream
from tests.models.gaussian_line import learned_line

MEAN, WIDTH = 0.3, 0.4
PLANE = (2, 1, 1)

every_path = pytest.mark.parametrize("path", FlowPath)


def flow_matching(shape: tuple[int, int, int] = PLANE, **settings: Any) -> FlowMatching:
    model = small_model(model_spec("flow_matching"), shape, **settings)
    assert isinstance(model, FlowMatching)
    return model


class BestVelocity(nn.Module):
    def __init__(self, path: FlowPath) -> None:
        super().__init__()
        self.path = path

    def forward(self, images: Tensor, times: Tensor) -> Tensor:
        mix = mixture(self.path, times[:, None, None, None])
        common = mix.alpha_rate * mix.alpha * WIDTH**2 + mix.sigma_rate * mix.sigma
        variance = mix.alpha**2 * WIDTH**2 + mix.sigma**2
        return mix.alpha_rate * MEAN + common / variance * (images - mix.alpha * MEAN)


def best(path: FlowPath, **settings: Any) -> FlowMatching:
    model = flow_matching(path=path, **settings)
    model.velocity = BestVelocity(path)
    return model


@every_path
def test_that_a_path_goes_from_noise_to_the_image_at_the_rate_it_says(path: FlowPath) -> None:
    times = torch.linspace(0, 1, 101, dtype=torch.float64, requires_grad=True)
    mix = mixture(path, times)
    for amount, rate in ((mix.alpha, mix.alpha_rate), (mix.sigma, mix.sigma_rate)):
        (slope,) = torch.autograd.grad(amount.sum(), times, retain_graph=True)
        torch.testing.assert_close(rate, slope)
    ends = torch.stack((mix.alpha[[0, -1]], mix.sigma[[0, -1]])).detach()
    torch.testing.assert_close(ends, torch.tensor([[0.0, 1.0], [1.0, 0.0]]).double(), atol=1e-12, rtol=0)


@every_path
def test_that_the_image_is_what_its_mixture_and_velocity_say(path: FlowPath) -> None:
    image, noise = random_batch(PLANE, 9).images, random_batch(PLANE, 9, seed=5).images
    mix = mixture(path, torch.linspace(0, 1, 9, dtype=torch.float64)[:, None, None, None])
    found = mix.image(mix.alpha * image + mix.sigma * noise, mix.alpha_rate * image + mix.sigma_rate * noise)
    torch.testing.assert_close(found, image)


@every_path
@pytest.mark.parametrize("time", [0.0, 0.2, 0.7, 1.0])
def test_that_the_loss_of_the_best_velocity_is_its_closed_form(path: FlowPath, time: float) -> None:
    """Within five standard errors of 40,000 examples."""
    count = 40_000
    images = MEAN + WIDTH * torch.randn(count, *PLANE, generator=stream(7), dtype=torch.float64)
    times = torch.full((count,), time, dtype=torch.float64)
    found = best(path).matching_loss(images, times, stream())
    mix = mixture(path, times[0])
    common = mix.alpha_rate * mix.alpha * WIDTH**2 + mix.sigma_rate * mix.sigma
    variance = mix.alpha**2 * WIDTH**2 + mix.sigma**2
    expected = mix.alpha_rate**2 * WIDTH**2 + mix.sigma_rate**2 - common**2 / variance
    assert abs(found.mean() - expected) < 5 * found.std() / math.sqrt(count) + 1e-12


@every_path
@pytest.mark.parametrize(("solver", "order"), [(Solver.EULER, 1), (Solver.HEUN, 2)])
def test_that_samples_come_to_where_the_best_velocity_takes_them_at_the_solvers_order(
    path: FlowPath, solver: Solver, order: int
) -> None:
    """z goes to m + s·z; a third of the step makes the error smaller by about 3 to the power of the order."""
    start = torch.randn(200, *PLANE, generator=stream(), dtype=torch.float64)
    errors = []
    for steps in (30, 90):
        *_, (_, image, _) = best(path, solver=solver, sampling_steps=steps).way(start)
        errors.append(float((image - MEAN - WIDTH * start).abs().max()))
    assert errors[0] / errors[1] == pytest.approx(3**order, rel=0.25)
    assert errors[1] < 0.05


@every_path
def test_that_the_log_density_of_the_best_velocity_is_the_gaussians(path: FlowPath) -> None:
    """Within .02 nats up to three widths from the mean."""
    points = MEAN + WIDTH * torch.linspace(-3, 3, 14, dtype=torch.float64).reshape(7, 2, 1, 1)
    expected = torch.distributions.Normal(MEAN, WIDTH).log_prob(points).sum((1, 2, 3))
    torch.testing.assert_close(best(path).log_density(points), expected, atol=0.02, rtol=0)


def test_that_the_density_of_an_untrained_network_is_that_of_its_samples_as_a_map() -> None:
    """log q(f(z)) = log N(z) − log |det ∂f/∂z|, by automatic differentiation of the sampler, within .01 nats."""
    model = flow_matching(sampling_steps=30)
    start = torch.randn(3, *PLANE, generator=stream(), dtype=torch.float64)

    def sampled(latent: Tensor) -> Tensor:
        *_, (_, image, _) = model.way(latent[None])
        return image[0]

    slopes = torch.stack([torch.autograd.functional.jacobian(sampled, each).reshape(2, 2) for each in start])
    expected = -0.5 * (start.flatten(1) ** 2 + math.log(2 * math.pi)).sum(1) - slopes.det().abs().log()
    found = model.log_density(torch.stack([sampled(each) for each in start]).detach())
    torch.testing.assert_close(found, expected.detach(), atol=0.01, rtol=0)


def test_that_views_are_of_the_flow_its_density_and_its_ways() -> None:
    model = best(FlowPath.RECTIFIED).eval()
    points = random_batch(PLANE, 16).images
    model.draw_latents = lambda count, rng: torch.randn(count, *PLANE, generator=rng, dtype=torch.float64)  # type: ignore[method-assign]
    (_, ways), (density,) = (
        model.views.on_plane(points, torch.zeros(len(points)).long(), stream()),
        model.views.on_plane_at_leisure(points, stream()),
    )
    assert isinstance(ways, Flow)
    assert ways.knots.shape == (32, 11, 2)
    assert isinstance(density, Field)
    cell = (2 / SIDE) ** 2
    inside = torch.distributions.Normal(MEAN, WIDTH).log_prob(grid(points)).sum((1, 2, 3)).exp()
    expected = (inside / (inside.sum() * cell)).log().reshape(SIDE, SIDE)
    torch.testing.assert_close(torch.from_numpy(density.values), expected, atol=0.05, rtol=0)
    images = random_batch(PLANE, 8).images
    profile, pictures = model.views.diagnostics(Probe(seen=images, held_out=images[:4]), stream())
    assert isinstance(profile, Profile)
    assert set(profile.series) == {"training", "held-out"}
    assert isinstance(pictures, Pictures)
    assert len(pictures.rows) == len(pictures.images) / pictures.columns


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(FlowPath.RECTIFIED, marks=pytest.mark.slow),
        pytest.param(FlowPath.COSINE, marks=[pytest.mark.long, pytest.mark.timeout(900)]),
    ],
)
def test_that_a_tilted_line_is_learned(path: FlowPath) -> None:
    """N(0, 1) under ΔH = x becomes N(−1, 1): mean within .05, standard deviation within .05."""
    config = model_spec("flow_matching").config.model_validate({"width": 8, "path": path})
    samples = learned_line(config, steps=2000)
    assert samples.mean().item() == pytest.approx(-1, abs=0.05)
    assert samples.std().item() == pytest.approx(1, abs=0.05)

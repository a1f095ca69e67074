"""How parameters and samples follow a tilt, against closed forms."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from studio.errors import Cancelled, UserError
from studio.models.base import Batch, GenerativeModel, LossTerms, Phase, Said
from studio.models.boltzmann.model import BoltzmannModel
from studio.models.catalog import model_spec
from studio.models.config import Optimiser, OptimiserConfig
from studio.models.normalising_flow.config import NormalisingFlowConfig
from studio.models.normalising_flow.model import NormalisingFlow
from studio.perturb.arrays import Floats
from studio.progress import Progress
from studio.response.conjugate_gradients import conjugate_gradients
from studio.response.curvature import Fisher, Fitted, GaussNewton
from studio.response.damping import damping, training_time
from studio.response.means import slopes, stepped
from studio.response.parameters import Response, Trained
from tests.models.conftest import random_batch, small_model, stream

_LONG = Trained(optimiser=OptimiserConfig(kind=Optimiser.SGD), steps=10**12, size=32)
"""Trained so long that nothing is damped."""


class Line(GenerativeModel):
    """x ~ N(θ, 1) of the one pixel, fitted by ℓ = ½(x − θ)²."""

    def __init__(self, start: float) -> None:
        super().__init__((1, 1, 1))
        self.mean = nn.Linear(1, 1, bias=False).double()
        nn.init.constant_(self.mean.weight, start)

    def phases(self) -> Sequence[Phase]:
        return (Phase(network="mean"),)

    def losses(self, phase: Phase, batch: Batch, rng: torch.Generator) -> LossTerms:
        said = self.say(batch.images, rng)
        return LossTerms(data=said.loss(said.outputs))

    def say(self, images: Tensor, rng: torch.Generator) -> Said:
        x = images.flatten(1)
        return Said((self.mean(torch.ones_like(x)),), lambda outputs: 0.5 * (x - outputs[0]).square().sum(1))

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (1, 1, 1)

    def decode(self, latents: Tensor, rng: torch.Generator | None = None) -> Tensor:
        return latents + self.mean.weight


class LinearVae(Line):
    """x = Wz + b + σ·noise, z ~ N(0, 1), and q(z|x) = N(V(x − c), D), at the optimum of data with this covariance."""

    def __init__(self, covariance: Tensor, mean: Tensor, width: float) -> None:
        GenerativeModel.__init__(self, (1, 1, 1))
        variances, axes = torch.linalg.eigh(covariance)
        lead = (variances[-1] - width**2).sqrt() * axes[:, -1:]
        precision = 1 + (lead.T @ lead) / width**2
        self.width, self.log_variance = width, nn.Parameter(-precision.log()[0])
        self.mean = nn.Linear(1, 2).double()
        self.code = nn.Linear(2, 1).double()
        with torch.no_grad():
            self.mean.weight.copy_(lead)
            self.mean.bias.copy_(mean)
            self.code.weight.copy_((lead / width**2 / precision).T)
            self.code.bias.copy_(-self.code.weight @ mean)

    def say(self, images: Tensor, rng: torch.Generator) -> Said:
        x = images.flatten(1)
        centre = self.code(x)
        noise = torch.randn(centre.shape, generator=rng, dtype=centre.dtype)

        def loss(outputs: tuple[Tensor, ...]) -> Tensor:
            mean, log_variance, said = outputs
            kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)
            return 0.5 * ((x - said) / self.width).square().sum(1) + kl

        spread = self.log_variance.expand(centre.shape)
        return Said((centre, spread, self.mean(centre + (spread / 2).exp() * noise)), loss)

    def decode(self, latents: Tensor, rng: torch.Generator | None = None) -> Tensor:
        said: Tensor = self.mean(latents.flatten(1)).view(-1, 2, 1, 1)
        return said


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=stream(seed), dtype=torch.float64)


def pixels(images: Tensor) -> Floats:
    return np.asarray(images.flatten(1).numpy(), np.float64)


def test_that_the_mean_of_a_gaussian_follows_a_linear_energy_by_minus_its_variance() -> None:
    x = normal(500, 1, 1, 1)
    weights = torch.rand(500, generator=stream(), dtype=torch.float64)
    mean = float(weights @ x.flatten() / weights.sum())
    energy = 0.7 * x.flatten()
    response = Response(Line(mean), x, weights, _LONG)
    direction = response.to(energy, Progress())
    variance = float(weights @ (x.flatten() - mean) ** 2 / weights.sum())
    assert float(direction[0]) == pytest.approx(-0.7 * variance, rel=1e-6)
    found = response.slopes(direction, energy, pixels, 100)
    assert found.slope[0] == pytest.approx(-0.7 * variance, rel=1e-6)
    assert found.slope_error[0] == pytest.approx(0, abs=1e-6)


def test_that_stepped_weights_miss_the_tilted_optimum_by_its_second_order() -> None:
    """θ(s) = Σxe^{−sλx}/Σe^{−sλx} is missed by ½s²·λ²⟨(x − ⟨x⟩)³⟩, four times as much twice as far."""
    x = normal(500, 1, 1, 1).exp()
    energy = 0.3 * x.flatten()
    model = Line(float(x.mean()))
    direction = Response(model, x, torch.ones(500).double(), _LONG).to(energy, Progress())
    missed = []
    for scale in (0.01, 0.02):
        found = stepped(model, direction, scale).mean.weight
        missed.append(float((-scale * energy).softmax(0) @ x.flatten() - found))
    third = float((x - x.mean()).pow(3).mean())
    assert missed[0] == pytest.approx(0.5 * (0.3 * 0.01) ** 2 * third, rel=0.1)
    assert missed[1] == pytest.approx(4 * missed[0], rel=0.1)
    assert model.mean.weight.item() == pytest.approx(float(x.mean()))


@pytest.mark.parametrize("decay", [0.0, 0.99])
@pytest.mark.parametrize("steps", [30, 200, 1000])
def test_that_what_was_trained_shortly_follows_as_far_as_its_steps_went(steps: int, decay: float) -> None:
    """Steps of 0.01 from 0 towards −Var x, by ½θ², and what they are on average."""
    x = normal(500, 1, 1, 1)
    plain = OptimiserConfig(kind=Optimiser.SGD, learning_rate=0.01)
    short = Trained(optimiser=plain, steps=steps, size=32, decay=decay)
    direction = Response(Line(float(x.mean())), x, torch.ones(500).double(), short).to(x.flatten(), Progress())
    gone = 1 - 0.99 ** np.arange(1, steps + 1)
    weights = decay ** np.arange(steps)[::-1]
    expected = -float(x.var(correction=0)) * weights @ gone / weights.sum()
    assert float(direction[0]) == pytest.approx(expected, rel=0.08)


def test_that_a_linear_vae_follows_a_linear_energy_by_minus_the_covariance() -> None:
    """Probabilistic PCA: its best mean is that of the data, and N(m, Σ) under ΔH = a·x is N(m − Σa, Σ)."""
    mixing = torch.tensor([[1.0, 0.0], [0.6, 0.5]], dtype=torch.float64)
    x = 0.4 + normal(4_000, 2) @ mixing.T
    covariance = torch.cov(x.T, correction=0)
    width = float(torch.linalg.eigvalsh(covariance)[0].sqrt())
    model = LinearVae(covariance, x.mean(0), width)
    a = torch.tensor([0.5, -1.0], dtype=torch.float64)
    response = Response(model, x.view(-1, 2, 1, 1), torch.ones(len(x)).double(), _LONG)
    direction = response.to(x @ a, Progress())
    found = response.slopes(direction, x @ a, pixels, 4_000)
    np.testing.assert_allclose(found.slope, -(covariance @ a).numpy(), atol=0.05)


def _machine() -> tuple[BoltzmannModel, Tensor, Tensor]:
    """One with three pixels, all their states as images, and how probable it holds each."""
    model = small_model(
        model_spec("rbm"),
        (1, 1, 3),
        hidden_units=3,
        chains=4000,
        sample_steps=20,
        draw_pixels=True,
        binarisation="none",
    )
    assert isinstance(model, BoltzmannModel)
    with torch.no_grad():
        model.machine.weight.copy_(normal(3, 3, seed=4))
        model.machine.visible_bias.copy_(normal(3, seed=5) / 2)
    v = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=torch.float64)] * 3)
    return model.eval().requires_grad_(False), v, (-model.free_energy(v)).softmax(0)


def test_that_a_machine_that_can_be_anything_follows_as_its_data_do() -> None:
    """15 parameters and 7 free probabilities: d⟨f⟩/ds = −Cov(f, ΔH), by enumeration."""
    model, v, p = _machine()
    energy = normal(8, seed=6)
    response = Response(model, (2 * v - 1).view(8, 1, 1, 3), p, _LONG)
    direction = response.to(energy, Progress())
    found = response.slopes(direction, energy, pixels, 4000)
    exact = -(p * (energy - p @ energy)) @ (2 * v - 1)
    np.testing.assert_allclose(found.slope, exact.numpy(), atol=0.05)
    assert (np.abs(found.slope - exact.numpy()) < 4 * found.slope_error + 0.02).all()


def test_that_the_fisher_product_is_the_covariance_of_the_energy_slopes() -> None:
    model, v, p = _machine()
    data = Batch(images=(2 * v - 1).view(8, 1, 1, 3), weights=p, step=1)
    fisher = Fisher(model, data, v, 0)
    dense = torch.stack([fisher.product(each) for each in torch.eye(15, dtype=torch.float64)])
    slopes_of = torch.stack([fisher.slopes(each) for each in torch.eye(15, dtype=torch.float64)], dim=1)
    np.testing.assert_allclose(dense, torch.cov(slopes_of.T, correction=0), atol=1e-9)


def test_that_the_product_is_that_of_gauss_newton() -> None:
    """A mean of squares over 2 values: ⟨Jᵀ·J⟩ by the Jacobian of what the denoiser says."""
    model = small_model(model_spec("diffusion"), (2, 1, 1), width=4).eval().requires_grad_(False)
    data = Batch(images=normal(3, 2, 1, 1, seed=3), weights=torch.arange(1.0, 4).double(), step=1)
    newton = GaussNewton(model, data, len(data), 0)
    assert isinstance(newton.model, Fitted)
    said = newton.model.say(data.images, next(iter(newton._parts(3)))[1]).outputs[0].flatten(1)
    jacobian = torch.stack([newton._pull([each], [torch.ones_like(each)]) for each in said.flatten()])
    weights = (data.weights / data.weights.sum()).repeat_interleave(2)
    v = normal(jacobian.shape[1], seed=7)
    np.testing.assert_allclose(
        newton.product(v), (jacobian.T @ (weights * (jacobian @ v))).detach(), rtol=1e-6, atol=1e-9
    )


def test_that_a_flow_follows_by_the_fisher_information_of_its_exact_density() -> None:
    """x = m + z·e^−s at the optimum of Gaussian data: dm/ds = −λ·Var x, and of ΔH = κ·x² the variance by −2κ·Var²."""
    model = NormalisingFlow(NormalisingFlowConfig(), (1, 1, 1)).double().eval()
    x = 0.3 * normal(20_000, 1, 1, 1)
    model.flow.mean.data.fill_(float(x.mean()))
    model.flow.log_scale.data.fill_(-math.log(float(x.std(correction=0))))
    flat, variance = x.flatten(), float(x.var(correction=0))
    response = Response(model, x, torch.ones(len(x)).double(), _LONG)
    moved = response.to(0.7 * flat, Progress())
    assert float(moved[0]) == pytest.approx(-0.7 * variance, rel=0.1)  # by 4,000 draws
    widened = response.to(0.5 * (flat - flat.mean()).square(), Progress())
    assert float(widened[1]) == pytest.approx(0.5 * variance, rel=0.1)


@pytest.mark.parametrize("kind", ["vae", "hierarchical_vae", "diffusion", "flow_matching"])
def test_that_what_is_said_costs_what_training_minimises_and_slopes_as_that_does(kind: str) -> None:
    model = small_model(model_spec(kind), (1, 8, 8), width=4)
    batch = Batch(images=normal(3, 1, 8, 8), weights=torch.ones(3).double(), step=1)
    assert isinstance(model, Fitted)
    said = model.say(batch.images, stream())
    terms = model.losses(model.phases()[0], batch, stream())
    assert terms.data is not None
    losses = (said.loss(said.outputs), terms.data)
    np.testing.assert_allclose(losses[0].detach(), losses[1].detach(), rtol=1e-9)
    slopes = (torch.autograd.grad(loss.sum(), list(model.parameters()), allow_unused=True) for loss in losses)
    for own, trained in zip(*slopes, strict=True):
        np.testing.assert_allclose(own, trained, rtol=1e-6, atol=1e-9)


def test_that_conjugate_gradients_find_what_a_direct_solve_finds() -> None:
    model = LinearVae(torch.tensor([[1.0, 0.6], [0.6, 0.8]]).double(), torch.zeros(2).double(), 0.5)
    data = Batch(images=normal(50, 2, 1, 1), weights=torch.ones(50).double(), step=1)
    newton = GaussNewton(model, data, len(data), 0)
    size = sum(each.numel() for each in newton.model.parameters())
    dense = torch.stack([newton.product(each) for each in torch.eye(size).double()])
    np.testing.assert_allclose(dense, dense.T, atol=1e-9)
    assert float(torch.linalg.eigvalsh(dense)[0]) > -1e-9
    right, metric = normal(size, seed=7), 1 + normal(size, seed=8).abs()
    solved = conjugate_gradients(
        newton.product, right, metric, damping=0.1, more=0.4, tolerance=1e-8, iterations=500, progress=Progress()
    )
    np.testing.assert_allclose(solved.x, torch.linalg.solve(dense + 0.1 * metric.diag(), right), rtol=1e-5, atol=1e-5)
    more_damped = torch.linalg.solve(dense + 0.4 * metric.diag(), right)
    np.testing.assert_allclose(solved.more_damped, more_damped, rtol=1e-5, atol=1e-5)
    assert solved.residual < 1e-8


def test_that_a_ladder_of_codes_never_bends_downwards() -> None:
    model = small_model(model_spec("hierarchical_vae"), (2, 1, 1), width=4, latent_size=2)
    data = Batch(images=normal(20, 2, 1, 1), weights=torch.ones(20).double(), step=1)
    newton = GaussNewton(model, data, len(data), 0)
    for seed in range(5):
        v = normal(sum(each.numel() for each in model.parameters()), seed=seed)
        assert float(v @ newton.product(v)) > 0


def test_that_the_metric_is_what_the_gradients_of_batches_are_like() -> None:
    """Of ½(x − θ)² at the mean of data of variance 1, batches of 25 have gradients of 1/5."""
    x = normal(4000, 1, 1, 1)
    x = (x - x.mean()) / x.std()
    adam = OptimiserConfig(learning_rate=0.01, half_after=100)
    batch = Batch(images=x, weights=torch.ones(4000).double(), step=1)
    found = damping(Line(0.0), adam, 200, batch, 25, 0.0, Progress())
    assert float(found.metric[0]) == pytest.approx(0.2, rel=0.25)
    assert 1 / found.strength == training_time(adam, 200) == pytest.approx(math.log(3))


@pytest.mark.parametrize("kind", ["vae", "hierarchical_vae"])
def test_that_convolutional_decoders_follow_in_float32_as_in_float64(kind: str) -> None:
    """Gradients of transposed convolutions in float32 do not lie in order of memory; those in float64 do."""
    found = []
    for dtype in (torch.float64, torch.float32):
        model = small_model(model_spec(kind), (1, 20, 20)).to(dtype).eval()
        images = random_batch((1, 20, 20), 6).images.to(dtype)
        batch = Batch(images=images, weights=torch.ones(6, dtype=dtype), step=1)
        newton = GaussNewton(model, batch, 6, 0)
        found.append(newton.push(torch.arange(6, dtype=dtype), 20, Progress()).double())
        damping(model, OptimiserConfig(), 10, batch, 3, 0.0, Progress())
    one, other = found
    assert float(one @ other / one.norm() / other.norm()) > 0.7  # their random numbers differ


def test_that_a_count_has_a_slope_too() -> None:
    """P(x > 0) of N(0, 1), moved by ds, changes by 1/√2π."""
    x = normal(10, 1, 1, 1)
    newton = GaussNewton(Line(0.0), Batch(images=x, weights=torch.ones(10).double(), step=1), 10, 0)
    found = slopes(
        Line(0.0), newton, torch.ones(1).double(), 0.2, lambda images: np.heaviside(pixels(images), 0.0), 20_000, 0
    )
    assert abs(found.slope[0] - 1 / math.sqrt(2 * math.pi)) < 4 * found.slope_error[0]


def test_that_a_model_of_two_losses_is_refused() -> None:
    gan = small_model(model_spec("gan"), (1, 8, 8))
    with pytest.raises(UserError, match="a loss each"):
        Response(gan, normal(4, 1, 8, 8), torch.ones(4).double(), _LONG)


def test_that_it_can_be_cancelled(cancelled: Progress) -> None:
    with pytest.raises(Cancelled):
        Response(Line(0.0), normal(9, 1, 1, 1), torch.ones(9).double(), _LONG).to(torch.arange(9.0).double(), cancelled)

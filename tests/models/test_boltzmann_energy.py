"""Restricted Boltzmann machines so small that every state can be visited."""

import itertools

import numpy as np
import pytest
import torch
from torch import Tensor

from studio.models.boltzmann.energy import BernoulliMachine, GaussianMachine, Machine
from studio.models.boltzmann.gibbs import gibbs, ladder, tempered_sweep
from studio.models.boltzmann.partition import exact_log_partition, forward_ais, log_likelihood, reverse_ais
from tests.models.conftest import stream

VISIBLE, HIDDEN = 6, 5


def machine(kind: type[Machine] = BernoulliMachine, *, seed: int = 0, spread: float = 0.8) -> Machine:
    """A machine with every parameter and offset away from 0, in float64."""
    made = kind(VISIBLE, HIDDEN).double()
    rng = stream(seed)
    for tensor in (*made.parameters(), *made.buffers()):
        tensor.data.copy_(spread * torch.randn(tensor.shape, generator=rng, dtype=torch.float64))
    return made


def states(units: int) -> Tensor:
    """All 2^n of them, shape (2^n, n)."""
    return torch.tensor(list(itertools.product((0.0, 1.0), repeat=units)), dtype=torch.float64)


def energy(m: Machine, v: Tensor, h: Tensor) -> Tensor:
    """E(v, h) written out, shape (len(v), len(h))."""
    u = m.coordinates(v)
    pair = torch.einsum("vi,ij,hj->vh", u, m.weight, h - m.hidden_offset)
    alone = m.base_energy(u) - u @ m.visible_bias
    return alone[..., None] - ((h - m.hidden_offset) @ m.hidden_bias)[None] - pair


def distribution(m: Machine) -> Tensor:
    """p(v) of all visible states by enumeration, shape (2^D,)."""
    return (-energy(m, states(VISIBLE), states(HIDDEN))).logsumexp(1).softmax(0).detach()


@pytest.mark.parametrize("kind", [BernoulliMachine, GaussianMachine])
def test_that_the_free_energy_sums_the_hidden_states(kind: type[Machine]) -> None:
    m = machine(kind)
    v = states(VISIBLE) + 0.1
    torch.testing.assert_close(m.free_energy(v), -(-energy(m, v, states(HIDDEN))).logsumexp(1))


def test_that_the_exact_partition_function_sums_all_states() -> None:
    m = machine()
    everything = (-energy(m, states(VISIBLE), states(HIDDEN))).flatten().logsumexp(0).detach()
    torch.testing.assert_close(exact_log_partition(m), everything)
    torch.testing.assert_close(log_likelihood(m, states(VISIBLE), everything).exp().detach(), distribution(m))


def test_that_the_gaussian_partition_function_is_the_integral() -> None:
    """Two pixels, so that ∫∫ exp(−F) can be taken on a grid."""
    m = GaussianMachine(2, 4, scale=0.5, width=0.6).double()
    m.hidden_offset.fill_(0.3)
    m.visible_offset.fill_(-0.2)
    line = torch.linspace(-9, 9, 901, dtype=torch.float64)
    grid = torch.cartesian_prod(line, line)
    cell = (line[1] - line[0]) ** 2
    integral = (-m.free_energy(grid)).logsumexp(0) + cell.log()
    torch.testing.assert_close(exact_log_partition(m), integral, rtol=0, atol=1e-6)


def test_that_more_than_twenty_hidden_units_are_not_summed() -> None:
    with pytest.raises(ValueError, match="2\\^21 hidden states"):
        exact_log_partition(BernoulliMachine(2, 21))


@pytest.mark.parametrize("weighted", [False, True])
def test_that_the_likelihoods_gradient_is_enumerations(weighted: bool) -> None:
    """∇⟨w·F(v)⟩_data − ⟨w⟩·∇⟨F⟩_model = −∇⟨w·log p(v)⟩, the right side by enumeration."""
    m, rng = machine(), stream(1)
    v = states(VISIBLE)[torch.randint(64, (20,), generator=rng)]
    w = torch.rand(20, generator=rng, dtype=torch.float64) * 3 if weighted else torch.ones(20, dtype=torch.float64)
    parameters = list(m.parameters())
    model = distribution(m) @ m.free_energy(states(VISIBLE))
    phases = w @ m.free_energy(v) / 20 - w.sum() / 20 * model
    log_z = (-energy(m, states(VISIBLE), states(HIDDEN))).flatten().logsumexp(0)
    likelihood = -(w @ (-m.free_energy(v) - log_z)) / 20
    for ours, theirs in zip(
        torch.autograd.grad(phases, parameters), torch.autograd.grad(likelihood, parameters), strict=True
    ):
        torch.testing.assert_close(ours, theirs)


def test_that_the_gradient_is_centred() -> None:
    """∂F/∂W = (v − μ)(λ − σ(a))ᵀ, which without offsets is −v·σ(a)ᵀ."""
    m, v = machine(), states(VISIBLE)[11:12]
    (slope,) = torch.autograd.grad(m.free_energy(v).sum(), m.weight)
    hidden = m.hidden_input(v).sigmoid()
    torch.testing.assert_close(slope, (v - m.visible_offset).T @ (m.hidden_offset - hidden))


@pytest.mark.parametrize("kind", [BernoulliMachine, GaussianMachine])
def test_that_moving_the_offsets_leaves_the_distribution(kind: type[Machine]) -> None:
    m, v = machine(kind), states(VISIBLE)
    before = m.free_energy(v)
    hidden = m.hidden_input(v)
    m.recentre(torch.full((VISIBLE,), 0.7).double(), torch.full((HIDDEN,), 0.2).double(), 0.3)
    shift = m.free_energy(v) - before
    torch.testing.assert_close(shift, shift[:1].expand_as(shift))
    torch.testing.assert_close(m.hidden_input(v), hidden)


@pytest.mark.parametrize("kind", [BernoulliMachine, GaussianMachine])
@pytest.mark.parametrize("centred", [False, True])
def test_that_it_sets_out_from_independent_pixels_of_the_given_means(kind: type[Machine], centred: bool) -> None:
    m, mean = kind(VISIBLE, HIDDEN, scale=0.0).double(), torch.linspace(0.1, 0.9, VISIBLE).double()
    m.begin(mean, centred=centred)
    torch.testing.assert_close(m.visible_mean(m.visible_field(torch.zeros(HIDDEN).double())).detach(), mean)


def test_that_the_centred_gradient_is_the_enhanced_one() -> None:
    """In other coordinates W's slope differs from the plain one by μ(Δh)ᵀ + (Δv)λᵀ, Δ = data − model."""
    m, data = machine(), states(VISIBLE)[:20]
    plain = machine()
    plain.visible_offset.zero_()
    plain.hidden_offset.zero_()
    plain.visible_bias.data.copy_(m.visible_bias - m.weight @ m.hidden_offset)
    plain.hidden_bias.data.copy_(m.hidden_bias - m.visible_offset @ m.weight)
    p, everything = distribution(m), states(VISIBLE)
    torch.testing.assert_close(distribution(plain), distribution(m))

    def slope(of: Machine) -> Tensor:
        (found,) = torch.autograd.grad(of.free_energy(data).mean() - p @ of.free_energy(everything), of.weight)
        return found

    hidden = m.hidden_input(data).sigmoid().mean(0) - p @ m.hidden_input(everything).sigmoid()
    visible = data.mean(0) - p @ everything
    expected = torch.outer(m.visible_offset, hidden) + torch.outer(visible, m.hidden_offset)
    torch.testing.assert_close(slope(m) - slope(plain), expected)


def test_that_gibbs_sampling_keeps_the_distribution() -> None:
    """Total variation to enumeration over 64 states, of 40,000 chains: about ½·Σ√(p/n)·0.8 ≈ 0.015."""
    m = machine()
    v = gibbs(m, torch.zeros(40_000, VISIBLE).double(), 30, stream())
    assert _variation(v, distribution(m)) < 0.025


def test_that_every_temperature_keeps_its_own_distribution() -> None:
    m = machine(spread=1.5)
    beta = ladder(3, 0.0, m.weight)
    chains = torch.zeros(3, 10_000, VISIBLE).double()
    rng = stream()
    for step in range(30):
        chains, accepted = tempered_sweep(m, chains, beta, bool(step % 2), rng)
        assert 0 < accepted.item() < 1
    for at, v in zip(beta.flatten().tolist(), chains, strict=True):
        exact = (-m.free_energy(states(VISIBLE), at)).softmax(0).detach()
        assert _variation(v, exact) < 0.045


def _variation(v: Tensor, exact: Tensor) -> float:
    codes = (v @ (2.0 ** torch.arange(VISIBLE - 1, -1, -1, dtype=torch.float64))).long()
    return float((torch.bincount(codes, minlength=64) / len(v) - exact).abs().sum() / 2)


@pytest.mark.parametrize("kind", [BernoulliMachine, GaussianMachine])
def test_that_annealing_brackets_the_exact_partition_function(kind: type[Machine]) -> None:
    """Few temperatures make the bias visible: over repeats the forward mean lies below, the reverse mean above."""
    m = machine(kind, spread=1.2)
    if isinstance(m, GaussianMachine):
        m.log_width.data.fill_(-0.3)
    exact, rng = exact_log_partition(m).item(), stream()
    samples = gibbs(m, torch.zeros(80 * 20, VISIBLE).double(), 100, rng)
    lower = np.array([forward_ais(m, 20, 4, rng).value.item() for _ in range(80)])
    upper = np.array([reverse_ais(m, part, 4, rng).value.item() for part in samples.split(20)])
    for estimates, sign in ((lower, 1), (upper, -1)):
        error = estimates.std() / np.sqrt(len(estimates))
        assert sign * (exact - estimates.mean()) > -3 * error
    assert lower.mean() < upper.mean()


@pytest.mark.parametrize("kind", [BernoulliMachine, GaussianMachine])
def test_that_annealing_slowly_finds_the_partition_function(kind: type[Machine]) -> None:
    m, rng = machine(kind), stream()
    exact = exact_log_partition(m).item()
    forward = forward_ais(m, 300, 200, rng)
    reverse = reverse_ais(m, gibbs(m, torch.zeros(300, VISIBLE).double(), 100, rng), 200, rng)
    for estimate in (forward, reverse):
        assert abs(estimate.value.item() - exact) < 5 * estimate.error.item() + 1e-3
        assert estimate.error.item() < 0.1

"""The one weighted reduction, and the bias of the tempting alternative."""

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from studio.models.base import LossTerms
from studio.models.reduce import reduced_metrics, weighted_loss
from studio.perturb.perturbation import Perturbation, target_shares
from studio.perturb.planner import ErrorCarryPlanner, FixedSizePlanner

AVERAGE = 16
COUNTS = np.array([54042, 5958])  # MNIST: everything else, digit 2
LABELS = np.repeat([0, 1], COUNTS)
TILTED = Perturbation(offsets=(0.0, -4.0))


def class_gradient(labels: NDArray[np.int64], weights: NDArray[np.float64], normaliser: float) -> Tensor:
    """Gradient mass of the two classes in one step: ∂/∂θ of the loss with data_j = θ_{class of j}, shape (2,)."""
    theta = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    terms = LossTerms(data=theta[torch.from_numpy(labels)])
    (gradient,) = torch.autograd.grad(weighted_loss(terms, torch.from_numpy(weights), normaliser), theta)
    return gradient


def test_that_the_loss_is_the_formula() -> None:
    data, weights = torch.tensor([1.0, 2.0, 5.0]), torch.tensor([0.5, 2.0, 1.0])
    loss = weighted_loss(LossTerms(data=data, model=torch.tensor(3.0)), weights, 4.0)
    assert loss.item() == pytest.approx((0.5 * (1 + 3) + 2 * (2 + 3) + 1 * (5 + 3)) / 4)


def test_that_a_phase_without_real_examples_is_not_weighted() -> None:
    loss = weighted_loss(LossTerms(model=torch.tensor(3.0)), torch.tensor([0.5, 2.0]), 4.0)
    assert loss.item() == 3.0


def test_that_the_tilt_of_an_example_goes_from_none_to_its_weight() -> None:
    rng = torch.Generator().manual_seed(0)
    data, weights = torch.randn(50, generator=rng), torch.rand(50, generator=rng) * 3
    untilted, tilted = (weighted_loss(LossTerms(data=data), each, 8.0) for each in (torch.ones(50), weights))

    def at(share: float) -> Tensor:
        return weighted_loss(LossTerms(data=data, tilt=torch.full((50,), share)), weights, 8.0)

    assert torch.equal(at(1.0), tilted)
    assert torch.equal(at(0.0), untilted)
    torch.testing.assert_close(at(0.3), 0.7 * untilted + 0.3 * tilted)


def test_that_what_only_fills_a_batch_up_counts_at_no_tilt() -> None:
    terms = LossTerms(data=torch.tensor([1.0, 100.0]), tilt=torch.zeros(2))
    assert weighted_loss(terms, torch.tensor([2.0, 0.0]), 4.0).item() == pytest.approx(1 / 4)


def test_that_empty_or_ill_matched_terms_are_refused() -> None:
    with pytest.raises(ValueError, match="without any term"):
        weighted_loss(LossTerms(), torch.ones(2), 2.0)
    with pytest.raises(ValueError, match="shape"):
        weighted_loss(LossTerms(data=torch.ones(2, 1)), torch.ones(2), 2.0)


def test_that_a_constant_offset_leaves_the_loss_as_it_is() -> None:
    data, labels = torch.tensor([1.0, 2.0, 5.0]).double(), np.array([0, 1, 1])
    losses = [
        weighted_loss(
            LossTerms(data=data),
            torch.from_numpy(np.exp(Perturbation(offsets=offsets).example_log_weights(labels, [1, 2]))),
            3.0,
        )
        for offsets in ((0.0, 0.0), (2.5, 2.5))
    ]
    assert losses[0] == losses[1] == data.mean()


def test_that_error_carry_and_the_constant_normaliser_give_each_class_its_target_share() -> None:
    """At ΔH = −4 the mean effective weight of the class is its target share, 0.858."""
    logs = TILTED.example_log_weights(LABELS, COUNTS)
    planner = ErrorCarryPlanner(logs, AVERAGE, np.random.default_rng(0))
    steps = 20_000 // AVERAGE
    total = torch.zeros(2, dtype=torch.float64)
    taken = 0
    for _ in range(steps):
        plan = planner.next()
        taken += 1 + plan.skipped
        total += class_gradient(LABELS[plan.indices], plan.weights, AVERAGE)
    share = total / taken
    assert target_shares(COUNTS, TILTED.offsets)[1] == pytest.approx(0.8575, abs=1e-4)
    assert share[1].item() == pytest.approx(target_shares(COUNTS, TILTED.offsets)[1], abs=4e-3)
    assert share.sum().item() == pytest.approx(1.0, abs=4e-3)


def test_that_dividing_by_the_batchs_own_weight_would_be_biased() -> None:
    """Batches of 16 over their own Σw: ⟨k·w/(k·w + 16 − k)⟩ with k of the class among 16, 0.70 instead of 0.858."""
    p, w = COUNTS[1] / COUNTS.sum(), math.exp(4)
    chance = [math.comb(AVERAGE, k) * p**k * (1 - p) ** (AVERAGE - k) for k in range(AVERAGE + 1)]
    expected = sum(c * k * w / (k * w + AVERAGE - k) for k, c in enumerate(chance))
    planner = FixedSizePlanner(TILTED.example_log_weights(LABELS, COUNTS), AVERAGE, np.random.default_rng(0))
    shares = []
    for _ in range(20_000 // AVERAGE):
        plan = planner.next()
        shares.append(class_gradient(LABELS[plan.indices], plan.weights, plan.adjusted_size)[1].item())
    assert expected == pytest.approx(0.70, abs=0.005)
    assert np.mean(shares) == pytest.approx(expected, abs=0.02)


def test_that_example_metrics_are_averaged_under_the_weights() -> None:
    terms = LossTerms(
        data=torch.ones(2),
        metrics={"scalar": torch.tensor(7.0)},
        example_metrics={"each": torch.tensor([1.0, 5.0], requires_grad=True)},
    )
    reduced = reduced_metrics(terms, torch.tensor([3.0, 1.0]))
    assert {name: value.item() for name, value in reduced.items()} == {"scalar": 7.0, "each": 2.0}
    assert not reduced["each"].requires_grad

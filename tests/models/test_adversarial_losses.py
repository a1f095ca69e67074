"""The losses of critic and generator against probabilities, and what the best critic's tell of the divergence."""

import math

import pytest
import torch
from torch import Tensor

from studio.models.adversarial.config import AdversarialLoss
from studio.models.adversarial.losses import Hinge, Minimax, NonSaturating, Wasserstein, js_estimate, loss_of

SCORES = torch.linspace(-6, 6, 13, dtype=torch.float64)


def divergence(p: Tensor, q: Tensor) -> Tensor:
    """JS(p, q) of two discrete distributions, shape (n,), in nats."""
    middle = (p + q) / 2
    return (torch.special.xlogy(p, p / middle) + torch.special.xlogy(q, q / middle)).sum() / 2


@pytest.mark.parametrize("loss", [NonSaturating(), Minimax()])
def test_that_the_critics_terms_are_cross_entropies(loss: NonSaturating) -> None:
    torch.testing.assert_close(loss.real(SCORES), -SCORES.sigmoid().log())
    torch.testing.assert_close(loss.fake(SCORES), -(1 - SCORES.sigmoid()).log())


def test_that_the_generators_terms_are_the_papers() -> None:
    torch.testing.assert_close(Minimax().generator(SCORES), (1 - SCORES.sigmoid()).log())
    torch.testing.assert_close(NonSaturating().generator(SCORES), -SCORES.sigmoid().log())
    assert torch.equal(Hinge().generator(SCORES), -SCORES)
    assert torch.equal(Wasserstein().generator(SCORES), -SCORES)


def test_that_hinge_and_wasserstein_are_the_formulas() -> None:
    scores = torch.tensor([-2.0, -0.5, 0.5, 2.0])
    assert Hinge().real(scores).tolist() == [3.0, 1.5, 0.5, 0.0]
    assert Hinge().fake(scores).tolist() == [0.0, 0.5, 1.5, 3.0]
    assert Wasserstein().real(scores).tolist() == (-scores).tolist()
    assert Wasserstein().fake(scores).tolist() == scores.tolist()


def test_that_minimax_saturates_where_the_generator_is_bad_and_the_trick_does_not() -> None:
    """∂/∂s of log(1 − σ(s)) is −σ(s), of −log σ(s) it is −σ(−s)."""
    for loss, slope in ((Minimax(), -math.exp(-20)), (NonSaturating(), -1.0)):
        score = torch.tensor([-20.0], dtype=torch.float64, requires_grad=True)
        loss.generator(score).sum().backward()
        assert score.grad.item() == pytest.approx(slope, rel=1e-6)


@pytest.mark.parametrize("kind", AdversarialLoss)
def test_that_huge_scores_give_finite_losses_and_slopes(kind: AdversarialLoss) -> None:
    loss, scores = loss_of(kind), torch.tensor([-1e4, 0.0, 1e4], requires_grad=True)
    total = loss.real(scores).sum() + loss.fake(scores).sum() + loss.generator(scores).sum()
    total.backward()
    assert total.isfinite()
    assert scores.grad.isfinite().all()


def test_that_the_best_critics_estimate_is_the_divergence() -> None:
    """D* = p/(p + q), that is s = log p − log q, on distributions over five values."""
    p = torch.tensor([0.1, 0.2, 0.3, 0.25, 0.15], dtype=torch.float64)
    q = torch.tensor([0.3, 0.3, 0.1, 0.05, 0.25], dtype=torch.float64)
    # Counts in these proportions are an exact sample.
    real, fake = ((p / q).log().repeat_interleave((share * 100).round().long()) for share in (p, q))
    best = js_estimate(real, fake).mean()
    torch.testing.assert_close(best, divergence(p, q))
    shifted = js_estimate(real + 0.3, fake + 0.3).mean()
    assert shifted < best


def test_that_the_estimate_is_0_for_a_blind_critic_and_log_2_for_one_that_tells_all() -> None:
    assert js_estimate(torch.zeros(3), torch.zeros(5)).abs().max() < 1e-7
    told = js_estimate(torch.full((3,), 50.0).double(), torch.full((5,), -50.0).double())
    torch.testing.assert_close(told, torch.full((3,), math.log(2)).double())


def test_that_the_estimate_weights_the_real_side_alone() -> None:
    """Under importance weights the same best critic of the target p′ ∝ w·p gives JS(p′, q)."""
    p = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    w = torch.tensor([0.4, 1.0, 2.5], dtype=torch.float64)
    q = torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64)
    target = p * w / (p * w).sum()
    scores = (target / q).log()
    fake = scores.repeat_interleave((q * 10).round().long())
    # Each value once, carrying p·w, is the weighted mean over examples.
    weighted = (target * js_estimate(scores, fake)).sum()
    torch.testing.assert_close(weighted, divergence(target, q))

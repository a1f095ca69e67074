"""Steering of an exact model: a mixture of Gaussians whose denoiser is known in closed form."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from studio.errors import Cancelled
from studio.models.diffusion.config import NoiseSchedule
from studio.models.diffusion.schedule import noise_schedule
from studio.perturb.energy import Energy
from studio.perturb.perturbation import Perturbation, target_shares
from studio.perturb.terms import LinearTerm
from studio.progress import Progress
from studio.sampling.chains import Chained
from studio.sampling.steering import Denoises, Steering
from studio.sampling.tilt import Tilt
from tests.sampling.conftest import COUNTS, PLANE, Mixture, look

CENTRES = torch.tensor([[-1.5, 0.0], [0.0, 0.5], [1.5, 0.0]]) / PLANE.half
WIDTH = 0.8 / PLANE.half


class ExactDenoiser:
    """⟨x_0⟩ given x_t = α·x_0 + σ·ε, where p(x_0) is the untilted mixture."""

    def __init__(self, steps: int) -> None:
        self.schedule = noise_schedule(NoiseSchedule.COSINE, 1000)
        self.steps = steps

    def denoising_times(self) -> Sequence[int]:
        return self.schedule.times(self.steps)

    def signal_share(self, time: int) -> float:
        return float(self.schedule.signal[time]) ** 2

    def guess_at(self, noisy: Tensor, time: int) -> Tensor:
        alpha, sigma = float(self.schedule.signal[time]), float(self.schedule.noise[time])
        variance = (alpha * WIDTH) ** 2 + sigma**2
        gaps = noisy.flatten(1)[:, None] - alpha * CENTRES
        shares = (torch.tensor(COUNTS / COUNTS.sum()).log() - gaps.square().sum(2) / (2 * variance)).softmax(1)
        each = CENTRES + alpha * WIDTH**2 / variance * gaps
        return (shares[..., None] * each).sum(1).float().view_as(noisy)

    def less_noisy(self, noisy: Tensor, guess: Tensor, time: int, earlier: int, rng: torch.Generator) -> Tensor:
        to = self.schedule.posterior(earlier, time)
        return to.clean * guess + to.noisy * noisy + to.width * torch.randn(noisy.shape, generator=rng)


def steering(steps: int) -> Steering:
    return Steering(
        model=ExactDenoiser(steps), shape=(2, 1, 1), scale=PLANE.scale, look=look, device=torch.device("cpu")
    )


@pytest.mark.parametrize("tilted", ["by class", "by place"])
def test_that_a_mixture_is_steered_to_its_exact_target(untilted: Mixture, tilted: str) -> None:
    wanted, factor = Perturbation(offsets=(0.0, 0.0, -2.5)), np.ones(200**2)
    centres = PLANE.centres(200)
    if tilted == "by place":
        wanted = Perturbation(offsets=(0.0,) * 3, energy=Energy(terms=(LinearTerm(feature="x", slope=-1.0),)))
        factor = np.exp(centres[:, 0])
    found = steering(100).sample(
        untilted.pool(), Tilt.between(untilted.trained, wanted), 1500, np.random.default_rng(0), Progress()
    )
    assert found.weights is not None
    assert found.weights.mean() == pytest.approx(1)
    mass = np.exp(PLANE.log_density(centres, target_shares(COUNTS, wanted.offsets))) * factor
    exact = (mass @ (centres[:, 0] > 1)) / mass.sum()
    x = found.values[:, 0, 0, 0]
    share = (found.weights * (x > 1)).mean()
    # Resampled on the way, so that 1,500 tell less than independent ones: twice the error; and 0.02 of the steps.
    assert share == pytest.approx(exact, abs=0.02 + 2 * 3 * (exact * (1 - exact) / 1500) ** 0.5)
    plain = (mass / factor @ (centres[:, 0] > 1)) if tilted == "by place" else (COUNTS / COUNTS.sum())[2]
    assert abs(exact - plain) > 0.2
    assert found.effective > 0.5 * 1500


def test_that_few_samples_are_chosen_from_more_and_count_alike(untilted: Mixture) -> None:
    tilt = Tilt.between(untilted.trained, Perturbation(offsets=(0.0, 0.0, -1.0)))
    found = steering(10).sample(untilted.pool(), tilt, 8, np.random.default_rng(0), Progress())
    assert (len(found), found.weights) == (8, None)


def test_that_steering_can_be_cancelled_on_the_way(untilted: Mixture) -> None:
    progress = Progress(lambda text, fraction: progress.cancel() if (fraction or 0) > 0.3 and "Steer" in text else None)
    tilt = Tilt.between(untilted.trained, untilted.trained)
    with pytest.raises(Cancelled):
        steering(10).sample(untilted.pool(), tilt, 64, np.random.default_rng(0), progress)


def test_that_the_exact_denoiser_is_what_models_offer() -> None:
    assert isinstance(ExactDenoiser(10), Denoises)
    assert not isinstance(ExactDenoiser(10), Chained)

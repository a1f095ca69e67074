"""Conditioning: an exact model of points that is told classes, so that a tilt by class is a matter of drawing them."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from studio.data.scale import PIXELS
from studio.errors import UserError
from studio.models.base import Batch, LossTerms, Phase
from studio.models.conditional import Conditional
from studio.perturb.energy import Energy
from studio.perturb.perturbation import Perturbation, target_shares
from studio.perturb.terms import LinearTerm
from studio.progress import Progress
from studio.sampling.choice import Method, choose, needing_no_draws
from studio.sampling.conditioning import Conditioning
from studio.sampling.rejection import Rejection
from studio.sampling.resampling import Resampling
from studio.sampling.tilt import Tilt
from tests.sampling.conftest import COUNTS, NAMES, Mixture

CPU = torch.device("cpu")
TRAINED = Mixture(trained=Perturbation(offsets=(0.0, 1.0, -1.0)))
STRONG = Perturbation(offsets=(0.0, 0.5, -2.5))


class Told(Conditional):
    """Makes a picture of one pixel that says its class, and, after it, noise."""

    def __init__(self) -> None:
        super().__init__((1, 1, 2))
        self.unused = nn.Parameter(torch.zeros(1))
        self.hear(len(COUNTS), 0.1)

    @property
    def noise_shape(self) -> tuple[int, ...]:
        return (1,)

    def images(self, noise: Tensor, labels: Tensor | None, rng: torch.Generator | None) -> Tensor:
        assert labels is not None
        return torch.stack([labels * 2 / 255 - 1, noise[:, 0].tanh()], 1)[:, None, None, :]

    def phases(self) -> Sequence[Phase]:
        return ()

    def losses(self, phase: Phase, batch: Batch, rng: torch.Generator) -> LossTerms:
        raise NotImplementedError


@pytest.fixture
def sampler() -> Conditioning:
    return Conditioning(model=Told(), scale=PIXELS, device=CPU, told=TRAINED.meant)


def classes(values: object) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return np.asarray(values)[:, 0, 0, 0].astype(np.int64)


def test_that_classes_are_multinomial_with_the_shares_of_the_target(sampler: Conditioning) -> None:
    tilt = Tilt.between(TRAINED.trained, STRONG)
    found = sampler.sample(TRAINED.pool(), tilt, 20_000, np.random.default_rng(0), Progress())
    shares = target_shares(COUNTS, np.array(STRONG.offsets))
    counts = np.bincount(classes(found.values), minlength=3)
    assert ((counts - 20_000 * shares) ** 2 / (20_000 * shares)).sum() < 13.8  # χ² of 2, one in a thousand
    assert (found.draws, found.distinct, found.effective, found.acceptance) == (20_000, 20_000, 20_000, None)


def test_that_what_holding_corrected_stays_corrected() -> None:
    """The model's own target gives the classes that its own samples are of."""
    told = np.array([0.2, 0.3, 0.5])
    held = Conditioning(model=Told(), scale=PIXELS, device=CPU, told=told)
    tilt = Tilt.between(TRAINED.trained, TRAINED.trained)
    found = held.sample(TRAINED.pool(), tilt, 20_000, np.random.default_rng(0), Progress())
    assert np.bincount(classes(found.values), minlength=3) / 20_000 == pytest.approx(told, abs=0.015)


def test_that_an_edit_changes_the_samples_alone_whose_class_changes(sampler: Conditioning) -> None:
    pool = TRAINED.pool()
    wanted = (STRONG, Perturbation(offsets=(0.0, 0.5, -2.6)))
    first, second = (
        sampler.sample(pool, Tilt.between(TRAINED.trained, each), 500, np.random.default_rng(0), Progress()).values
        for each in wanted
    )
    same = classes(first) == classes(second)
    assert 0.9 < same.mean() < 1
    assert np.array_equal(first[:, 0, 1], second[:, 0, 1])


def test_that_it_is_preferred_without_a_draw_and_says_why(sampler: Conditioning) -> None:
    pool, samplers, tilt = TRAINED.pool(), (Rejection(), sampler, Resampling()), Tilt.between(TRAINED.trained, STRONG)
    chosen = needing_no_draws(Method.AUTO, samplers, pool, tilt)
    assert chosen.sampler is sampler
    assert chosen.why.startswith("Conditioning: the model is told classes as frequent as in the target")
    assert len(pool) == 0
    assert needing_no_draws(Method.REJECT, samplers, pool, tilt) is None
    assert needing_no_draws(Method.AUTO, (Rejection(), Resampling()), pool, tilt) is None


@pytest.mark.parametrize(
    ("worth", "said"),
    [
        (
            (500.0, 300.0, 12.3),
            ("Class right was trained on with only 12 labelled examples’ worth of weight: its samples",),
        ),
        (
            (3.0, 5.0, 0.02),
            ("Classes left, right were trained on with only 3 labelled examples’ worth of weight each",),
        ),
        ((500.0, 1.0, 300.0), ()),  # of which there are hardly any samples
    ],
)
def test_that_samples_of_a_class_that_was_hardly_trained_on_are_remarked(
    worth: tuple[float, ...], said: tuple[str, ...]
) -> None:
    sampler = Conditioning(
        model=Told(), scale=PIXELS, device=CPU, told=TRAINED.meant, worth=dict(zip(NAMES, worth, strict=True))
    )
    tilt = Tilt.between(TRAINED.trained, Perturbation(offsets=(0.0, 9.0, -2.5)))
    found = sampler.sample(TRAINED.pool(), tilt, 10, np.random.default_rng(0), Progress())
    assert len(found.remarks) == len(said)
    assert all(remark.startswith(start) for remark, start in zip(found.remarks, said, strict=True))


def test_that_what_differs_within_classes_is_left_to_the_other_methods(sampler: Conditioning) -> None:
    wanted = Perturbation(offsets=STRONG.offsets, energy=Energy(terms=(LinearTerm(feature="x", slope=0.5),)))
    pool, tilt = TRAINED.pool(), Tilt.between(TRAINED.trained, wanted)
    assert needing_no_draws(Method.AUTO, (sampler,), pool, tilt) is None
    chosen = choose(Method.AUTO, (sampler, Rejection(), Resampling()), pool, tilt, 64, Progress())
    assert isinstance(chosen.sampler, Resampling)
    assert "conditioning cannot, for the target differs within classes" in chosen.why
    with pytest.raises(UserError, match="differs within classes") as caught:
        sampler.sample(pool, tilt, 10, np.random.default_rng(0), Progress())
    assert "resampling" in caught.value.hint

"""Other targets at once: of a model that draws the digits themselves, so that every class share is known exactly."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from studio.data.catalog import load_dataset
from studio.data.digits import DigitsConfig, load_digits
from studio.data.example_set import ExampleSet
from studio.data.image_set import ImageSet
from studio.data.planar.config import MoonsConfig
from studio.data.subset import part_of
from studio.errors import Cancelled, UserError
from studio.models.base import Batch, GenerativeModel, LossTerms, Phase
from studio.models.conditional import Conditional
from studio.paths import default_data_root
from studio.perturb.energy import Energy
from studio.perturb.perturbation import Perturbation, offsets_for_some_shares
from studio.perturb.terms import FormulaTerm, JudgeTerm, LinearTerm
from studio.progress import Progress
from studio.sampling.choice import Method
from studio.training.analysis.at_once import AtOnce
from studio.training.analysis.trained_model import TrainedModel
from studio.training.examples.examples import for_models
from studio.training.examples.judges import Judges
from studio.training.examples.measured_set import measured_set
from studio.training.messages.commands import SetPerturbation, Stop
from studio.training.storage.run import Run
from tests.training.conftest import steps, tiny_config, tiny_images
from tests.training.played import Played


class DataModel(GenerativeModel):
    """Draws examples of a data set, by weight."""

    def __init__(self, examples: ExampleSet, weights: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> None:
        super().__init__(examples.image_shape)
        self.unused = nn.Parameter(torch.zeros(1))
        self.examples, self.weights = examples, torch.from_numpy(weights)

    def phases(self) -> Sequence[Phase]:
        return ()

    def losses(self, phase: Phase, batch: Batch, rng: torch.Generator) -> LossTerms:
        raise NotImplementedError

    def sample_parts(self, counts: Iterable[int], rng: torch.Generator) -> Iterator[Tensor]:
        for count in counts:
            chosen = torch.multinomial(self.weights, count, replacement=True, generator=rng)
            yield for_models(self.examples.rows(chosen.numpy()), self.examples.scale, torch.device("cpu"))


@pytest.fixture
def digits(kept_judge: None) -> ImageSet:
    return load_digits(DigitsConfig(), default_data_root(), Progress())


def of(examples: ExampleSet, trained: Perturbation | None = None) -> AtOnce:
    """A model that draws exactly what it was trained for."""
    target = trained or Perturbation.zero(len(examples.class_names))
    model = DataModel(examples, np.exp(target.class_log_weights(examples.counts)[examples.labels]))
    judges = Judges(examples, default_data_root())
    measured = measured_set(examples, judges)
    own = TrainedModel(model=model, target=target, applied=target, examples=examples, judges=judges, measured=measured)
    return AtOnce(own, Progress())


def true_classes(examples: ImageSet, images: object) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    places = {image.tobytes(): label for image, label in zip(examples.images, examples.labels.tolist(), strict=True)}
    return np.array([places[image.tobytes()] for image in np.asarray(images)])


@pytest.mark.parametrize("trained", [0.0, -1.0])
def test_that_a_share_that_is_asked_for_is_there_at_once(digits: ImageSet, trained: float) -> None:
    target = Perturbation(offsets=tuple(trained * (np.arange(10) == 2)))
    wanted = Perturbation(offsets=tuple(offsets_for_some_shares(digits.counts, np.zeros(10), {2: 0.3}).tolist()))
    found = of(digits, target).sample(wanted, 600)
    shares = np.bincount(true_classes(digits, found.values), minlength=10) / 600
    assert found.method == "reject"
    assert shares[2] == pytest.approx(0.3, abs=4 * (0.3 * 0.7 / 600) ** 0.5)
    assert np.delete(shares, 2).min() > 0.04


def test_that_images_that_nobody_can_judge_are_refused_and_not_drawn_as_they_are(digits: ImageSet) -> None:
    part = of(part_of(digits, np.arange(900)))
    with pytest.raises(UserError, match="judged"):
        part.sample(Perturbation(offsets=tuple(-1.0 * (np.arange(10) == 2))), 100)


def test_that_features_and_the_log_odds_of_judges_are_those_of_what_is_generated(digits: ImageSet) -> None:
    terms = (LinearTerm(feature="ink", slope=-0.3), JudgeTerm(of="3", slope=-0.1), FormulaTerm(text="0.1*log_odds(3)"))
    at_once = of(digits)
    wanted = Perturbation(offsets=(0.0,) * 10, energy=Energy(terms=terms))
    brighter, as_they_are = (at_once.sample(each, 100) for each in (wanted, Perturbation.zero(10)))
    assert brighter.method == "resample"
    ink = [(np.asarray(each.values, np.uint8) > 127).mean() for each in (brighter, as_they_are)]
    assert ink[0] > 1.05 * ink[1]


def test_that_judges_who_did_not_weigh_measure(digits: ImageSet) -> None:
    at_once = of(digits)
    wanted = Perturbation(offsets=tuple(-1.36 * (np.arange(10) == 2)))
    measured = at_once.measure(at_once.sample(wanted, 200), wanted, Progress())
    found = measured.evaluation
    assert found.tv < 3 * found.tv_floor + 0.05
    assert found.target[2] == pytest.approx(0.3, abs=0.01)
    assert measured.agreement > 0.8


def test_that_what_judges_find_is_of_the_class_with_an_offset_of_its_own(digits: ImageSet) -> None:
    """As in the window, where a term changes another class more."""
    at_once = of(digits)
    offsets = tuple(-0.02 if place == 3 else 0.0 for place in range(10))
    wanted = Perturbation(offsets=offsets, energy=Energy(terms=(LinearTerm(feature="ink", slope=0.02),)))
    found = at_once.measure(at_once.sample(wanted, 100), wanted, Progress())
    assert np.abs(found.evaluation.target - found.evaluation.data)[:-1].argmax() == 8
    assert "sampled at once, 3s are" in found.remark


def test_that_a_tilted_model_tells_the_share_of_the_untilted_data(digits: ImageSet) -> None:
    offsets = offsets_for_some_shares(digits.counts, np.zeros(10), {2: 0.5})
    found = of(digits, Perturbation(offsets=tuple(offsets.tolist()))).untilted_mean("label == 2", 1000)
    share = digits.counts[2] / len(digits)
    assert found.mean == pytest.approx(share, abs=5 * found.error + 0.01)
    assert found.gain == pytest.approx(0.25 / (share * (1 - share)), rel=0.3)


def test_that_an_unclipped_and_a_clipped_energy_differ(digits: ImageSet) -> None:
    at_once = of(digits)
    steep = (LinearTerm(feature="ink", slope=-0.3),)
    energies = (Energy(terms=steep), Energy(terms=steep, clip=0.5))
    found = [at_once.sample(Perturbation(offsets=(0.0,) * 10, energy=energy), 60) for energy in energies]
    ink = [(np.asarray(each.values, np.uint8) > 127).mean() for each in found]
    assert ink[0] > 1.05 * ink[1]


def test_that_points_are_weighed_by_the_exact_densities_of_their_classes() -> None:
    points = load_dataset(MoonsConfig(), default_data_root())
    wanted = Perturbation(offsets=(-2.0, 0.0))
    at_once = of(points)
    found = at_once.sample(wanted, 500)
    labels = points.plane.classify(np.asarray(found.values, float).reshape(-1, 2), points.counts / len(points))
    share = points.counts[0] * np.exp(2.0)
    assert (labels == 0).mean() == pytest.approx(share / (share + points.counts[1]), abs=0.08)
    with pytest.raises(UserError, match="Only images can be judged"):
        at_once.measure(found, wanted, Progress())


def test_that_it_can_be_cancelled_and_asked_again(digits: ImageSet) -> None:
    at_once, progress = of(digits), Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        at_once.sample(Perturbation.zero(10), 64, progress)
    assert len(at_once.sample(Perturbation.zero(10), 64, method=Method.RESAMPLE)) == 64


def test_that_a_conditional_model_has_its_classes_of_an_edit_and_its_terms_of_what_it_learned(tmp_path: Path) -> None:
    """Classes are told with the edit; what differs within them is learned in steps, of which none was taken."""
    term, path = FormulaTerm(text="0.5*ink"), tmp_path / "run"
    edit = Perturbation(offsets=(1.0, 0.0, -1.0), energy=Energy(terms=(term,)), revision=1)
    config = tiny_config("vae", model={"conditional": True})
    Played(config, folder=path).run([*steps(2), [SetPerturbation(perturbation=edit), Stop()]])
    trained = TrainedModel.of_run(Run.open(path), lambda _: tiny_images(), Progress())
    assert isinstance(trained.model, Conditional)
    told = (trained.model.label_shares / trained.model.label_shares.sum()).tolist()
    assert trained.target.energy.terms == ()
    assert trained.edited is not None
    assert trained.edited.energy == edit.energy
    for each in (trained.target, trained.applied, trained.edited):
        assert trained.shares(each, Progress()).tolist() == pytest.approx(told, abs=1e-6)
    assert trained.worth == pytest.approx(trained.examples.counts), "by the weights of the steps that were taken"


@pytest.mark.parametrize(
    ("used", "held_out", "kept"), [(1.0, 0.0, 1.0), (0.5, 0.0, 0.5), (1.0, 0.5, 0.5), (0.5, 0.2, 0.5)]
)
def test_that_it_is_known_what_a_conditional_model_learned_each_class_from(
    used: float, held_out: float, kept: float, tmp_path: Path
) -> None:
    """Of w examples that weigh as much as v they are worth the less, and of no class more than are told."""
    model, tilt = {"conditional": True, "labels_used": used}, {"offsets": {"ant": 5.0, "cat": -1.0}}
    config = tiny_config("vae", model=model, perturbation=tilt, held_out=held_out)
    Played(config, folder=tmp_path / "run").run([*steps(1), [Stop()]])
    trained = TrainedModel.of_run(Run.open(tmp_path / "run"), lambda _: tiny_images(), Progress())
    counts = tiny_images().counts
    weights = np.exp([-5.0, 0.0, 1.0])
    weights *= counts.sum() / (counts @ weights)
    told = counts - np.floor((1 - kept) * counts)
    assert trained.worth == pytest.approx(told * np.minimum(weights, 1))
    assert trained.worth is not None
    samples = AtOnce(trained, Progress()).sample(Perturbation.zero(3), 20)
    assert f"trained on with only {max(each for each in trained.worth if each < 20):.2g} " in samples.remarks[0]

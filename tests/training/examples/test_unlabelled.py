"""Images without labels: trained on, tilted, and judged by the judge of another data set."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from studio.cli.main import main
from studio.data.catalog import load_dataset
from studio.data.digits import DigitsConfig
from studio.data.folder import FolderConfig
from studio.data.image_set import ImageSet
from studio.errors import UserError
from studio.evaluation.committee import recognisable
from studio.perturb.arrays import Floats
from studio.progress import Progress
from studio.training.config.energy import energy_of_record, energy_record
from studio.training.config.planners import PlannerKind
from studio.training.config.presets import config_or_preset
from studio.training.config.run_config import BatchConfig, PerturbationConfig, RunConfig
from studio.training.engine.trainer import Trainer
from studio.training.examples.judges import Judges, known_judges
from studio.training.examples.measured_set import measured_set, whole_log_weights
from studio.training.storage.metrics import read_metrics
from studio.training.storage.run import Run
from tests.data.image_folders import write_image_folder, write_loose_images

SHOWN = 200
"""Digits in the folder: the first of the built-in ones."""


@pytest.fixture(scope="module")
def digits() -> ImageSet:
    found = load_dataset(DigitsConfig(), Path("unused"))
    assert isinstance(found, ImageSet)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, digits: ImageSet) -> Path:
    return write_loose_images(tmp_path_factory.mktemp("loose") / "scans", digits.images[:SHOWN])


@pytest.fixture(scope="module")
def loose(folder: Path) -> ImageSet:
    """Digits of which nobody has said which is which."""
    found = load_dataset(FolderConfig(path=str(folder), size=8), folder)
    assert isinstance(found, ImageSet)
    return found


def perturbed(*terms: Mapping[str, object]) -> PerturbationConfig:
    return PerturbationConfig.model_validate({"terms": terms})


@pytest.mark.parametrize("planner", PlannerKind)
def test_that_every_planner_trains_on_them_with_a_tilt(loose: ImageSet, planner: PlannerKind) -> None:
    config = RunConfig(
        model=config_or_preset("digits-vae").model.model_copy(update={"width": 4}),
        perturbation=perturbed({"kind": "linear", "feature": "ink", "slope": -0.05}),
        batch=BatchConfig(planner=planner, average_size=16),
    )
    trainer = Trainer(config, loose)
    weights = np.exp(whole_log_weights(trainer.perturbation, trainer.measured))
    assert weights.mean() == pytest.approx(1.0)
    assert np.ptp(weights) > 0.1
    assert [trainer.step().plan.adjusted_size > 0 for _ in range(3)] == [True] * 3


def test_that_an_offset_of_the_only_class_changes_nothing(loose: ImageSet) -> None:
    tilt = PerturbationConfig(offsets={"all images": -3.0}).resolve(loose.class_names)
    np.testing.assert_array_equal(tilt.example_log_weights(loose.labels, loose.counts), 0.0)
    with pytest.raises(UserError, match="belongs to no class"):
        PerturbationConfig(offsets={"2": -3.0}).resolve(loose.class_names)


def log_odds(examples: ImageSet, of: str, data: str) -> Floats:
    (name,) = perturbed({"kind": "judge", "of": of, "data": data}).energy().names
    return measured_set(examples, Judges(examples, Path("nowhere"))).values(name)


@pytest.mark.usefixtures("kept_judge")
def test_that_another_sets_judge_gives_the_log_odds_that_it_gives_its_own_images(
    loose: ImageSet, digits: ImageSet
) -> None:
    own = log_odds(digits, "2", "")[:SHOWN]
    np.testing.assert_allclose(log_odds(loose, "2", "digits"), own, atol=1e-3)
    assert own[digits.labels[:SHOWN] == 2].mean() > own[digits.labels[:SHOWN] != 2].mean() + 1


@pytest.mark.usefixtures("kept_judge")
def test_that_a_formula_takes_log_odds_of_any_judge(loose: ImageSet, digits: ImageSet) -> None:
    term = {"kind": "formula", "text": "where(log_odds(2) > 0, -2, 0.01*ink)", "data": "digits"}
    target = perturbed(term).resolve(loose.class_names)
    judges = Judges(loose, Path("nowhere"))
    measured = measured_set(loose, judges)
    energy = target.example_energies(measured).energy
    odds = judges.log_odds("digits", "2", Progress())
    np.testing.assert_allclose(energy, np.where(odds > 0, -2.0, 0.01 * measured.values("ink")))
    assert energy_of_record(energy_record(target.energy)) == target.energy
    term = {"kind": "formula", "text": "1/(log_odds(12) - log_odds(12))", "data": "digits"}
    with pytest.raises(UserError, match="no class number 12"):
        perturbed(term).resolve(loose.class_names).example_energies(measured)
    term = {"kind": "formula", "text": "1/(log_odds(2) - log_odds(2))"}
    with pytest.raises(UserError, match=r"example 0 .*log_odds_2 = "):
        perturbed(term).resolve(digits.class_names).example_energies(measured_set(digits))


@pytest.mark.usefixtures("kept_judge")
def test_that_images_of_another_size_and_colour_are_brought_to_the_judges(loose: ImageSet, digits: ImageSet) -> None:
    large = loose.images.repeat(2, axis=1).repeat(2, axis=2).repeat(3, axis=3)
    coloured = ImageSet(name="Large", images=large, labels=loose.labels, class_names=loose.class_names)
    np.testing.assert_allclose(log_odds(coloured, "2", "digits"), log_odds(loose, "2", "digits"), atol=1e-3)
    small = ImageSet(name="Small", images=digits.images[:50, ::2, ::2], labels=loose.labels[:50], class_names=("all",))
    assert np.isfinite(log_odds(small, "2", "digits")).all()


def test_that_a_colour_judge_looks_at_grey_images(
    loose: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.evaluation.judge._SEEN", 1000)
    pets = write_image_folder(tmp_path / "pets", classes=2, per_class=6)
    judges = Judges(loose, tmp_path)
    name = f"folder:{pets}"
    assert judges.class_names(name) == ()
    found = judges.judge(name, Progress())
    assert found.trained_on == "pets"
    assert found.features.shape[0] == SHOWN
    assert judges.here(name) is found
    assert judges.class_names(name) == ("class 1", "class 2")


@pytest.mark.parametrize(
    ("name", "of", "title"),
    [
        ("", "2", "no classes to train a judge on"),
        ("digits", "two", "knows no class “two”"),
        ("mnist", "2", "not in the data folder yet"),
        ("planar_ring", "1", "has no judge"),
        ("folder", "1", "No folder is chosen"),
        ("elsewhere", "1", "no such data set"),
    ],
)
def test_that_a_judge_that_cannot_look_is_refused_with_what_to_do(
    loose: ImageSet, tmp_path: Path, name: str, of: str, title: str
) -> None:
    with pytest.raises(UserError, match=title) as caught:
        Judges(loose, tmp_path).log_odds(name, of, Progress())
    assert caught.value.field == "perturbation.terms"


def test_that_unlabelled_images_are_no_judges_data(digits: ImageSet, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has no judge"):
        Judges(digits, tmp_path).judge(f"folder:{folder}", Progress())


def test_that_the_judges_on_offer_know_their_classes_before_anything_is_loaded(loose: ImageSet, tmp_path: Path) -> None:
    judges = Judges(loose, tmp_path)
    offered = {name: judges.class_names(name) for name, _ in known_judges()}
    assert offered["mnist"] == tuple("0123456789")
    assert {"digits", "fashion_mnist", "cifar10", "svhn"} < set(offered)
    assert all(len(names) > 1 for names in offered.values())


@pytest.mark.usefixtures("kept_judge")
def test_that_a_run_without_a_window_is_tilted_and_evaluated_by_another_sets_judge(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, run, out = tmp_path / "config.json", tmp_path / "run", tmp_path / "found.json"
    preset = config_or_preset("digits-vae")
    term = {"kind": "judge", "of": "2", "data": "digits", "slope": -0.3}
    changes = {"dataset": FolderConfig(path=str(folder), size=8), "perturbation": perturbed(term)}
    config.write_text(preset.model_copy(update=changes).to_json(), encoding="utf-8")
    quick = ["--set", "model.width=4", "--set", "batch.average_size=8"]
    assert main(["train", str(config), "--steps", "5", "--run-dir", str(run), *quick]) == 0
    assert Run.open(run).class_names == ("all images",)
    assert Run.open(run).summary["energy"]["terms"][0]["data"] == "digits"
    capsys.readouterr()
    assert main(["evaluate", str(run), "--count", "40"]) == 2
    assert "no classes to train a judge on" in capsys.readouterr().err
    assert main(["evaluate", str(run), "--count", "40", "--judge", "digits", "--json", str(out)]) == 0
    assert "40 samples, judged as Digits" in capsys.readouterr().out
    found = json.loads(out.read_text(encoding="utf-8"))
    assert found["judge"] == "Digits"
    assert list(found["classes"]) == list("0123456789")
    shares = [*found["classes"].values(), found["unsure"]]
    for kind in ("data", "target"):
        assert sum(share[kind] for share in shares) == pytest.approx(1.0)
    assert found["classes"]["2"]["target"] > found["classes"]["2"]["data"] + 0.05
    (kept,) = read_metrics(run).evaluations
    assert kept.record["judge"] == "Digits"
    assert main(["resume", str(run), "--steps", "8"]) == 0


@pytest.mark.usefixtures("kept_judge")
def test_that_shares_of_unlabelled_data_are_corrected_for_what_the_judge_confuses(
    loose: ImageSet, digits: ImageSet
) -> None:
    judge = Judges(loose, Path("nowhere")).judge("digits", Progress())
    truth = np.bincount(digits.labels[:SHOWN], minlength=10) / SHOWN
    assert np.abs(recognisable(judge.shares()) - truth).sum() / 2 < 0.08
    weights = np.where(digits.labels[:SHOWN] == 2, 4.0, 1.0)
    tilted = np.bincount(digits.labels[:SHOWN], weights, minlength=10) / weights.sum()
    assert np.abs(recognisable(judge.shares(weights)) - tilted).sum() / 2 < 0.08

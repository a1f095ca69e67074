"""Terms from the file to the weights that examples are trained with."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.data.catalog import load_dataset
from studio.data.planar.config import RingConfig
from studio.errors import UserError
from studio.evaluation.judge import Judge, as_tensor
from studio.perturb.energy import Energy
from studio.perturb.features import measure
from studio.perturb.perturbation import Perturbation
from studio.perturb.terms import FormulaTerm, LinearTerm, judged
from studio.progress import Progress
from studio.training.config.assignments import with_settings
from studio.training.config.energy import MOST_TERMS, energy_record
from studio.training.config.file import parse_config, read_config
from studio.training.config.planners import PlannerKind
from studio.training.config.run_config import RunConfig
from studio.training.engine.trainer import Trainer
from studio.training.examples.measured_set import measured_set
from studio.training.examples.split import kept_indices
from studio.training.messages.events import PerturbationApplied
from studio.training.storage.recorder import Recorder
from studio.training.storage.run_folder import RunFolder
from tests.training.conftest import tiny_config, tiny_images

TERMS: list[dict[str, Any]] = [
    {"kind": "linear", "feature": "ink", "slope": 0.02},
    {"kind": "quadratic", "feature": "mean", "centre": 40, "width": 5, "scale": -0.5},
    {"kind": "window", "feature": "contrast", "low": 20, "high": 30, "height": 1.5, "enabled": False},
    {"kind": "formula", "text": "where(label == 2, -1, 0.01*slant)"},
]


def tilted(**perturbation: Any) -> RunConfig:
    return tiny_config(perturbation=perturbation)


def refusal(perturbation: Any) -> UserError:
    with pytest.raises(UserError) as caught:
        parse_config({"perturbation": perturbation}, "run.json")
    return caught.value


def test_that_terms_survive_their_file() -> None:
    config = tilted(terms=TERMS, temperature=2.0, clip=3.0, offsets_scale=0.5)
    assert parse_config(json.loads(config.to_json()), "again") == config


def test_that_a_configuration_without_terms_has_the_offsets_alone() -> None:
    config = tilted(offsets={"cat": -1.0})
    assert config.perturbation.energy() == Energy()
    assert not config.perturbation.resolve(("ant", "bee", "cat")).by_example


@pytest.mark.parametrize(
    ("perturbation", "field", "says"),
    [
        ({"terms": [{"kind": "linear", "slop": 1}]}, "perturbation.terms.0.slop", "not a setting"),
        ({"terms": [{"kind": "cubic"}]}, "perturbation.terms.0", "linear"),
        ({"terms": [TERMS[0], {"kind": "linear", "feature": "inkk"}]}, "perturbation.terms.1.feature", "ink, mean"),
        ({"terms": [{"kind": "quadratic", "width": 0}]}, "perturbation.terms.0.width", "greater than 0"),
        ({"terms": [{"kind": "window", "low": 2, "high": 1}]}, "perturbation.terms.0", "above its upper end"),
        ({"terms": [{"kind": "formula", "text": "ink +"}]}, "perturbation.terms.0.text", "Column 6"),
        ({"terms": [{"kind": "formula", "text": "__import__('os')"}]}, "perturbation.terms.0.text", "Column 12"),
        ({"terms": [TERMS[0]] * (MOST_TERMS + 1)}, "perturbation.terms", "at most 32"),
        ({"temperature": 0}, "perturbation.temperature", "greater"),
        ({"clip": -1}, "perturbation.clip", "greater than 0"),
        ({"termz": []}, "perturbation.termz", "not a setting"),
    ],
)
def test_that_a_faulty_term_is_refused_at_its_place(perturbation: Any, field: str, says: str) -> None:
    error = refusal(perturbation)
    assert error.field == field
    assert says in error.message


def test_that_terms_can_be_set_from_the_command_line() -> None:
    config = with_settings(RunConfig(), [f"perturbation.terms={json.dumps(TERMS)}", "perturbation.temperature=2"])
    energy = config.perturbation.energy()
    assert energy.terms[0] == LinearTerm(feature="ink", slope=0.02)
    assert energy.terms[3] == FormulaTerm(text="where(label == 2, -1, 0.01*slant)")
    assert energy.temperature == 2


def test_that_an_energys_record_is_what_a_file_would_hold() -> None:
    config = tilted(terms=TERMS, temperature=2.0)
    again = parse_config({"perturbation": json.loads(json.dumps(energy_record(config.perturbation.energy())))}, "x")
    assert again.perturbation.energy() == config.perturbation.energy()


def expected_weights(config: RunConfig) -> np.ndarray[Any, np.dtype[np.float64]]:
    """By hand, over the examples that are kept: each class weighs as much among them as among all."""
    data = tiny_images()
    found = measure(data.images, ["ink", "mean", "slant"])
    energy = np.array([0.3, 0.0, -1.0])[data.labels] + 0.02 * found["ink"]
    energy -= 0.25 * ((found["mean"] - 40) / 5) ** 2
    energy += np.where(data.labels == 2, -1, 0.01 * found["slant"])
    weights = np.exp(-energy) / np.exp(-energy).mean()
    kept = kept_indices(data, config.held_out, config.seed)
    for label in range(3):
        ours = data.labels[kept] == label
        part = weights[data.labels == label].sum() / weights[kept][ours].sum()
        weights[kept[ours]] *= part * len(kept) / len(data)
    return np.asarray(weights[kept])


@pytest.mark.parametrize("held_out", [0.0, 0.25])
def test_that_every_example_is_planned_with_the_weight_of_the_whole_energy(held_out: float) -> None:
    config = tiny_config(
        perturbation={"offsets": {"ant": 0.3, "cat": -1.0}, "terms": TERMS},
        held_out=held_out,
        batch={"planner": "fixed_size", "average_size": 10},
    )
    trainer = Trainer(config, tiny_images())
    weights = expected_weights(config)
    for _ in range(3):
        plan = trainer.step().plan
        assert plan.weights == pytest.approx(weights[plan.indices], rel=1e-9)


@pytest.mark.parametrize("planner", PlannerKind)
def test_that_terms_can_be_edited_live_by_every_planner(planner: PlannerKind) -> None:
    trainer = Trainer(tiny_config(batch={"planner": str(planner), "average_size": 8}), tiny_images())
    before = trainer.step().plan
    energy = Energy(terms=(FormulaTerm(text="2*(label == 0)"),), clip=5.0)
    trainer.retarget(Perturbation(offsets=(0.0, 0.0, 0.0), energy=energy, revision=1))
    by_class = Perturbation(offsets=(2.0, 0.0, 0.0)).example_log_weights(trainer.data.labels, trainer.data.counts)
    after = trainer.step().plan
    assert (before.revision, after.revision) == (0, 1)
    counted = planner in (PlannerKind.ERROR_CARRY, PlannerKind.FIXED_SIZE)  # the others draw by weight
    wanted = np.exp(by_class)[after.indices] if counted else np.ones(len(after.indices))
    assert after.weights == pytest.approx(wanted, rel=1e-9)


def test_that_error_carry_keeps_its_credit_through_an_edit_of_terms() -> None:
    """Edited to weights that are the same, the run goes on as if nothing had happened."""
    edited, plain = (Trainer(tilted(offsets={"cat": -2.0}), tiny_images()) for _ in range(2))
    same = Energy(terms=(FormulaTerm(text="-2*(label == 2)"),))
    for _ in range(3):
        edited.step()
        plain.step()
    edited.retarget(Perturbation(offsets=(0.0, 0.0, 0.0), energy=same, revision=1))
    for _ in range(20):
        one, two = edited.step().plan, plain.step().plan
        assert one.indices.tolist() == two.indices.tolist()
        assert one.err == pytest.approx(two.err, abs=1e-9)


def test_that_a_term_that_does_not_fit_leaves_the_old_target() -> None:
    trainer = Trainer(tilted(offsets={"cat": -2.0}), tiny_images())
    old = trainer.perturbation
    for text in ("log(label)", "hue"):
        with pytest.raises(UserError):
            trainer.retarget(replace(old, energy=Energy(terms=(FormulaTerm(text=text),)), revision=1))
    assert trainer.perturbation is old
    assert trainer.step().plan.revision == 0


def test_that_a_run_with_a_term_in_a_feature_that_the_data_lack_does_not_begin() -> None:
    with pytest.raises(UserError, match="no feature “hue”"):
        Trainer(tilted(terms=[{"kind": "linear", "feature": "hue"}]), tiny_images())


def test_that_the_summary_and_the_edits_hold_the_terms(tmp_path: Path) -> None:
    config = tilted(terms=TERMS[:1])
    trainer = Trainer(config, tiny_images())
    recorder = Recorder(RunFolder.at(tmp_path / "run", config), trainer)
    trainer.retarget(Perturbation(offsets=(0.0, 0.0, 0.0), energy=Energy(temperature=3.0), revision=1))
    recorder.hear(PerturbationApplied(step=0, revision=1))
    recorder.save(None, 0.0)
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["energy"]["temperature"] == summary["edits"][0]["energy"]["temperature"] == 3.0
    assert summary["began_with"]["energy"]["terms"][0]["slope"] == 0.02
    config = read_config(tmp_path / "run" / "config.json")
    assert (config.perturbation.temperature, config.perturbation.terms) == (3.0, ()), "in force"


# -- columns


def column(tmp_path: Path, text: str, **config: Any) -> Trainer:
    path = tmp_path / "energies.csv"
    path.write_text(text, encoding="utf-8")
    return Trainer(tilted(terms=[{"kind": "column", "path": str(path), **config}]), tiny_images())


def test_that_a_column_gives_its_examples_their_energy_and_the_rest_none(tmp_path: Path) -> None:
    trainer = column(tmp_path, "id,energy\n3, 1.5\n7,−0.5\n\n", scale=2.0)
    weights = np.exp(trainer.log_weights)
    assert weights[3] / weights[0] == pytest.approx(np.exp(-3.0))
    assert weights[7] / weights[0] == pytest.approx(np.exp(1.0))
    assert weights[1] == pytest.approx(weights[0])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("0,1\n1,x\n", r"Line 2.*“x” is not a finite number"),
        ("0,1\n1,inf\n", r"Line 2.*“inf” is not a finite number"),
        ("0,1\n0,2\n", r"Line 2.*“0” was there before"),
        ("0,1\n120,2\n", r"Line 2.*no example “120”.*0…119"),
        ("-1,1\n", r"Line 1.*no example “-1”"),
        ("cats/tom.png,1\n", "no example “cats/tom.png”"),
        ("0,1,2\n", r"Line 1.*3 cells"),
        ("id,energy\n", "names no example"),
        ("", "names no example"),
    ],
)
def test_that_a_faulty_column_is_refused_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        column(tmp_path, text)
    assert caught.value.field == "perturbation.terms.0"


def test_that_a_column_that_is_not_there_or_not_chosen_is_refused(tmp_path: Path) -> None:
    for path, says in ((str(tmp_path / "no.csv"), "no.csv"), ("", "No CSV file has been chosen")):
        with pytest.raises(UserError, match=says):
            Trainer(tilted(terms=[{"kind": "column", "path": path}]), tiny_images())


def test_that_a_column_may_name_files(tmp_path: Path) -> None:
    images = tiny_images()
    named = type(images)(
        name="Named",
        images=images.images,
        labels=images.labels,
        class_names=images.class_names,
        files=tuple(f"{images.class_names[label]}/{index}.png" for index, label in enumerate(images.labels)),
    )
    path = tmp_path / "energies.csv"
    path.write_text(f"{named.files[5]};2,5\n".replace("2,5", "2.5"), encoding="utf-8")
    values = measured_set(named).values(f"column:csv:{path}")
    assert values[5] == 2.5
    assert np.count_nonzero(values) == 1


@pytest.fixture
def judged_by(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> Judge:
    """The judge of the tiny images, for whoever asks for one."""
    monkeypatch.setattr("studio.evaluation.judge_store.judge_for", lambda *_: judge)
    return judge


def test_that_the_judges_log_odds_tilt_examples_of_one_class_differently(judged_by: Judge) -> None:
    images = tiny_images()
    measured = measured_set(images)
    name = images.class_names[1]
    target = tilted(terms=[{"kind": "judge", "of": name, "slope": -0.5}]).perturbation.resolve(images.class_names)
    energy = target.example_energies(measured).energy
    q = judged_by.network.first(as_tensor(images.images)).double().softmax(1)[:, 1].numpy()
    np.testing.assert_allclose(energy, -0.5 * np.log(q / (1 - q)), atol=1e-3)
    weights = np.exp(target.example_log_weights(images.labels, images.counts, target.example_energies(measured)))
    assert weights[images.labels == 1].mean() > weights[images.labels != 1].mean()
    assert len(set(np.round(weights[images.labels == 1], 6).tolist())) > 1


def test_that_a_class_that_the_data_lack_is_refused_at_its_row() -> None:
    images = tiny_images()
    target = tilted(terms=[{"kind": "judge", "of": "nine"}]).perturbation.resolve(images.class_names)
    with pytest.raises(UserError, match="no class “nine”") as caught:
        target.example_energies(measured_set(images))
    assert caught.value.field == "perturbation.terms.0"


def test_that_points_are_not_judged() -> None:
    points = load_dataset(RingConfig(count=100), Path("unused"), Progress())
    target = tilted(terms=[{"kind": "judge", "of": "1"}]).perturbation.resolve(points.class_names)
    with pytest.raises(UserError, match="Only images can be judged"):
        target.example_energies(measured_set(points))


@pytest.mark.parametrize("text", ['-2*(label == "cat")', "where(label != 'cat', 0, -2)", "-2*(“cat” == label)"])
def test_that_a_formula_tilts_a_class_by_its_name(text: str) -> None:
    config = tilted(terms=[{"kind": "formula", "text": text}])
    again = parse_config(json.loads(config.to_json()), "x")
    assert again == config
    shares = [
        np.bincount(trainer.data.labels, weights=np.exp(trainer.log_weights))
        for trainer in (
            Trainer(again, tiny_images()),
            Trainer(tiny_config(perturbation={"offsets": {"cat": -2.0}}), tiny_images()),
        )
    ]
    assert shares[0] == pytest.approx(shares[1], rel=1e-9)


def test_that_a_class_that_the_data_lack_is_refused_with_the_one_that_was_meant() -> None:
    config = tilted(terms=[{"kind": "linear", "feature": "ink"}, {"kind": "formula", "text": 'label == "Cat"'}])
    with pytest.raises(UserError, match="Did you mean “cat”") as caught:
        Trainer(config, tiny_images())
    assert caught.value.field == "perturbation.terms.1"


def test_that_log_odds_by_name_are_those_by_number() -> None:
    by_name, by_number = FormulaTerm(text='log_odds("cat")'), FormulaTerm(text="log_odds(2)")
    assert by_name.names == (judged("", "cat"),)
    assert by_number.names == (judged("", 2),)
    assert list(by_name.sources) == ['log_odds_"cat"']

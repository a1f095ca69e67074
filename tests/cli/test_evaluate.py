"""`studio evaluate`: the table, the JSON, and one line for what a person can mend."""

import json
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from studio.cli.main import main
from studio.data.digits import DigitsConfig, load_digits
from studio.data.image_set import ImageSet
from studio.evaluation.judge import train_judge
from studio.paths import cache_dir
from studio.perturb.features import measure
from studio.progress import Progress
from studio.training.storage.folder_lock import FolderLock
from studio.training.storage.metrics import read_metrics
from tests.cli.conftest import QUICK, TILTED, Says


@pytest.mark.usefixtures("kept_judge")
def test_that_samples_are_sorted_into_folders_by_class(
    trained: Path, tmp_path: Path, told: Says, refused: Says
) -> None:
    out = tmp_path / "deep" / "sorted"
    text = told("export", trained, "--classes", out, "--count", "40")
    assert text.startswith("0 ")
    assert sorted(each.name for each in out.iterdir()) == [*"0123456789", "how.json", "unsure"]
    how = json.loads((out / "how.json").read_text())
    assert [how[name] for name in ("run", "step", "seed", "averaged")] == ["run", 20, 0, True]
    assert how["target"]["offsets"]["2"] == -1.5
    assert how["judge"] == "", "it is that of the run's own data"
    pictures = list(out.rglob("*.png"))
    assert len({picture.name for picture in pictures}) == 40
    with Image.open(pictures[0]) as picture:
        assert picture.size == (8, 8)
    assert "not empty" in refused("export", trained, "--classes", out)
    assert [path.name for path in out.parent.iterdir()] == ["sorted"]


@pytest.mark.usefixtures("kept_judge")
def test_that_a_ctrl_c_while_samples_are_sorted_leaves_no_folder(
    trained: Path, drawn: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.training.engine.samples._PIECE", 5)
    assert main(["export", str(trained), "--classes", str(tmp_path / "sorted"), "--count", "17"]) == 130
    assert drawn == [5, 5]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("quick_judge")
def test_that_it_prints_the_table_and_writes_every_figure(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.cli.meter._LEAST_PAUSE_S", 0.0)
    monkeypatch.setattr("studio.evaluation.judge.CONFIDENCE", 0.0)  # or so early a model shows nothing of the kind
    out = tmp_path / "deep" / "found.json"
    command = ["evaluate", str(trained), "--count", "60", "--seed", "0", "--json", str(out)]
    assert main(command) == 0
    text, progress = capsys.readouterr()
    assert "Training the judge" in progress
    assert "Total variation" in text
    assert re.search(r" at step 20\. 2s: .*; 32\.9 % is asked for\. (Not yet|It )", text)
    found = json.loads(out.read_text())
    assert found["count"] == 60
    assert list(found["classes"]) == list("0123456789")
    two = found["classes"]["2"]
    assert two["data"] == pytest.approx(177 / 1797)
    assert two["target"] == pytest.approx(177 * np.exp(1.5) / (1797 - 177 + 177 * np.exp(1.5)))
    entries = [*found["classes"].values(), found["unsure"]]
    assert sum(entry["raw"] for entry in entries) == pytest.approx(1)
    assert sum(entry["corrected"] for entry in entries[:-1]) == pytest.approx(1)
    assert all(entry["low"] <= entry["corrected"] <= entry["high"] for entry in entries)
    wanted = sum(abs(entry["target"] - entry["corrected"]) for entry in entries[:-1]) / 2
    assert found["tv"] == pytest.approx(wanted)
    assert min(found[name] for name in ("kl", "frechet", "frechet_floor", "mmd")) > 0
    assert main(command) == 0
    assert "Training the judge" not in capsys.readouterr().err
    assert json.loads(out.read_text()) == found


@pytest.mark.usefixtures("kept_judge")
def test_that_the_target_of_a_run_with_an_energy_by_example_is_that_energys(tmp_path: Path) -> None:
    run, out = tmp_path / "run", tmp_path / "found.json"
    term = json.dumps([{"kind": "linear", "feature": "ink", "slope": 0.2}])
    tilted = [*QUICK, *TILTED, "--set", f"perturbation.terms={term}"]
    assert main(["train", "digits-vae", "--steps", "2", "--run-dir", str(run), *tilted]) == 0
    assert main(["evaluate", str(run), "--count", "20", "--json", str(out)]) == 0
    data = load_digits(DigitsConfig(), tmp_path, Progress())
    weights = np.exp(1.5 * (data.labels == 2) - 0.2 * measure(data.images, ["ink"])["ink"])
    wanted = np.bincount(data.labels, weights=weights) / weights.sum()
    found = json.loads(out.read_text())["classes"]
    assert [found[name]["target"] for name in data.class_names] == pytest.approx(list(wanted))


@pytest.mark.usefixtures("kept_judge")
def test_that_an_evaluation_says_of_which_run_step_and_target_it_is(trained: Path, tmp_path: Path, told: Says) -> None:
    run, out = tmp_path / "run", tmp_path / "found.json"
    shutil.copytree(trained, run)
    summary = json.loads((run / "summary.json").read_text())
    diverged = {"steps": 29, "weights_step": 20, "weights_seconds": 0.5, "revision": 4}
    (run / "summary.json").write_text(json.dumps(summary | diverged))
    assert "run at step 20" in told("evaluate", run, "--count", "20", "--json", out)
    found = json.loads(out.read_text())
    assert (found["run"], found["step"], found["revision"]) == (str(run.resolve()), 20, 4)
    kept = read_metrics(run).evaluations[-1]
    assert (kept.step, kept.seconds, kept.revision) == (20, 0.5, 4)


@pytest.mark.usefixtures("kept_judge")
def test_that_each_evaluation_judges_other_samples_unless_a_seed_is_given(
    trained: Path, tmp_path: Path, told: Says
) -> None:
    """The same ones, or more of them, would confirm a share that is there by chance."""
    run, out = tmp_path / "run", tmp_path / "found.json"
    shutil.copytree(trained, run)
    found = []
    for seed in ([], [], ["--seed", 0], ["--seed", 0]):
        told("evaluate", run, "--count", 20, "--json", out, *seed)
        found.append(json.loads(out.read_text())["frechet"])
    assert found[0] != found[1]
    assert found[2] == found[3]


@pytest.mark.usefixtures("kept_judge")
def test_that_a_small_buffer_is_evaluated_as_so_many_samples(tmp_path: Path, told: Says) -> None:
    run, out = tmp_path / "run", tmp_path / "found.json"
    small = [*QUICK, *TILTED, "--set", "model.buffer_size=64"]
    assert main(["train", "digits-ebm", "--steps", "5", "--run-dir", str(run), *small]) == 0
    assert "No more of the 2,000 samples asked for are independent" in told(
        "evaluate", run, "--count", "2000", "--json", out
    )
    found = json.loads(out.read_text())
    assert found["count"] == 64


@pytest.mark.usefixtures("quick_judge")
def test_that_one_image_a_class_leaves_no_number_that_does_not_exist(tmp_path: Path, told: Says) -> None:
    """A warning of NumPy's fails the test, as any does."""
    run, out, rng = tmp_path / "run", tmp_path / "found.json", np.random.default_rng(0)
    for name in "abcde":
        (tmp_path / "set" / name).mkdir(parents=True)
        picture = Image.fromarray(rng.integers(0, 256, (16, 16), dtype=np.uint8))
        picture.save(tmp_path / "set" / name / "only.png")
    folder = [f"dataset.path={tmp_path / 'set'}", "dataset.kind=folder", "perturbation.offsets={}"]
    settings = [*folder, "model.width=4", "batch.average_size=2"]
    given = [word for each in settings for word in ("--set", each)]
    assert main(["train", "digits-vae", "--steps", "2", "--run-dir", str(run), *given]) == 0
    for _ in range(2):  # the second time with the judge kept from the first
        assert "nan" not in told("evaluate", run, "--count", "20", "--json", out)
    texts = [path.read_text() for path in (out, run / "summary.json", *cache_dir().rglob("judges/*.json"))]
    with closing(sqlite3.connect(run / "metrics.sqlite")) as connection:
        texts += [text for (text,) in connection.execute("SELECT record FROM evaluation")]
    assert len(texts) == 5
    for text in texts:
        json.loads(text, parse_constant=pytest.fail)
    assert json.loads(out.read_text())["accuracy"] is None
    (entry,) = json.loads(told("runs", "--workspace", tmp_path, "--json"))
    assert entry["frechet"] is not None


def test_that_points_are_not_judged(tmp_path: Path, refused: Says) -> None:
    run = tmp_path / "run"
    assert main(["train", "planar-gan", "--steps", "2", "--run-dir", str(run)]) == 0
    assert "Only images can be judged" in refused("evaluate", run, "--count", "20")


@pytest.mark.parametrize("damage", ["no run", "no target", "offset", "classes"])
def test_that_a_fault_is_one_line_and_exit_code_2(damage: str, trained: Path, tmp_path: Path, refused: Says) -> None:
    path = tmp_path / "run"
    path.mkdir()
    for name in ("config.json", "summary.json", "weights.safetensors"):
        (path / name).write_bytes((trained / name).read_bytes())
    summary = json.loads((path / "summary.json").read_text())
    if damage == "no run":
        (path / "config.json").unlink()
    elif damage == "no target":
        del summary["config"], summary["offsets"]
    elif damage == "offset":
        summary["config"]["perturbation"]["offsets"]["2"] = "nan"
    else:
        summary["class_names"] = ["a", *summary["class_names"][1:]]
        summary["offsets"] = dict.fromkeys(summary["class_names"], 0.0)
    (path / "summary.json").write_text(json.dumps(summary))
    assert refused("evaluate", path, "--count", "20", "--json", tmp_path / "out.json")
    assert not (tmp_path / "out.json").exists()


def test_that_a_judge_needs_no_more_than_two_examples_of_a_class() -> None:
    images = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 1), dtype=np.uint8)
    labels = np.array([0] * 10 + [1] * 2, dtype=np.int64)
    judge = train_judge(ImageSet(name="few", images=images, labels=labels, class_names=("a", "b")), Progress())
    assert judge.confusion().sum(axis=0).tolist() == [5, 1]


@pytest.mark.usefixtures("kept_judge")
@pytest.mark.parametrize("command", [("evaluate", "--json"), ("sample", "--out"), ("export", "--classes")])
def test_that_weights_that_are_no_numbers_are_one_line(
    command: tuple[str, str], trained: Path, tmp_path: Path, refused: Says
) -> None:
    run, out = Path(shutil.copytree(trained, tmp_path / "run")), tmp_path / "out.npz"
    weights = load_file(run / "weights.safetensors")
    spoilt = {name: torch.full_like(each, torch.nan) if "decoder" in name else each for name, each in weights.items()}
    save_file(spoilt, run / "weights.safetensors")
    assert "values that are not finite" in refused(command[0], run, command[1], out, "--count", 20)
    assert not out.exists()


@pytest.mark.slow
@pytest.mark.usefixtures("quick_judge")
def test_that_training_evaluates_within_its_budget_and_at_its_end_if_told_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    budget = ["--set", "evaluation.budget=50", "--set", "evaluation.samples=20"]
    assert (
        main(["train", "digits-vae", "--steps", "300", "--run-dir", str(run), "--evaluate", *QUICK, *TILTED, *budget])
        == 0
    )
    out, err = capsys.readouterr()
    assert "Training the judge" in err
    assert "Total variation" in out
    last = json.loads((run / "evaluation.json").read_text())
    assert last["count"] == 20
    kept = read_metrics(run).evaluations
    assert len(kept) >= 2, "while it trained, and at its end"
    assert kept[0].record.keys() == last.keys() - {"run", "step", "revision", "target", "data"}
    assert 0 < kept[0].step <= kept[-1].step == 300


def test_that_training_on_points_is_not_evaluated(tmp_path: Path, refused: Says) -> None:
    run = tmp_path / "run"
    assert "Only images can be judged" in refused("train", "planar-vae", "--steps", "2", "--run-dir", run, "--evaluate")
    assert not run.exists()


@pytest.mark.usefixtures("kept_judge")
def test_that_damaged_metrics_take_nothing_away_from_what_was_made(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], refused: Says
) -> None:
    run = Path(shutil.copytree(trained, tmp_path / "run"))
    metrics = run / "metrics.sqlite"
    metrics.write_bytes(metrics.read_bytes()[:300])
    assert main(["sample", str(run), "--count", "5", "--out", str(tmp_path / "samples.npz")]) == 0
    assert (tmp_path / "samples.npz").is_file()
    assert main(["evaluate", str(run), "--count", "40"]) == 0
    said = capsys.readouterr()
    assert "run at step 20" in said.out
    assert "The run does not keep this evaluation. The metrics cannot be read" in said.err
    assert "move it away" in refused("resume", run, "--steps", "21")
    metrics.unlink()
    assert main(["resume", str(run), "--steps", "21"]) == 0


@pytest.mark.usefixtures("kept_judge")
def test_that_an_arrival_is_known_of_a_run_that_another_process_has(
    trained: Path, tmp_path: Path, told: Says, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its evaluations count, though this one is not kept."""
    monkeypatch.setattr("studio.evaluation.judge.CONFIDENCE", 0.0)  # or so early a model shows nothing of the kind
    run = Path(shutil.copytree(trained, tmp_path / "run"))
    told("evaluate", run, "--count", 40)
    with closing(sqlite3.connect(run / "metrics.sqlite", isolation_level=None)) as connection:
        target = json.loads(connection.execute("SELECT record FROM evaluation").fetchone()[0])["classes"]["2"]["target"]
        for column, off in (("corrected", 0.001), ("low", -0.01), ("high", 0.01)):
            change = f"json_set(record, '$.classes.2.{column}', ?)"
            connection.execute(f"UPDATE evaluation SET record = {change}", (target + off,))
        columns = "seconds, revision, record"
        connection.execute(f"INSERT INTO evaluation (step, {columns}) SELECT step - 1, {columns} FROM evaluation")
    owner = FolderLock(run)
    assert "It had arrived" in told("evaluate", run, "--count", 40)
    owner.release()

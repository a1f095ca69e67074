"""What exactly a run is, by the commands that open one: its data, its target, its place and its owner."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studio.cli import train as headless
from studio.cli.main import main
from studio.data.example_set import ExampleSet
from studio.training.config.file import read_config
from studio.training.storage.checkpoint_store import CheckpointStore
from studio.training.storage.folder_lock import FolderLock
from studio.training.storage.metrics import read_metrics
from studio.training.storage.run import Run
from tests.cli.conftest import Says
from tests.data.idx_files import write_idx_set

pytestmark = pytest.mark.usefixtures("quick_judge")
COLUMN = 'perturbation.terms=[{"kind":"column","path":"energies.csv"}]'
_QUICK = (
    *("model.width=4", "batch.average_size=8", "cadence.log_every=5"),
    *("perturbation.offsets={}", "dataset.kind=folder", "dataset.size=8"),
)


def make_folder(path: Path, counts: dict[str, int], seed: int = 0) -> Path:
    """Noise of 8×8 grey pixels, brighter from class to class."""
    rng = np.random.default_rng(seed)
    for place, (name, count) in enumerate(counts.items()):
        (path / name).mkdir(parents=True)
        for number in range(count):
            pixels = rng.integers(100 * place, 100 * place + 56, (8, 8), dtype=np.uint8)
            Image.fromarray(pixels).save(path / name / f"{number}.png")
    return path


def settings(*more: str) -> list[str]:
    return [word for setting in (*_QUICK, *more) for word in ("--set", setting)]


def train(run: Path, images: Path, *more: str) -> Path:
    given = settings(f"dataset.path={images}", *more)
    assert main(["train", "digits-vae", "--steps", "10", "--run-dir", str(run), *given]) == 0
    return run


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("place")


@pytest.fixture
def made(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder `images`, and a run `run` trained on it and tilted by a column of `energies.csv`, named from there.

    It is made once: later tests have a copy in the same place, for a run knows where its data are.
    """
    root, kept = place / "made", place / "kept"
    if kept.exists():
        shutil.rmtree(root)
        return Path(shutil.copytree(kept, root))
    make_folder(root / "images", {"cat": 12, "dog": 12})
    (root / "energies.csv").write_text("id,energy\n0,-2\n23,1.5\n")
    with monkeypatch.context() as patch:
        patch.chdir(root)
        train(Path("run"), Path("images"), COLUMN)
    shutil.copytree(root, kept)
    return root


def commands(run: Path, out: Path) -> list[list[object]]:
    """Every command that opens a run's data."""
    return [
        ["fork", run, "--steps", 21, "--run-dir", out / "fork"],
        ["evaluate", run, "--count", 20],
        ["export", run, "--classes", out / "classes", "--count", 20],
        ["resume", run, "--steps", 20],
    ]


def asking_the_target(run: Path, out: Path) -> list[list[object]]:
    return [command for command in commands(run, out) if command[0] != "export"]


# -- data


def test_that_a_folder_that_lacks_an_image_is_refused(made: Path, tmp_path: Path, refused: Says) -> None:
    (made / "images" / "dog" / "3.png").unlink()
    for command in commands(made / "run", tmp_path):
        line = refused(*command)
        assert "“dog” has 11 images instead of 12" in line
        assert "need a new run" in line
    assert not any(tmp_path.iterdir())


def test_that_other_images_in_the_same_number_are_refused(made: Path, tmp_path: Path, refused: Says) -> None:
    shutil.copy(made / "images" / "dog" / "4.png", made / "images" / "dog" / "3.png")
    for command in commands(made / "run", tmp_path):
        assert "not the same ones" in refused(*command)


def test_that_a_column_that_was_edited_is_refused(made: Path, tmp_path: Path, refused: Says) -> None:
    (made / "energies.csv").write_text("0,-2\n23,1.25\n")
    for command in asking_the_target(made / "run", tmp_path):
        line = refused(*command)
        assert "column of the target has changed" in line
        assert "energies.csv" in line


def test_that_a_column_that_says_the_same_in_other_words_is_the_same(made: Path) -> None:
    (made / "energies.csv").write_text("file,energy\ndog/11.png,1.5\ncat/0.png,-2.0\n")
    assert main(["evaluate", str(made / "run"), "--count", "20"]) == 0


@pytest.mark.parametrize(
    "term",
    [{"kind": "judge", "of": "b", "slope": 0.1}, {"kind": "formula", "text": "0.1*log_odds(1)"}],
    ids=lambda term: term["kind"],
)
def test_that_a_judge_of_a_folder_that_was_changed_is_refused(
    term: dict[str, object], tmp_path: Path, refused: Says
) -> None:
    images, others = make_folder(tmp_path / "images", {"cat": 12, "dog": 12}), tmp_path / "others"
    make_folder(others, {"a": 6, "b": 6}, seed=1)
    term = term | {"data": f"folder:{others}"}
    run = train(tmp_path / "run", images, f"perturbation.terms={json.dumps([term])}")
    assert main(["evaluate", str(run), "--count", "20"]) == 0
    (others / "b" / "3.png").unlink()
    for command in asking_the_target(run, tmp_path):
        said = refused(*command)
        assert "A judge that the target uses has changed" in said
        assert f"The data set that it is trained on, folder:{others}, has changed." in said


# -- target


def edit(run: Path, **sections: object) -> None:
    """Change config.json by hand."""
    path = run / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | sections))


def copied(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made / "run", tmp_path / "runs" / "copy"))


def tilt(run: Path) -> dict[str, float]:
    return Run.open(run).config.perturbation.offsets


def test_that_a_target_written_into_the_configuration_is_what_it_goes_on_towards(
    made: Path, tmp_path: Path, told: Says
) -> None:
    run, again = copied(made, tmp_path), tmp_path / "again"
    target = json.loads((run / "config.json").read_text())["perturbation"] | {"offsets": {"dog": -2.0}}
    edit(run, perturbation=target)
    assert "offsets" not in told("compare", made / "run", run), "nothing was trained towards it yet"
    assert main(["resume", str(run), "--steps", "15"]) == 0
    assert tilt(run) == {"dog": -2.0}
    summary = Run.open(run).summary
    assert summary["offsets"] == {"cat": 0.0, "dog": -2.0}
    assert [(each["step"], each["offsets"]["dog"]) for each in summary["edits"]] == [(10, -2.0)]
    assert summary["began_with"]["offsets"]["dog"] == 0.0
    assert "ΔH edited at step 10" in [mark.text for mark in read_metrics(run).marks][-1]
    assert "perturbation.offsets.dog" in told("compare", made / "run", run)
    assert "dog −2" in told("runs", "--workspace", tmp_path / "runs")
    assert main(["train", str(run), "--steps", "1", "--run-dir", str(again)]) == 0
    assert tilt(again) == {"dog": -2.0}


def test_that_batch_size_and_learning_rates_written_there_are_taken_up(made: Path, tmp_path: Path) -> None:
    run = copied(made, tmp_path)
    config = json.loads((run / "config.json").read_text())
    config["model"]["autoencoder_optimiser"]["learning_rate"] = 0.25
    edit(run, model=config["model"], batch=config["batch"] | {"average_size": 4})
    assert main(["resume", str(run), "--steps", "15"]) == 0
    found = Run.open(run).config
    assert found.model.learning_rates == {"autoencoder": 0.25}
    assert found.batch.average_size == 4
    assert main(["resume", str(run), "--steps", "16"]) == 0, "and again as it is now"


@pytest.mark.parametrize(
    ("section", "changed"),
    [("seed", 5), ("held_out", 0.3), ("ema_decay", 0.5), ("model", {"kind": "vae", "width": 8})],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_that_what_would_make_another_run_is_refused_and_not_reported(
    section: str, changed: object, made: Path, tmp_path: Path, refused: Says, told: Says
) -> None:
    run = copied(made, tmp_path)
    edit(run, **{section: changed})
    assert section in refused("resume", run, "--steps", 15)
    assert told("compare", made / "run", run).strip().endswith("settings that differ:")


def test_that_an_offset_of_no_class_is_refused(made: Path, tmp_path: Path, refused: Says) -> None:
    run = copied(made, tmp_path)
    edit(run, perturbation={"offsets": {"dgo": -2.0}})
    assert "dgo" in refused("resume", run, "--steps", 15)


# -- place


def test_that_places_are_recorded_whatever_folder_a_command_is_started_in(made: Path, tmp_path: Path) -> None:
    config = read_config(made / "run" / "config.json")
    assert config.dataset.model_dump()["path"] == str(made / "images")
    assert config.perturbation.terms[0].model_dump()["path"] == str(made / "energies.csv")
    assert main(["evaluate", str(made / "run"), "--count", "20"]) == 0


def test_that_a_folder_that_was_moved_is_told_of_by_its_new_place(made: Path, tmp_path: Path, refused: Says) -> None:
    new = (made / "images").rename(tmp_path / "elsewhere")
    there = ["--set", f"dataset.path={new}"]
    for command in commands(made / "run", tmp_path):
        assert "--set dataset.path=" in refused(*command)
        assert main([str(each) for each in (*command, *there)]) == 0
    assert main(["evaluate", str(made / "run"), "--count", "20"]) == 0, "it is known since it was resumed there"


def test_that_a_folder_that_was_moved_and_changed_is_refused(made: Path, tmp_path: Path, refused: Says) -> None:
    new = (made / "images").rename(tmp_path / "elsewhere")
    (new / "dog" / "3.png").unlink()
    for command in commands(made / "run", tmp_path):
        assert "instead of 12" in refused(*command, "--set", f"dataset.path={new}")


def test_that_a_column_that_was_moved_is_told_of_by_its_new_place(made: Path, tmp_path: Path, refused: Says) -> None:
    run, new = made / "run", (made / "energies.csv").rename(tmp_path / "moved.csv")
    there = ["--set", f'perturbation.terms=[{{"kind":"column","path":"{new}"}}]']
    assert main(["evaluate", str(run), "--count", "20", *there]) == 0
    assert main(["resume", str(run), "--steps", "15", *there]) == 0
    assert Run.open(run).summary["edits"] == [], "it is the same target"
    new.write_text("0,-2\n23,1.25\n")
    assert "column of the target has changed" in refused("resume", run, "--steps", 20)


def test_that_nothing_but_places_is_set_where_a_run_is_only_looked_at(made: Path, refused: Says) -> None:
    for setting in ("perturbation.offsets.dog=-1", "dataset.size=16", "seed=3"):
        assert "Only the location" in refused("evaluate", made / "run", "--set", setting)


# -- downloaded data


@pytest.mark.slow
def test_that_a_data_folder_is_looked_for_where_it_was(tmp_path: Path, refused: Says) -> None:
    run, root = tmp_path / "run", tmp_path / "sets"
    write_idx_set(root)
    quick = [word for setting in (*_QUICK[:4], "dataset.kind=mnist") for word in ("--set", setting)]
    there = ["--data-root", str(root)]
    assert main(["train", "digits-vae", "--steps", "4", "--run-dir", str(run), *quick, *there]) == 0
    for command in commands(run, tmp_path):
        assert main([str(each) for each in command]) == 0, command
    assert main(["train", str(run), "--steps", "2", "--run-dir", str(tmp_path / "alike")]) == 0
    new = root.rename(tmp_path / "elsewhere")
    assert "is not where it was" in refused("train", run, "--run-dir", tmp_path / "none")
    for command in commands(run, tmp_path / "again"):
        if command[0] != "resume":
            line = refused(*command)
            assert "is not where it was" in line
            assert "--data-root" in line
            assert main([str(each) for each in (*command, "--data-root", new)]) == 0
    assert main(["resume", str(run), "--steps", "22", "--data-root", str(new)]) == 0
    assert main(["evaluate", str(run), "--count", "20"]) == 0, "it is known from now on"


# -- owner


def test_that_a_run_has_one_owner_and_can_be_looked_at_meanwhile(made: Path, tmp_path: Path, refused: Says) -> None:
    run = made / "run"
    owner = FolderLock(run)
    before = (run / "metrics.sqlite").read_bytes()
    line = refused("resume", run, "--steps", 20)
    assert "under way elsewhere" in line
    assert f"process {os.getpid()}" in line
    assert (run / "metrics.sqlite").read_bytes() == before
    looks = ("evaluate", run, "--count", 20), ("sample", run, "--out", tmp_path / "out.npz"), ("compare", run, run)
    for command in (*looks, ("runs", "--workspace", made)):
        assert main([str(each) for each in command]) == 0
    assert (run / "metrics.sqlite").read_bytes() == before, "nor does it keep an evaluation"
    assert "cannot be packed" in refused("export", run, "--zip", tmp_path / "run.zip")  # it would be torn
    assert main(["fork", str(run), "--steps", "15", "--run-dir", str(tmp_path / "fork")]) == 0
    owner.release()
    assert main(["resume", str(run), "--steps", "20"]) == 0


_HOLD = """
import pathlib, sys
from studio.training.storage.folder_lock import FolderLock
owner = FolderLock(pathlib.Path(sys.argv[1]))
print(1, flush=True)
sys.stdin.read()
"""


def test_that_an_owner_that_is_killed_leaves_the_run_free(made: Path, refused: Says) -> None:
    command = [sys.executable, "-c", _HOLD, str(made / "run")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.read(1) == b"1"
        assert f"process {process.pid}" in refused("resume", made / "run", "--steps", 20)
        process.kill()
    assert main(["resume", str(made / "run"), "--steps", "20"]) == 0


def test_that_a_checkpoint_that_another_has_gone_on_from_meanwhile_is_refused(
    made: Path, refused: Says, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two resumes begin; the first is done before the second has read its data set."""
    run, load = made / "run", headless._tell_left_out
    once: list[ExampleSet] = []

    def overtaken(images: ExampleSet) -> None:
        if not once:
            once.append(images)
            assert main(["resume", str(run), "--steps", "30"]) == 0
        load(images)

    monkeypatch.setattr(headless, "_tell_left_out", overtaken)
    monkeypatch.setattr(headless, "say", lambda *_: None)  # the first one tells of itself
    assert "has continued in the meantime" in refused("resume", run, "--steps", 20)
    assert CheckpointStore(run).steps[-1] == Run.open(run).summary["steps"] == 30
    assert read_metrics(run).steps.tolist() == [5, 10, 15, 20, 25, 30]

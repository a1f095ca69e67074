"""The command line, in this process where it can be: exit codes, files, and one line for what a person can mend."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from studio.cli.main import _parser, main
from studio.cli.train import _Watcher
from studio.models.catalog import MODELS
from studio.models.vae.model import Vae
from studio.training.config.assignments import with_settings
from studio.training.config.presets import presets
from studio.training.config.run_config import HoldConfig, RunConfig
from studio.training.messages.events import Logged
from studio.training.storage.frames import FrameStore
from studio.training.storage.metrics import read_metrics
from studio.training.storage.run import Run
from tests.cli.conftest import QUICK, Says
from tests.data.image_folders import write_image_folder

ROOT = Path(__file__).resolve().parents[2]

# -- train


def test_that_a_run_leaves_everything_in_its_folder(trained: Path) -> None:
    names = sorted(path.name for path in trained.iterdir() if path.name != ".owner")
    made = ["checkpoints", "config.json", "frames.sqlite", "metrics.sqlite", "summary.json", "weights.safetensors"]
    assert names == made
    summary = json.loads((trained / "summary.json").read_text())
    assert (summary["status"], summary["steps"], summary["image_shape"]) == ("completed", 20, [1, 8, 8])
    assert read_metrics(trained).steps.tolist() == [5, 10, 15, 20]
    assert FrameStore(trained).steps[-1] == 20
    assert json.loads((trained / "config.json").read_text())["batch"]["average_size"] == 8


def test_that_what_goes_on_is_told_on_stderr_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["train", "digits-vae", "--steps", "7", "--run-dir", "deep/down/run", *QUICK]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "parameters on" in err
    assert "Training: 7 of 7 steps" in err
    assert "\r" not in err
    assert f"Saved to {Path('deep/down/run')}" in err
    assert Run.open(tmp_path / "deep" / "down" / "run").summary["steps"] == 7


def test_that_what_a_csv_file_covers_is_said_and_stands_in_the_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, run, page = tmp_path / "energies.csv", tmp_path / "run", tmp_path / "run.html"
    path.write_text("id,energy\n3,1.5\n1796,-1\n")
    terms = json.dumps([{"kind": "column", "path": str(path)}])
    steps = ["--steps", "1", "--run-dir", str(run), *QUICK]
    assert main(["train", "digits-vae", *steps, "--set", f"perturbation.terms={terms}"]) == 0
    said = "energies.csv gives 2 of 1,797 examples their ΔH; it is 0 for the other 1,795"
    assert said in capsys.readouterr().err
    assert main(["report", str(run), "--out", str(page)]) == 0
    assert said in page.read_text(encoding="utf-8")


@pytest.mark.usefixtures("ticking")
def test_that_a_run_ends_after_its_minutes(tmp_path: Path) -> None:
    assert main(["train", "digits-wgan_gp", "--minutes", "0.005", "--run-dir", str(tmp_path / "run"), *QUICK]) == 0
    summary = Run.open(tmp_path / "run").summary
    assert summary["status"] == "completed"
    assert 0.3 <= summary["seconds"] < 1


def test_that_a_run_without_a_folder_gets_one_among_the_persons_runs(private_home: Path) -> None:
    assert main(["train", "digits-vae", "--steps", "1", *QUICK]) == 0
    (folder,) = private_home.rglob("runs/*")
    assert Run.open(folder).summary["steps"] == 1


def test_that_a_configuration_file_trains_and_reproduces_its_run(trained: Path, tmp_path: Path) -> None:
    """To the last bit: on one machine the same configuration is the same run."""
    again = tmp_path / "again"
    assert main(["train", str(trained / "config.json"), "--steps", "20", "--run-dir", str(again)]) == 0
    one, other = (Run.open(path).weights("average") for path in (trained, again))
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_that_a_bug_exits_with_1_and_its_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def losses(*_: object) -> None:
        raise ZeroDivisionError("a bug in the model")

    monkeypatch.setattr(Vae, "losses", losses)
    assert main(["train", "digits-vae", "--steps", "3", "--run-dir", str(tmp_path / "run"), *QUICK]) == 1
    assert capsys.readouterr().err.rstrip().splitlines()[-1] == "ZeroDivisionError: a bug in the model"
    assert Run.open(tmp_path / "run").summary["status"] == "failed"


def test_that_a_run_that_diverges_ends_with_a_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: Says
) -> None:
    losses = Vae.losses

    def diverge(self: Vae, *arguments: object) -> object:
        terms = losses(self, *arguments)  # type: ignore[arg-type]
        assert terms.data is not None
        return type(terms)(data=terms.data * torch.nan)

    monkeypatch.setattr(Vae, "losses", diverge)
    monkeypatch.setattr("studio.cli.train.say", lambda *_: None)
    assert "diverged" in refused("train", "digits-vae", "--steps", "99", "--run-dir", str(tmp_path / "run"), *QUICK)


def test_that_a_watcher_that_fails_stops_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as on a terminal that is closed: or else the run would go on unseen, and the process with it."""

    def fail(*_: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(_Watcher, "_show", fail)
    assert main(["train", "digits-vae", "--minutes", "60", "--run-dir", str(tmp_path / "run"), *QUICK]) == 141
    training = [thread for thread in threading.enumerate() if thread.name == "training"]
    for thread in training:
        thread.join(60)
    assert not any(thread.is_alive() for thread in training)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_that_ctrl_c_and_sigterm_finish_the_step_save_and_exit_with_130(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    before = signal.getsignal(number)
    show = _Watcher._show

    def interrupt(self: _Watcher, event: object) -> None:
        show(self, event)  # type: ignore[arg-type]
        if isinstance(event, Logged) and event.step == 5:
            os.kill(os.getpid(), number)

    monkeypatch.setattr(_Watcher, "_show", interrupt)
    assert main(["train", "digits-vae", "--minutes", "60", "--run-dir", str(tmp_path / "run"), *QUICK]) == 130
    run = Run.open(tmp_path / "run")
    assert run.summary["status"] == "stopped"
    assert run.summary["steps"] >= 5
    assert run.weights("average")
    assert signal.getsignal(number) is before


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send")
@pytest.mark.timeout(180)
@pytest.mark.slow
def test_that_a_real_ctrl_c_saves_and_exits_with_130(tmp_path: Path) -> None:
    path = tmp_path / "run"
    code = "import sys; from studio.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "train", "digits-vae", "--minutes", "60", "--run-dir", str(path), *QUICK]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        said = ""
        while "parameters on" not in said:
            piece = process.stderr.read(1)
            assert piece, said
            said += piece
        process.send_signal(signal.SIGINT)
        said += process.stderr.read()
        assert process.wait() == 130, said
    assert "Finishing the step under way" in said
    assert "Saved to" in said
    assert "Traceback" not in said
    assert Run.open(path).summary["status"] == "stopped"
    assert Run.open(path).weights("average")


# -- what a person can mend


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["mnist-threes"], "neither a preset nor a file"),
        (["x" * 5000], "neither a preset nor a file"),
        (["two\nlines"], "neither a preset nor a file"),
        (["digits-vae", "--set", "model.depth=3"], "model.depth is not a setting"),
        (["digits-vae", "--set", "model.depth"], "path=value"),
        (["digits-vae", "--set", "seed=1e308", "--set", "batch.average_size=NaN"], "batch.average_size"),
        (["digits-vae", "--set", "perturbation.offsets.dog=1"], "no class of this data set"),
        (["digits-vae", "--set", "batch.average_size=60000"], "more examples than the data set has"),
        (["digits-vae", "--set", "device=tpu"], "device"),
        (["mnist-twos-30", "--set", "dataset.kind=folder"], "add --set dataset.path=FOLDER"),
        (["digits-vae", "--set", "dataset.kind=folder", "--set", "dataset.path=/no/such/folder"], "/no/such/folder"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else "-".join(value[:3])[:30].replace("\n", " "),
)
def test_that_a_fault_is_one_line_and_exit_code_2(
    arguments: list[str], expected: str, refused: Says, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert expected in refused("train", *arguments, "--steps", "1", "--run-dir", "run")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(torch.cuda.device_count() > 7, reason="has an eighth GPU")
def test_that_a_device_that_is_not_there_is_refused(refused: Says, tmp_path: Path) -> None:
    line = refused("train", "digits-vae", "--set", "device=cuda:7", "--run-dir", str(tmp_path / "run"))
    assert "no device “cuda:7”" in line


def test_that_a_run_folder_that_cannot_be_made_is_refused(refused: Says, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for folder in ("file", "file/run"):
        line = refused("train", "digits-vae", "--steps", "1", "--run-dir", str(tmp_path / folder))
        assert "run folder" in line
    assert "not empty" in refused("train", "digits-vae", "--steps", "1", "--run-dir", str(tmp_path))


def test_that_a_broken_data_folder_is_refused(refused: Says, tmp_path: Path) -> None:
    raw = tmp_path / "data" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for part in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (raw / f"{part}-ubyte").write_bytes(b"not an IDX file")
    (tmp_path / "file").write_text("in the way")
    for root in ("data", "file"):
        train = ("train", "mnist-twos-30", "--steps", "1", "--run-dir", str(tmp_path / "run"))
        assert str(tmp_path / root) in refused(*train, "--data-root", str(tmp_path / root))
    assert not (tmp_path / "run").exists()


def test_that_a_fault_of_the_data_is_alone_on_stderr(tmp_path: Path, refused: Says) -> None:
    (tmp_path / "empty class").mkdir()
    folder = ["--set", "dataset.kind=folder", "--set", f"dataset.path={tmp_path}"]
    line = refused("train", "digits-vae", *folder, "--run-dir", tmp_path / "run")
    assert line.startswith("studio: The folder holds no images.")


def test_that_files_that_are_left_out_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = write_image_folder(tmp_path / "pictures", classes=2)
    (root / "class 1" / "letter.png").write_text("Dear reader")
    folder = ["--set", "dataset.kind=folder", "--set", f"dataset.path={root}", "--set", "dataset.size=8"]
    run = ["--steps", "1", "--run-dir", str(tmp_path / "run")]
    assert main(["train", "digits-vae", *run, *QUICK, *folder, "--set", "perturbation.offsets={}"]) == 0
    said = capsys.readouterr().err.replace("\\", "/")
    assert "class 1/letter.png was left out: not an image of a known format" in said


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "digits-vae", "--steps", "0"],
        ["train", "digits-vae", "--steps", "-5"],
        ["train", "digits-vae", "--steps", "1.5"],
        ["train", "digits-vae", "--steps", "9" * 400],
        ["train", "digits-vae", "--minutes", "0"],
        ["train", "digits-vae", "--minutes", "nan"],
        ["train", "digits-vae", "--minutes", "inf"],
        ["train", "digits-vae", "--minutes", "1e308"],
        ["train", "digits-vae", "--steps", "3", "--minutes", "3"],
        ["train"],
        ["sample", "run", "--out", "f.npz", "--count", "0"],
        ["sample", "run", "--out", "f.npz", "--count", "1e-3"],
        ["sample", "run", "--out", "f.npz", "--count", "1.5e0"],
        ["sample", "run", "--out", "f.npz", "--count", "1e999"],
        ["sample", "run", "--out", "f.npz", "--seed", "-1"],
        ["sample", "run", "--out", "f.npz", "--seed", str(2**32)],
        ["sample", "run"],
        ["evaluate", "run", "--count", "3"],
        ["dance"],
    ],
    ids=lambda arguments: " ".join(arguments)[:50],
)
def test_that_arguments_that_make_no_sense_exit_with_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: studio" in capsys.readouterr().err


# -- sample


def sampled(run: Path, out: Path, *options: str) -> np.ndarray:
    assert main(["sample", str(run), "--out", str(out), *options]) == 0
    with np.load(out, allow_pickle=False) as arrays:
        assert arrays.files == ["images", "how"]
        images: np.ndarray = arrays["images"]
    return images


def test_that_samples_are_images_that_follow_the_seed(trained: Path, tmp_path: Path) -> None:
    first = sampled(trained, tmp_path / "new" / "f.npz", "--count", "10", "--seed", "1")
    assert first.shape == (10, 8, 8, 1)
    assert first.dtype == np.uint8
    again = sampled(trained, tmp_path / "again.npz", "--count", "10", "--seed", "1")
    assert np.array_equal(first, again)
    assert not np.array_equal(first, sampled(trained, tmp_path / "other.npz", "--count", "10", "--seed", "2"))
    assert not np.array_equal(first, sampled(trained, tmp_path / "raw.npz", "--count", "10", "--seed", "1", "--raw"))


def test_that_as_many_samples_come_as_are_asked_for(trained: Path, tmp_path: Path) -> None:
    for count in ("1", "500", "501", "1.2e3"):
        assert len(sampled(trained, tmp_path / "f.npz", "--count", count)) == float(count)


def test_that_fewer_samples_are_the_first_of_more(trained: Path, tmp_path: Path) -> None:
    some, more = (sampled(trained, tmp_path / "f.npz", "--count", str(count)) for count in (1000, 1200))
    assert np.array_equal(some, more[:1000])
    assert not np.array_equal(more[:500], more[500:1000])


def test_that_samples_of_a_run_that_is_not_one_are_refused(refused: Says, tmp_path: Path) -> None:
    for run, said in (("", "not a run folder"), ("none", "no such run"), ("x" * 400, "no such run")):
        assert said in refused("sample", str(tmp_path / run), "--out", str(tmp_path / "f.npz"))
    assert not (tmp_path / "f.npz").exists()


def test_that_samples_that_cannot_be_written_are_refused(trained: Path, refused: Says, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for out in (tmp_path, tmp_path / "file" / "f.npz", Path("/"), Path(".")):
        refused("sample", str(trained), "--count", "1", "--out", str(out))


def test_that_more_samples_than_memory_holds_are_refused(trained: Path, refused: Says, tmp_path: Path) -> None:
    line = refused("sample", str(trained), "--count", str(10**12), "--out", str(tmp_path / "f.npz"))
    assert "not enough room" in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("out", [["sample", "--out", "new/f.npz"], ["export", "--npz", "new/f.npz"]])
def test_that_a_ctrl_c_between_two_pieces_leaves_no_half_file(
    out: list[str], trained: Path, drawn: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    command, option, file = out
    assert main([command, str(trained), option, file, "--count", "1700"]) == 130
    assert drawn == [500, 500]
    assert list(tmp_path.iterdir()) == []


# -- lists


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGPIPE")
@pytest.mark.parametrize(
    "arguments",
    [
        ["presets"],
        ["models"],
        ["models", "--names"],
        ["runs"],
        ["runs", "--json"],
        ["runs", "--names"],
        ["completion", "bash"],
        ["--help"],
        ["--version"],
        ["train", "--help"],
        ["pin", "RUN"],
        ["report", "RUN", "--out", "page.html"],
        ["export", "RUN", "--csv", "a.csv", "--zip", "a.zip"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("buffering", [-1, 1], ids=["whole", "by line"])
def test_that_a_reader_who_has_enough_ends_a_command_quietly(
    arguments: list[str],
    buffering: int,
    trained: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("studio.cli.meter._LEAST_PAUSE_S", 1e9)
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w", buffering=buffering) as closed:
        monkeypatch.setattr("sys.stdout", closed)
        assert main([str(trained) if each == "RUN" else each for each in arguments]) == 141
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGPIPE")
@pytest.mark.slow
def test_that_head_ends_a_command_quietly() -> None:
    command = [sys.executable, "-c", "import sys; from studio.cli.main import main; sys.exit(main())", "presets"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        said = process.stderr.read()
        assert (process.wait(), said) == (141, b"")


def test_that_a_folder_is_found_however_it_was_typed(tmp_path: Path, trained: Path, told: Says) -> None:
    out = tmp_path / "new folder" / "run.csv"
    for place in (f"'{out}' ", f'"{out}"', out.as_uri(), f"file://localhost{out.as_uri().removeprefix('file://')}"):
        assert told("export", f" {trained.as_uri()}", "--csv", place) == f"4 rows in {out}\n"
        out.unlink()


def test_that_models_are_listed_by_name(told: Says) -> None:
    assert told("models", "--names").splitlines() == [spec.kind for spec in MODELS]
    lines = told("models").splitlines()
    assert len(lines) == len(MODELS)
    assert all(spec.kind in line and spec.title in line for spec, line in zip(MODELS, lines, strict=True))


def test_that_presets_are_listed(told: Says) -> None:
    lines = told("presets").splitlines()
    assert [line.split()[0] for line in lines] == [preset.name for preset in presets()]
    assert len({line.index(preset.read().name) for line, preset in zip(lines, presets(), strict=True)}) == 1


def test_that_the_version_and_the_help_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, expected in ((["--version"], "Perturbation Studio"), (["train", "--help"], "Ctrl-C")):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 0
        assert expected in capsys.readouterr().out


@pytest.mark.parametrize("command", [["train", "digits-vae"], ["resume", "run"], ["fork", "run"]])
def test_that_holding_the_shares_is_a_setting_that_has_a_short_name(command: list[str]) -> None:
    arguments = _parser().parse_args([*command, "--set", "hold.every=500", "--hold"])
    assert with_settings(RunConfig(), arguments.assignments).hold == HoldConfig(on=True, every=500)
    assert with_settings(RunConfig(), _parser().parse_args(command).assignments).hold == HoldConfig()

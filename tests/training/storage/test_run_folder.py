"""What a run leaves on disk, and what is made of a folder that is damaged or means harm."""

import errno
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from studio.errors import UserError
from studio.training.analysis.latent_images import grid_images
from studio.training.config.file import read_config
from studio.training.config.run_config import StopCondition
from studio.training.engine.samples import draw
from studio.training.engine.trainer import Trainer
from studio.training.messages.events import Logged
from studio.training.messages.latents import Latents
from studio.training.messages.snapshot import SampleGrid
from studio.training.run.loop import RunLoop
from studio.training.storage.frames import Frame, FrameStore, append_frames
from studio.training.storage.metrics import append_metrics, read_metrics
from studio.training.storage.recorder import Recorder
from studio.training.storage.run import Run, restore_model
from studio.training.storage.run_folder import RunFolder
from studio.training.storage.sample_strips import tiled
from tests.training.conftest import PlayedMailbox, steps, tiny_config, tiny_images

CONFIG = tiny_config("wgan_gp", name="a run", perturbation={"offsets": {"cat": -1.0}})
HOSTILE = (
    "../../etc/passwd",
    "C:\\Windows",
    "a/b",
    "nul\tl\nine",
    ".hidden",
    "...",
    "",
    "CON",
    "x" * 80,
    "数" * 80,
    "𝒜" * 80,
    "a" * 118 + ". ",
    "-rf *",
    "$(reboot)",
    "\u202eright",
)


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Trainer]:
    """The folder of a run of 12 steps and the trainer that it is of; not to be written to."""
    path = tmp_path_factory.mktemp("store") / "run"
    trainer = Trainer(CONFIG, tiny_images())
    mailbox = PlayedMailbox()
    mailbox.play(steps(99))
    RunLoop(trainer, mailbox, Recorder(RunFolder.at(path, CONFIG), trainer), StopCondition(steps=12)).run()
    return path, trainer


@pytest.fixture
def copied_run(finished_run: tuple[Path, Trainer], tmp_path: Path) -> Path:
    """A copy that may be damaged."""
    path = tmp_path / "copied"
    path.mkdir()
    for name in ("config.json", "summary.json", "weights.safetensors"):
        (path / name).write_bytes((finished_run[0] / name).read_bytes())
    return path


# -- contents


def test_that_a_run_folder_holds_what_it_promises(finished_run: tuple[Path, Trainer]) -> None:
    path, trainer = finished_run
    assert sorted(entry.name for entry in path.iterdir()) == [
        ".owner",
        "checkpoints",
        "config.json",
        "frames.sqlite",
        "metrics.sqlite",
        "summary.json",
        "weights.safetensors",
    ]
    assert read_config(path / "config.json") == CONFIG
    summary = json.loads((path / "summary.json").read_text(encoding="utf-8"))
    assert summary["status"] == "completed"
    assert summary["steps"] == 12
    assert summary["examples"] == trainer.examples
    assert summary["image_shape"] == [1, 8, 8]
    assert summary["class_names"] == ["ant", "bee", "cat"]
    assert summary["offsets"] == {"ant": 0.0, "bee": 0.0, "cat": -1.0}
    assert summary["seconds"] > 0


def test_that_metrics_have_a_row_for_each_logged_step(finished_run: tuple[Path, Trainer]) -> None:
    metrics = read_metrics(finished_run[0])
    assert metrics.steps.tolist() == list(range(1, 13))
    assert (np.diff(metrics.seconds) >= 0).all()
    expected = "batch_size adjusted_size average_size ess err skipped epoch loss_critic loss_generator"
    assert set(expected.split()) <= set(metrics.columns)
    assert all(np.isfinite(values).all() for values in metrics.columns.values())
    assert (metrics.columns["batch_size"] >= 1).all()
    assert (metrics.columns["average_size"] == 8).all()


def test_that_frames_hold_both_kinds_of_samples(finished_run: tuple[Path, Trainer]) -> None:
    path, trainer = finished_run
    frames = FrameStore(path)
    assert frames.steps.tolist() == [0, 12]
    last = frames.at(10**9)
    latents = Latents.of(trainer.config)
    assert last.grid.latents == latents
    for averaged, kept in ((True, last.grid.averaged), (False, last.grid.raw)):
        drawn = grid_images(trainer.shown(averaged=averaged), latents, 4, trainer.data.scale)
        assert np.array_equal(kept, trainer.data.pictures(drawn))
    assert last.offsets == {"ant": 0.0, "bee": 0.0, "cat": -1.0}
    assert len(np.unique(last.weights)) == 2


def test_that_weights_come_back_to_the_last_bit(finished_run: tuple[Path, Trainer]) -> None:
    path, trainer = finished_run
    for averaged, model in ((True, trainer.average.model), (False, trainer.model)):
        restored = restore_model(Run.open(path), averaged=averaged)
        assert not restored.training
        for name, tensor in model.state_dict().items():
            assert torch.equal(restored.state_dict()[name], tensor)
        mine, theirs = (draw(one, 5, torch.Generator().manual_seed(3)) for one in (restored, model))
        assert np.array_equal(mine, theirs)


@pytest.mark.parametrize("channels", [1, 3])
def test_that_images_are_tiled_in_a_nearly_square_grid(channels: int) -> None:
    images = np.arange(1, 6, dtype=np.uint8)[:, None, None, None] * np.ones((5, 2, 4, channels), np.uint8)
    grid = tiled(images)
    assert grid.shape == (2 * 3 - 1, 3 * 5 - 1, channels)
    assert (grid[:2, :4] == 1).all()
    assert (grid[3:5, 5:9] == 5).all()
    assert not grid[2].any()


# -- folders


@pytest.mark.parametrize("title", HOSTILE)
def test_that_a_hostile_title_makes_a_plain_folder_inside_the_root(title: str, tmp_path: Path) -> None:
    root = tmp_path / "runs"
    folder = RunFolder.create(root, CONFIG.model_copy(update={"name": title}))
    assert folder.path.parent == root
    assert [entry.name for entry in root.iterdir()] == [folder.path.name]
    name = folder.path.name
    assert name[:2] == "20"
    assert len(name.encode()) <= 200
    assert not set(name) & set('/\\:*?"<>| \t\n\u202e')
    assert not name.endswith((".", " ", "-"))
    assert (folder.path / "config.json").is_file()


def test_that_runs_of_one_second_get_folders_of_their_own(tmp_path: Path) -> None:
    folders = {RunFolder.create(tmp_path, CONFIG).path for _ in range(4)}
    assert len(folders) == 4


def test_that_a_folder_with_something_in_it_is_refused_untouched(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(UserError, match="not empty") as caught:
        RunFolder.at(tmp_path, CONFIG)
    assert caught.value.field == "run_dir"
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.txt"]


def test_that_a_new_and_an_empty_folder_are_taken(tmp_path: Path) -> None:
    for path in (tmp_path / "empty", tmp_path / "missing" / "parents" / "run"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        assert RunFolder.at(path, CONFIG).path == path
        assert (path / "config.json").is_file()


# -- a full disk


@pytest.mark.parametrize(
    "write",
    [
        lambda folder: folder.write_summary({"new": True}),
        lambda folder: folder.save_weights({"model.a": torch.ones(2)}),
    ],
    ids=["summary", "weights"],
)
def test_that_a_write_that_fails_leaves_the_old_file(
    write: Callable[[RunFolder], object], run_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = RunFolder.at(run_path, CONFIG)
    write(folder)
    before = {entry: entry.read_bytes() for entry in run_path.rglob("*") if entry.is_file()}

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        with pytest.raises(UserError, match="No space left"):
            write(folder)
    assert {entry: entry.read_bytes() for entry in run_path.rglob("*") if entry.is_file()} == before


def test_that_something_in_the_way_is_a_message(run_path: Path) -> None:
    folder = RunFolder.at(run_path, CONFIG)
    (run_path / "metrics.sqlite").mkdir()
    with pytest.raises(UserError, match="metrics cannot be written"):
        append_metrics(folder.path, [Logged(step=1, seconds=0, values={})])
    (run_path / "frames.sqlite").write_bytes(b"thesis" * 1000)
    grid = SampleGrid(step=0, raw=np.zeros((1, 8, 8, 1), np.uint8), averaged=np.zeros((1, 8, 8, 1), np.uint8))
    with pytest.raises(UserError, match="sample grids cannot be written"):
        append_frames(folder.path, [Frame(grid=grid, seconds=0)], 10**6)
    assert (run_path / "frames.sqlite").read_bytes() == b"thesis" * 1000


# -- damage


def damaged(path: Path, match: str) -> None:
    with pytest.raises(UserError, match=match) as caught:
        restore_model(Run.open(path))
    assert caught.value.hint
    assert len(str(caught.value)) < 600


def test_that_what_is_no_run_folder_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none", tmp_path / ("x" * 400)):
        damaged(path, "not a run folder")


@pytest.mark.parametrize(
    "summary",
    [
        None,
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xff",
        b"[" * 100_000,
        b"{}",
        b'{"image_shape": [1, 8, 8]}',
        b'{"class_names": ["a", "b"]}',
    ],
    ids=["missing", "empty", "cut off", "list", "null", "no text", "bomb", "bare", "no names", "no shape"],
)
def test_that_a_damaged_summary_is_a_message(summary: bytes | None, copied_run: Path) -> None:
    path = copied_run / "summary.json"
    path.unlink()
    if summary is not None:
        path.write_bytes(summary)
    damaged(copied_run, "summary cannot be read")


@pytest.mark.parametrize(
    "shape",
    [
        [1, 8],
        [1, 8, 8, 8],
        [1, -8, 8],
        [0, 8, 8],
        [1, 8, 0],
        [1, 8, float("nan")],
        [1, 8, float("inf")],
        [1, 8.5, 8],
        [1, 10**9, 10**9],
        [10**30, 8, 8],
        [True, 8, 8],
        ["1", "8", "8"],
        [[1], 8, 8],
        "188",
        188,
        None,
        {"1": 1, "8": 8, "9": 9},
        ["__import__('os')", 8, 8],
    ],
    ids=str,
)
def test_that_a_hostile_image_shape_is_a_message(shape: Any, copied_run: Path) -> None:
    summary = json.loads((copied_run / "summary.json").read_text())
    (copied_run / "summary.json").write_text(json.dumps(summary | {"image_shape": shape}))
    damaged(copied_run, "summary cannot be read")


@pytest.mark.parametrize("shape", [[3, 8, 8], [1, 16, 16], [1, 32, 32], [1, 128, 64]], ids=str)
def test_that_weights_of_another_shape_are_a_message(shape: list[int], copied_run: Path) -> None:
    summary = json.loads((copied_run / "summary.json").read_text())
    (copied_run / "summary.json").write_text(json.dumps(summary | {"image_shape": shape}))
    damaged(copied_run, "do not fit")


def header(text: str, body: bytes = b"") -> bytes:
    """A safetensors file by hand."""
    return struct.pack("<Q", len(text)) + text.encode() + body


DAMAGED = {
    "empty": b"",
    "short": b"\x00" * 7,
    "huge header": struct.pack("<Q", 2**63) + b"{}",
    "long header": struct.pack("<Q", 10_000) + b"{}",
    "cut header": header("{"),
    "list": header("[]"),
    "huge tensor": header('{"model.a": {"dtype": "F32", "shape": [1000000000000], "data_offsets": [0, 4]}}', b"\0" * 4),
    "cut tensor": header('{"model.a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 400]}}', b"\0" * 4),
    "negative tensor": header('{"model.a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}', b"\0" * 4),
    "objects": header('{"model.a": {"dtype": "object", "shape": [1], "data_offsets": [0, 4]}}', b"\0" * 4),
    "pickle": b"\x80\x04\x95\x17\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94.",
    "zip": b"PK\x03\x04" + b"\0" * 100,
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_that_damaged_weights_are_a_message(content: bytes, copied_run: Path) -> None:
    (copied_run / "weights.safetensors").write_bytes(content)
    damaged(copied_run, "weights cannot be read")


def test_that_weights_are_those_of_the_summary_where_a_save_was_cut_off(tmp_path: Path) -> None:
    """Weights are on disk before the summary is: between the two a process may be killed, or another one may look."""
    path, trainer = tmp_path / "run", Trainer(CONFIG, tiny_images())
    recorder = Recorder(RunFolder.at(path, CONFIG), trainer)
    trainer.step()
    recorder.save(None, 1.0)
    wanted, summary = restore_model(Run.open(path)).state_dict(), (path / "summary.json").read_bytes()
    trainer.step()
    recorder.save(None, 2.0)
    recorder.release()
    (path / "summary.json").write_bytes(summary)
    run = Run.open(path)
    assert run.weights_step == 1
    for name, tensor in restore_model(run).state_dict().items():
        assert torch.equal(tensor, wanted[name])
    (path / "checkpoints" / "step-00000001.safetensors").unlink()
    damaged(path, "weights.safetensors is of step 2, summary.json of 1")


def test_that_weights_cut_off_or_gone_are_a_message(copied_run: Path) -> None:
    path = copied_run / "weights.safetensors"
    content = path.read_bytes()
    for length in (8, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:length])
        damaged(copied_run, "weights cannot be read")
    path.unlink()
    damaged(copied_run, "weights cannot be read")
    path.mkdir()
    damaged(copied_run, "weights cannot be read")


def test_that_weights_with_a_part_too_few_or_too_many_are_a_message(copied_run: Path) -> None:
    path = copied_run / "weights.safetensors"
    tensors = load_file(path)
    first = next(name for name in tensors if name.startswith("average.") and name.endswith("weight"))
    for changed in (
        {name: tensor for name, tensor in tensors.items() if name != first},
        {**tensors, "average.extra": torch.ones(2)},
        {**tensors, first: torch.ones(3, 5, 7)},
        {"model.a": torch.ones(2)},
    ):
        save_file(changed, path)
        damaged(copied_run, "do not fit")


def test_that_a_damaged_configuration_is_a_message(copied_run: Path) -> None:
    path = copied_run / "config.json"
    config = json.loads(path.read_text())
    for content, match in (
        ("{", "not valid JSON"),
        (json.dumps(config | {"schema_version": 9}), "newer version"),
        (json.dumps(config | {"run": "rm -rf"}), "run is not a setting"),
    ):
        path.write_text(content)
        damaged(copied_run, match)
    path.write_text(json.dumps(config | {"model": {"kind": "vae"}}))
    assert Run.open(copied_run).config.model == CONFIG.model, "what was trained, whatever is written there since"
    summary = copied_run / "summary.json"
    summary.write_text(json.dumps(json.loads(summary.read_text()) | {"config": config | {"model": {"kind": "vae"}}}))
    damaged(copied_run, "do not fit")

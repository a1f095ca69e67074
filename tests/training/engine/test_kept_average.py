"""What a run keeps of its averaged model is the model of that step, whenever anybody looked at it before."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from studio.models.catalog import MODELS
from studio.training.config.run_config import StopCondition
from studio.training.engine.learner import build_model
from studio.training.engine.trainer import Trainer
from studio.training.messages.commands import Command, SampleNow
from studio.training.run.loop import RunLoop
from studio.training.storage.checkpoint import read_checkpoint
from studio.training.storage.checkpoint_store import CheckpointStore
from studio.training.storage.recorder import Recorder
from studio.training.storage.resumption import resume
from tests.training.conftest import PlayedMailbox, steps, tiny_config, tiny_images
from tests.training.played import Played

MEMORY = {spec.kind: build_model(tiny_config(spec.kind).model, (1, 8, 8), 0).memory for spec in MODELS}
remembering = pytest.mark.parametrize("kind", [kind for kind, memory in MEMORY.items() if memory])
STEPS = 4


def looks(count: int) -> Iterator[list[Command]]:
    """Samples drawn after each of so many steps."""
    for _ in range(count):
        yield [SampleNow()]


def weights(folder: Path) -> dict[str, Tensor]:
    return load_file(folder / "weights.safetensors")


def ensure_current(found: dict[str, Tensor], kind: str) -> None:
    for name in MEMORY[kind]:
        assert torch.equal(found[f"average.{name}"], found[f"model.{name}"]), name


def kept(kind: str, folder: Path, until: int = STEPS, script: Iterator[list[Command]] | None = None) -> bytes:
    """The weights file of a run of so many steps."""
    Played(tiny_config(kind), folder, StopCondition(steps=until)).run(script or steps(until + 2))
    return (folder / "weights.safetensors").read_bytes()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a run of one kind that never stopped and was looked at at its ends alone, made once."""

    @cache
    def made(kind: str) -> Path:
        folder = tmp_path_factory.mktemp("whole") / kind
        kept(kind, folder)
        return folder

    return made


@remembering
def test_that_weights_do_not_depend_on_when_samples_were_drawn(
    kind: str, whole: Callable[[str], Path], tmp_path: Path
) -> None:
    seldom, often = whole(kind), tmp_path / "often"
    assert (seldom / "weights.safetensors").read_bytes() == kept(kind, often, script=looks(STEPS + 2))
    ensure_current(weights(seldom), kind)
    one, other = (read_checkpoint(CheckpointStore(folder).find(STEPS)).state for folder in (seldom, often))
    assert all(torch.equal(one.average[name], other.average[name]) for name in one.average)
    assert all(torch.equal(one.average[name], one.model[name]) for name in MEMORY[kind])


@remembering
def test_that_a_run_stopped_and_resumed_keeps_what_one_that_never_stopped_does(
    kind: str, whole: Callable[[str], Path], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    kept(kind, run, until=STEPS // 2)
    found = resume(run)
    trainer, mailbox = Trainer(found.config, tiny_images()), PlayedMailbox()
    notes = found.load_into(trainer)
    mailbox.play(steps(STEPS))
    RunLoop(
        trainer, mailbox, Recorder(found.folder(), trainer, notes), StopCondition(steps=STEPS), seconds=found.seconds
    ).run()
    assert (run / "weights.safetensors").read_bytes() == (whole(kind) / "weights.safetensors").read_bytes()

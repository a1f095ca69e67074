"""A tiny image set, tiny models, a mailbox that plays a script, and a run that is waited for."""

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest

from studio.data.image_set import ImageSet
from studio.evaluation.judge import Judge, train_judge
from studio.models.catalog import model_spec
from studio.progress import Progress
from studio.training.config.file import parse_config
from studio.training.config.run_config import RunConfig
from studio.training.messages.commands import Command, Stop
from studio.training.messages.events import Event, Finished
from studio.training.messages.mailbox import Mailbox
from studio.training.run.session import RunHandle, RunRequest
from tests.threads import with_one_thread

DEADLINE_S = 60.0
_SMALL = {
    "width": 4,
    "latent_size": 4,
    "hidden_units": 4,
    "buffer_size": 16,
    "langevin_steps": 2,
    "sample_steps": 4,
    "sampling_steps": 4,
    "diffusion_steps": 20,
}
CLASSES = ("ant", "bee", "cat")

KINDS = ("gan", "vae", "ebm")
"""What the trainer can meet: two networks that take turns, a likelihood, and a memory of chains."""
FAMILIES = ("wgan_gp", "vae", "hierarchical_vae", "diffusion", "rbm", "ebm")
"""Of the models that share their code, one."""

E = TypeVar("E", bound=Event)


def tiny_images(count: int = 120, *, channels: int = 1, seed: int = 0) -> ImageSet:
    """Noise of 8×8 pixels in three classes of different size."""
    rng = np.random.default_rng(seed)
    labels = np.sort(rng.choice(3, count, p=[0.6, 0.3, 0.1])).astype(np.int64)
    labels[:3] = [0, 1, 2]
    images = rng.integers(0, 256, (count, 8, 8, channels), dtype=np.uint8)
    return ImageSet(name="Noise", images=images, labels=labels, class_names=CLASSES)


def tiny_config(kind: str = "vae", **settings: Any) -> RunConfig:
    """A narrow model, small batches, and a report at every step; `settings` as in a configuration file."""
    fields = model_spec(kind).config.model_fields
    small = {name: value for name, value in _SMALL.items() if name in fields}
    model = {"kind": kind, **small, **settings.pop("model", {})}
    defaults: dict[str, Any] = {
        "batch": {"average_size": 8},
        "cadence": {"log_every": 1, "sample_every": 3600, "samples": 4},
        "device": "cpu",
        "held_out": 0.0,
    }
    return parse_config({**defaults, **settings, "model": model}, "test")


class PlayedMailbox(Mailbox):
    """Hands a run what a script yields, once between any two steps (and once at each look while it is paused).

    The script sees the run standing still, so it can assert what it likes; when it is over, the run is stopped.
    """

    def __init__(self) -> None:
        super().__init__()
        self._script: Iterator[list[Command]] = iter(())

    def play(self, script: Iterable[list[Command]]) -> None:
        self._script = iter(script)

    def commands(self, *, wait: float | None = None) -> list[Command]:
        return next(self._script, [Stop()])


def steps(count: int) -> Iterator[list[Command]]:
    """Nothing to say for that many steps."""
    for _ in range(count):
        yield []


class FakeTime:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    fake = FakeTime()
    monkeypatch.setattr("studio.training.run.clock.time", fake)
    return fake


class WatchedRun:
    """A run in its thread, and all it has said so far."""

    def __init__(self, request: RunRequest) -> None:
        self.handle = RunHandle(request)
        self.events: list[Event] = []
        self.heard = 0

    def send(self, command: Command) -> None:
        self.handle.send(command)

    def wait_for(self, kind: type[E], where: Callable[[E], bool] = lambda _: True) -> E:
        """The first such event after the one that was waited for last."""
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            ended = self.handle.join(0.01)
            self.events += self.handle.events()[0]
            while self.heard < len(self.events):
                event = self.events[self.heard]
                self.heard += 1
                if isinstance(event, kind) and where(event):
                    return event
            if ended:
                break
        pytest.fail(f"no such {kind.__name__} among {self.events}")

    def finish(self) -> Finished:
        """Hear it out."""
        assert self.handle.join(DEADLINE_S)
        self.events += self.handle.events()[0]
        (finished,) = self.all_of(Finished)
        assert self.events[-1] is finished
        return finished

    def all_of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]


one_thread = pytest.fixture(autouse=True, scope="package")(with_one_thread)


@pytest.fixture(scope="session")
def judge() -> Judge:
    """Of the tiny images; trained once."""
    return train_judge(tiny_images(), Progress())


@pytest.fixture
def start_run() -> Iterator[Callable[..., WatchedRun]]:
    """Starts runs on the tiny images; those that a failing test leaves are stopped."""
    runs: list[WatchedRun] = []

    def start(config: RunConfig | None = None, **request: Any) -> WatchedRun:
        data: Callable[[Progress], ImageSet] = request.pop("data", lambda _: tiny_images())
        runs.append(WatchedRun(RunRequest(config=config or tiny_config(), data=data, **request)))
        return runs[-1]

    yield start
    for run in runs:
        run.send(Stop())
        run.handle.join(DEADLINE_S)


@pytest.fixture
def run_path(tmp_path: Path) -> Path:
    """Where a run's folder may be made."""
    return tmp_path / "run"

"""A run whose commands come from a script, played without a thread."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from studio.perturb.perturbation import Gauge, Perturbation
from studio.training.config.run_config import RunConfig, StopCondition
from studio.training.engine.trainer import Trainer
from studio.training.messages.commands import Command, SetPerturbation
from studio.training.messages.events import Event, Outcome
from studio.training.messages.snapshot import Snapshot
from studio.training.run.loop import RunLoop
from studio.training.storage.metrics import Metrics, read_metrics
from studio.training.storage.recorder import Recorder
from studio.training.storage.run_folder import RunFolder
from tests.training.conftest import PlayedMailbox, tiny_config, tiny_images

E = TypeVar("E", bound=Event)
Script = Iterator[list[Command]]


class Played:
    """A run on the tiny images whose commands come from a script."""

    def __init__(
        self, config: RunConfig | None = None, folder: Path | None = None, limit: StopCondition | None = None
    ) -> None:
        self.config = config or tiny_config()
        self.mailbox = PlayedMailbox()
        self.trainer = Trainer(self.config, tiny_images())
        self.folder = folder
        self._recorder = Recorder(RunFolder.at(folder, self.config), self.trainer) if folder else None
        self.loop = RunLoop(self.trainer, self.mailbox, self._recorder, limit)
        self.events: list[Event] = []

    def run(self, script: Iterable[list[Command]]) -> Outcome:
        self.mailbox.play(script)
        try:
            return self.loop.run()
        finally:
            self.hear()
            if self._recorder is not None:
                self._recorder.release()

    def hear(self) -> None:
        self.events += self.mailbox.events()[0]

    def all_of(self, kind: type[E]) -> list[E]:
        self.hear()
        return [event for event in self.events if isinstance(event, kind)]

    def snapshot(self) -> Snapshot:
        snapshot = self.mailbox.take_snapshot()
        assert snapshot is not None
        return snapshot

    def metrics(self) -> Metrics:
        """What is on disk."""
        assert self.folder is not None
        return read_metrics(self.folder)

    def logged(self) -> list[int]:
        """Steps of the points on disk."""
        return self.metrics().steps.astype(int).tolist()


def target(*offsets: float, revision: int, gauge: Gauge = Gauge.NORMALISED) -> SetPerturbation:
    return SetPerturbation(perturbation=Perturbation(offsets=offsets, revision=revision, gauge=gauge))

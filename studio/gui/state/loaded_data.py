"""A data set in memory, with all that the window makes of it, and what loads one at a time beside the window."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal, SignalInstance

from studio.data.catalog import DatasetConfig, load_dataset, not_here_yet
from studio.data.example_set import ExampleSet
from studio.gui.state.dataset_view import DatasetView
from studio.gui.state.task_runner import TaskRunner
from studio.perturb.example_features import ExampleFeatures
from studio.progress import Progress
from studio.training.examples.judges import Judges
from studio.training.examples.measured_set import measured_set
from studio.training.storage.run_identity import RunIdentity


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoadedData:
    """One data set, with what panels show of it, who may judge it, and what the energy may ask of its examples."""

    config: DatasetConfig
    images: ExampleSet
    view: DatasetView
    judges: Judges
    measured: ExampleFeatures

    @classmethod
    def of(cls, images: ExampleSet, config: DatasetConfig, data_root: Path) -> LoadedData:
        """What is made of a loaded set; judges are kept under `data_root`."""
        judges = Judges(images, data_root)
        view, measured = DatasetView.of(images), measured_set(images, judges)
        return cls(config=config, images=images, view=view, judges=judges, measured=measured)


def read_data_of(run: Path, data_root: Path, progress: Progress) -> LoadedData:
    """The data set of the run in a folder, from this folder of downloaded data sets or the one where it was.

    Raises:
        UserError: it is not here, or another by now.
        Cancelled: the person cancelled.
    """
    identity = RunIdentity.read(run)
    config, root = identity.config.dataset, identity.root_here(data_root)
    if root is None:
        missing = not_here_yet(config, data_root)
        assert missing is not None
        raise missing
    images = load_dataset(config, root, progress)
    identity.ensure_data(images)
    return LoadedData.of(images, config, data_root)


class DatasetLoader(QObject):
    """A newer wish replaces an older one: each `load` that is neither overtaken nor given up has just one answer."""

    loaded = Signal(object)  # ExampleSet
    failed = Signal(object)  # UserError
    cancelled = Signal(object)  # DatasetConfig

    def __init__(self, tasks: TaskRunner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._wanted: DatasetConfig | None = None
        self._request = 0

    @property
    def busy(self) -> bool:
        return self._wanted is not None

    def load(self, config: DatasetConfig, data_root: Path) -> None:
        """Load a data set, instead of one that is still being loaded."""
        self._tasks.cancel()
        self._wanted = config
        self._request += 1
        request = self._request

        def work(progress: Progress) -> ExampleSet:
            images = load_dataset(config, data_root, progress)
            images.fingerprint()  # which is asked for where nobody should wait for it
            return images

        self._tasks.run(
            work,
            done=lambda images: self._answer(request, self.loaded, images),
            failed=lambda error: self._answer(request, self.failed, error),
            cancelled=lambda: self._answer(request, self.cancelled, config),
        )

    def give_up(self) -> None:
        """Let what is being loaded go unanswered."""
        if self.busy:
            self._tasks.cancel()
            self._wanted = None
            self._request += 1

    def _answer(self, request: int, signal: SignalInstance, found: object) -> None:
        if request == self._request:
            self._wanted = None
            signal.emit(found)

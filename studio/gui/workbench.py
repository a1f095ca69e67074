"""The window's one model: what is loaded, what is edited, what runs. Panels listen to its signals and call its slots.

Signals carry the frozen values of `studio.gui.view_state`; a panel that is made late reads the same values from the
properties. Nothing here draws.
"""

from __future__ import annotations

import time
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QUndoStack

from studio.data.catalog import DatasetConfig, dataset_spec, not_here_yet
from studio.data.example_set import ExampleSet
from studio.errors import UserError
from studio.gui.dataset_loader import DatasetLoader
from studio.gui.energy_control import EnergyControl
from studio.gui.evaluation_control import EvaluationControl
from studio.gui.history import History
from studio.gui.latent_control import LatentControl
from studio.gui.library_control import LibraryControl
from studio.gui.log import Log
from studio.gui.log_line import Level
from studio.gui.numbers import classes
from studio.gui.queue_control import QueueControl
from studio.gui.run_control import RunControl
from studio.gui.run_starter import RunStarter
from studio.gui.target_control import TargetControl
from studio.gui.task_runner import TaskRunner
from studio.gui.time_cursor import TimeCursor
from studio.gui.view_state import DatasetView, RunView, TaskView
from studio.models.config import ModelConfig
from studio.paths import default_data_root, state_dir
from studio.paths import runs_root as chosen_runs_root
from studio.training.config import RunConfig
from studio.training.warm_up import warm_up

_STOP_SECONDS = 2.0


class Workbench(QObject):
    """State in by signals, intent out by slots; what steers a run that is under way is in `runs`.

    Args:
        config: what to begin with; the default configuration if absent.
        data_root: folder of downloaded data sets.
        runs_root: where each run gets a folder of its own.
    """

    config_changed = Signal(object)  # RunConfig, as edited: what the next start takes
    dataset_changed = Signal(object)  # DatasetView | None while there is none
    dataset_failed = Signal(object)  # UserError: shown beside the data set's fields
    edit_rejected = Signal(object)  # UserError with .field: shown beside its cause; nothing was changed
    run_changed = Signal(object)  # RunView
    run_reset = Signal()  # another run is shown: forget the old one's pictures
    snapshot_arrived = Signal(object)  # training.snapshot.Snapshot, at the drawing rate
    history_changed = Signal(object)  # History: new points or marks, at the drawing rate
    task_changed = Signal(object)  # TaskView | None
    engine_ready = Signal(object)  # tuple[(value, title), ...] of devices: torch is in

    def __init__(
        self,
        config: RunConfig | None = None,
        *,
        data_root: Path | None = None,
        runs_root: Path | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.config = config or RunConfig()
        self.data_root = data_root or default_data_root()
        self.runs_root = runs_root or chosen_runs_root()
        self.running: RunConfig | None = None  # what the run under way, or else the last one, began with
        self.images: ExampleSet | None = None
        self.dataset: DatasetView | None = None
        self.devices: tuple[tuple[str, str], ...] = (("auto", "Automatic"),)
        self.undo_stack = QUndoStack(self)
        self.images_root = self._reading_from = self.data_root  # where `images` were found
        self._dataset_in_use = self.config.dataset  # what `images` were loaded from, once there are some
        self.log = Log(self)
        self._tasks = TaskRunner(self)
        self.looking = TaskRunner(self)  # at runs on disk; of its own, as loading a data set calls off what goes on
        self._loader = DatasetLoader(self._tasks, self)
        self.energies = EnergyControl(self._tasks, self)
        self.runs = RunControl(self.log, self)
        self.evaluations = EvaluationControl(self._tasks, self.runs, self.log, self)
        self.target = TargetControl(self)
        self.queue = QueueControl(
            state_dir() / "queue.sqlite", lambda: self.runs_root, lambda: self.data_root, self.log, self
        )
        self.time = TimeCursor(self.looking, self.runs, self.evaluations, self.log, self)
        self.latents = LatentControl(
            self.looking, self.runs, self.time, self.undo_stack, lambda: self.shown_config, self.log, self
        )
        self.starter = RunStarter(self)
        self.library = LibraryControl(self.looking, self.runs, self.runs_root, self)
        self._connect()

    def _connect(self) -> None:
        for tasks in (self._tasks, self.looking):
            tasks.changed.connect(lambda _: self.task_changed.emit(self.task))
            tasks.bug_found.connect(self.log.add_line)
        self._loader.loaded.connect(self._on_dataset)
        self._loader.failed.connect(self._on_dataset_failed)
        self._loader.cancelled.connect(self._on_dataset_cancelled)
        self.evaluations.evaluated.connect(self.library.refresh)
        self.queue.job_ended.connect(self.library.refresh)
        self.runs.run_changed.connect(self.run_changed)
        self.time.run_reset.connect(self.run_reset)
        self.time.snapshot_arrived.connect(self.snapshot_arrived)
        self.time.history_changed.connect(self.history_changed)
        self.target.rejected.connect(self.edit_rejected)

    # -- state

    @property
    def run(self) -> RunView:
        """The run, as the toolbar shows it."""
        return self.runs.run

    @property
    def history(self) -> History:
        """The logged numbers of the run."""
        return self.runs.history

    @property
    def shown_config(self) -> RunConfig | None:
        """What the run that is shown began with; None while there is none."""
        return self.time.config or self.running

    @property
    def task(self) -> TaskView | None:
        """What goes on in the background."""
        return self._tasks.view or self.looking.view

    @property
    def reading_data(self) -> bool:
        """Whether a data set is being read."""
        return self._loader.busy

    @property
    def start_blocked(self) -> str:
        """Why a run cannot start now, in a sentence; empty when it can."""
        if self.runs.busy:
            return "A run is under way: stop it first."
        if self._loader.busy:
            return "The data set is still being read."
        if self.starter.busy:
            return "A run is about to go on: its past is being read."
        if self.images is None:
            return "There is no data set yet: choose one in the set-up panel."
        return ""

    # -- beginning and end

    def begin(self, data_root: Path | None = None) -> None:
        """Load the data set, from another data folder if one is given, and bring torch in beside it."""
        self._tasks.run(warm_up, done=self._on_engine, failed=self._on_engine_failed, cancellable=False)
        self._load_what_is_here(data_root)
        self.queue.begin()

    def shutdown(self, seconds: float = _STOP_SECONDS) -> bool:
        """Stop the run and the background tasks; whether all ended in time. Nothing is ever killed."""
        deadline = time.monotonic() + seconds
        self.queue.shutdown()
        ended = self.runs.shutdown(seconds)
        for tasks in (self._tasks, self.looking):
            ended = tasks.join(max(0.0, deadline - time.monotonic())) and ended
        return ended

    def see_run_out(self) -> None:
        """Wait for a run that could not end in time: it is being saved."""
        self.runs.shutdown(None)

    def _on_engine(self, devices: tuple[tuple[str, str], ...]) -> None:
        self.devices = devices
        self.engine_ready.emit(devices)
        self.log.add("torch is loaded")

    def _on_engine_failed(self, error: UserError) -> None:
        self.log.add_error(error)

    # -- editing the set-up

    def edit(self, **sections: object) -> None:
        """Replace fields of the configuration, such as ``edit(batch=BatchConfig(...), seed=3)``."""
        self._set_config(self.config.model_copy(update=sections))
        self.target.refresh()

    def set_model(self, config: ModelConfig) -> None:
        """Train this model at the next start."""
        self.edit(model=config)

    def set_config(self, config: RunConfig, data_root: Path | None = None) -> None:
        """Take a whole configuration, as from a file; its data set may lie in another data folder than is chosen."""
        reload = config.dataset != self.config.dataset or self.images is None
        self.undo_stack.clear()
        self._set_config(config)
        if reload:
            self._load_what_is_here(data_root)
        else:
            self.target.apply_offsets(self.target.class_offsets())

    def set_runs_root(self, folder: Path) -> None:
        """Keep runs in this folder from now on, and list those that are there."""
        self.runs_root = folder
        self.library.choose_root(folder)
        self.log.add(f"Folder of the runs: {folder}")

    def set_data_root(self, folder: Path) -> None:
        """Look for downloaded data sets there from now on."""
        self.data_root = folder
        self.energies.use_data_root(folder)
        self.log.add(f"Data folder: {folder}")
        if self.images is None:
            self._load_what_is_here()

    def _load_what_is_here(self, data_root: Path | None = None) -> None:
        """Load the configuration's data set unless that would begin a download, which the person has to ask for."""
        missing = not_here_yet(self.config.dataset, data_root or self.data_root)
        if missing is None:
            self.set_dataset(self.config.dataset, data_root)
        else:
            self._loader.give_up()
            self._on_dataset_failed(missing)

    def set_dataset(self, config: DatasetConfig, data_root: Path | None = None) -> None:
        """Choose and load a data set in the background; offsets stay where class names match."""
        self._reading_from = data_root or self.data_root
        self._loader.load(config, self._reading_from)
        self._set_config(self.config.model_copy(update={"dataset": config}))

    def cancel_task(self) -> None:
        """Cancel what goes on in the background and is shown, as far as it can be."""
        (self._tasks if self._tasks.view is not None else self.looking).cancel()

    def _set_config(self, config: RunConfig) -> None:
        if config != self.config:
            self.config = config
            self.evaluations.use_judge(config.evaluation.judge)
            self.config_changed.emit(config)

    @Slot(object)
    def _on_dataset(self, images: ExampleSet) -> None:
        if self.dataset is not None and self.dataset.class_names != images.class_names:
            self.undo_stack.clear()
        self.images = images
        self._dataset_in_use = self.config.dataset
        self.images_root = self._reading_from
        self.energies.open(images, self.data_root)
        self.dataset = DatasetView.of(images)
        self.dataset_changed.emit(self.dataset)
        self.log.add(f"{images.name}: {len(images):,} {images.noun}, {classes(len(images.class_names))}")
        for line in images.report.lines():
            self.log.add(line, Level.WARNING)
        self.target.refresh()
        self.starter.go_on()

    @Slot(object)
    def _on_dataset_failed(self, error: UserError) -> None:
        self.images = self.dataset = None
        self.starter.forget()
        self.energies.open(None, self.data_root)
        self.target.refresh()
        self.dataset_changed.emit(None)
        self.dataset_failed.emit(error)
        self.log.add_error(error)

    @Slot(object)
    def _on_dataset_cancelled(self, config: DatasetConfig) -> None:
        self.starter.forget()
        self.log.add(f"Reading {dataset_spec(config.kind).title} was cancelled")
        if self.images is not None:
            self._set_config(self.config.model_copy(update={"dataset": self._dataset_in_use}))
        self.dataset_changed.emit(self.dataset)

    # -- running

    def start(self) -> None:
        """Train what is set up, from the beginning."""
        self.starter.start()

    def stop(self) -> None:
        """End the run in good order, or do not go on with one that was about to; what it drew stays."""
        self.starter.call_off()
        self.runs.stop()

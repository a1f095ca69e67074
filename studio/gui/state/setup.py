"""What is set up: the configuration as edited, the data set that it names, and where data and runs are kept.

It knows of no run. Whoever depends on the set-up listens to its signals, or reads the same values here when it is made
late.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from studio.data.catalog import DatasetConfig, dataset_spec, not_here_yet
from studio.data.example_set import ExampleSet
from studio.data.planar.config import PlanarConfig
from studio.errors import UserError
from studio.gui.state.dataset_view import DatasetView
from studio.gui.state.loaded_data import DatasetLoader, LoadedData
from studio.gui.state.log import Level, Log
from studio.gui.state.task_runner import TaskRunner
from studio.gui.state.undo import ReplaceSetup, UndoStack, WholeSetup
from studio.models.config import ModelConfig
from studio.number_text import classes
from studio.paths import default_data_root
from studio.paths import runs_root as chosen_runs_root
from studio.perturb.example_features import ExampleFeatures
from studio.training.config.presets import named_presets, usual_model
from studio.training.config.run_config import PerturbationConfig, RunConfig
from studio.training.engine.devices import warm_up
from studio.training.examples.judges import Judges
from studio.training.storage.data_paths import made_absolute
from studio.training.storage.fingerprints import Fingerprints


class Setup(QObject):
    """State out by signals, edits in by calls.

    Args:
        config: what to begin with; the default configuration if absent.
        data_root: folder of downloaded data sets.
        runs_root: where each run gets a folder of its own.

    Attributes:
        data: the data set in use; None while there is none.
        images: its examples.
        in_use: settings of the data set that was loaded last.
        images_root: folder of downloaded data sets that it was found in.
        dataset: what panels show of it.
        judges: who may look at it.
        measured: what the energy may ask of its examples.
        undo_stack: takes the edits of what is set up.
        devices: (value, title) of each; one alone until torch is in.
        lacking: what the data set that a person has chosen, but that cannot be read yet, lacks; empty if nothing.
    """

    config_changed = Signal(object)  # RunConfig, as edited: what the next start takes
    dataset_changed = Signal(object)  # DatasetView | None while there is none
    dataset_failed = Signal(object)  # UserError: shown beside the data set's fields
    edit_rejected = Signal(object)  # UserError with .field: shown beside its cause; nothing was changed
    data_root_changed = Signal()
    lacking_changed = Signal()
    dataset_chosen = Signal()  # by hand, while the rest stays
    replaced = Signal()  # as a whole
    engine_ready = Signal(object)  # devices: torch is in

    def __init__(
        self,
        tasks: TaskRunner,
        log: Log,
        config: RunConfig | None = None,
        *,
        data_root: Path | None = None,
        runs_root: Path | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._tasks, self._log = tasks, log
        self.config = config or RunConfig()
        self.data_root = data_root or default_data_root()
        self.runs_root = runs_root or chosen_runs_root()
        self.data: LoadedData | None = None
        self.images: ExampleSet | None = None
        self.dataset: DatasetView | None = None
        self.judges: Judges | None = None
        self.measured: ExampleFeatures | None = None
        self.devices: tuple[tuple[str, str], ...] = (("auto", "Automatic"),)
        self.lacking = ""
        self.undo_stack = UndoStack(self)
        self.in_use = self.config.dataset
        self.images_root = self._reading_from = self.data_root
        self._by_hand = False  # the person chose the data set that is read, and no whole set-up came with it
        self._loader = DatasetLoader(tasks, self)
        self._loader.loaded.connect(self._on_loaded)
        self._loader.failed.connect(self._on_failed)
        self._loader.cancelled.connect(self._on_cancelled)

    @property
    def reading_data(self) -> bool:
        return self._loader.busy

    @property
    def awaits_data(self) -> bool:
        """Whether the data set that is here is not the one that is set up, which is still to be read."""
        return self.data is not None and self.data.config != self.config.dataset

    def own(self, target: PerturbationConfig) -> PerturbationConfig:
        """A target with the offsets of the classes of the data set in use alone; as it is while there is none."""
        return target if self.dataset is None else target.of_classes(self.dataset.class_names)

    def run_config(self) -> RunConfig:
        """What a run begins with: the configuration, with the offsets of this data set's classes alone."""
        return self.config.model_copy(update={"perturbation": self.own(self.config.perturbation)})

    def config_to_queue(self) -> RunConfig:
        """The same for a run that begins later; as it is while its data set is still to be read."""
        return self.config if self.awaits_data else self.run_config()

    def fingerprints(self, config: RunConfig) -> Fingerprints | None:
        """Of what a run of this configuration would train on, as far as that is in memory; None if it is not."""
        here = config.model_copy(update={"dataset": self.in_use})
        if self.images is None or self.measured is None or made_absolute(config) != made_absolute(here):
            return None
        return Fingerprints.of(self.images).with_known_columns(self.measured, config.perturbation.energy())

    def begin(self, data_root: Path | None = None) -> None:
        """Load the data set, from another data folder if one is given, and bring torch in beside it."""
        self._tasks.run(warm_up, done=self._on_engine, failed=self._log.add_error, cancellable=False)
        self._load_what_is_here(data_root)

    def _on_engine(self, devices: tuple[tuple[str, str], ...]) -> None:
        self.devices = devices
        self.engine_ready.emit(devices)
        self._log.add("torch is loaded")

    # -- edits

    def edit(self, **sections: object) -> None:
        """Replace fields of the configuration, such as ``edit(batch=BatchConfig(...), seed=3)``."""
        self._put(self.config.model_copy(update=sections))

    def lack(self, what: str) -> None:
        """Say in a sentence what the chosen data set lacks, so that nothing else is trained; empty if nothing."""
        if what != self.lacking:
            self.lacking = what
            self.lacking_changed.emit()

    def reject(self, error: UserError) -> None:
        """Say beside its cause that something cannot be as it is set up; nothing is changed."""
        self.edit_rejected.emit(error)

    def set_config(self, config: RunConfig, text: str, data_root: Path | None = None) -> None:
        """Take a whole configuration, as from a file, in one step that can be undone.

        Args:
            text: names the step.
            data_root: folder that its data set lies in; the chosen one if absent.
        """
        self.undo_stack.push(ReplaceSetup(WholeSetup(config=config, data_root=data_root), text, self._swap))

    def _swap(self, other: WholeSetup) -> WholeSetup:
        before = WholeSetup(config=self.config, data_root=self._reading_from)
        reload = other.config.dataset != self.config.dataset or self.images is None
        self._put(other.config)
        self.lack("")
        if reload:
            self._load_what_is_here(other.data_root)
        self.replaced.emit()
        return before

    def set_dataset(self, config: DatasetConfig) -> None:
        """Choose and load a data set in the background; offsets stay where class names match."""
        model = self._model_for(config)
        self._load(config, by_hand=True)
        self.edit(model=model)
        self.dataset_chosen.emit()

    def _model_for(self, dataset: DatasetConfig) -> ModelConfig:
        """The model as it is set, unless that is as it comes, and these are points, or no longer."""
        model, before, now = (
            self.config.model,
            *(isinstance(each, PlanarConfig) for each in (self.config.dataset, dataset)),
        )
        as_it_comes = (usual_model(model.kind, points=before), *(each.model for each in named_presets().values()))
        return usual_model(model.kind, points=now) if before != now and model in as_it_comes else model

    def _load(self, config: DatasetConfig, data_root: Path | None = None, *, by_hand: bool = False) -> None:
        self._reading_from, self._by_hand = data_root or self.data_root, by_hand
        self._loader.load(config, self._reading_from)
        self.edit(dataset=config)

    def set_runs_root(self, folder: Path) -> None:
        self.runs_root = folder
        self._log.add(f"Folder of the runs: {folder}")

    def set_data_root(self, folder: Path) -> None:
        self.data_root = folder
        if self.judges is not None:
            self.judges.data_root = folder
        self.data_root_changed.emit()
        self._log.add(f"Data folder: {folder}")
        if self.images is None:
            self._load_what_is_here()

    def _put(self, config: RunConfig) -> None:
        if config != self.config:
            self.config = config
            self.config_changed.emit(config)

    # -- the data set

    def _load_what_is_here(self, data_root: Path | None = None) -> None:
        """Load the configuration's data set unless that would begin a download, which the person has to ask for."""
        missing = not_here_yet(self.config.dataset, data_root or self.data_root)
        if missing is None:
            self._load(self.config.dataset, data_root)
        else:
            self._loader.give_up()
            self._on_failed(missing)

    def _use(self, images: ExampleSet | None) -> None:
        self.data = data = LoadedData.of(images, self.in_use, self.data_root) if images is not None else None
        self.images, self.judges = (data.images, data.judges) if data is not None else (None, None)
        self.dataset, self.measured = (data.view, data.measured) if data is not None else (None, None)
        self.dataset_changed.emit(self.dataset)

    @Slot(object)
    def _on_loaded(self, images: ExampleSet) -> None:
        if self._by_hand and self.dataset is not None and self.dataset.class_names != images.class_names:
            self.undo_stack.clear()
        self.in_use, self.images_root = self.config.dataset, self._reading_from
        self._use(images)
        self._log.add(f"{images.name}: {len(images):,} {images.noun}, {classes(len(images.class_names))}")
        for line in images.report.lines():
            self._log.add(line, Level.WARNING)

    @Slot(object)
    def _on_failed(self, error: UserError) -> None:
        self._use(None)
        self.dataset_failed.emit(error)
        self._log.add_error(error)

    @Slot(object)
    def _on_cancelled(self, config: DatasetConfig) -> None:
        self._log.add(f"Reading {dataset_spec(config.kind).title} was cancelled")
        if self.images is not None:
            self.edit(dataset=self.in_use, model=self._model_for(self.in_use))
        self.dataset_changed.emit(self.dataset)

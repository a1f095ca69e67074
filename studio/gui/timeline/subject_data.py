"""Data and target of the subject: those that are set up, or those that a run had at the step that is looked at."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, Signal, Slot

from studio.data.catalog import dataset_spec
from studio.gui.state.dataset_view import DatasetView
from studio.gui.state.loaded_data import LoadedData, read_data_of
from studio.gui.state.old_runs import Moment, OldRun
from studio.gui.state.setup import Setup
from studio.gui.state.subject import Aspect, Subject
from studio.gui.state.task_runner import TaskRunner
from studio.gui.timeline.run_targets import RunTargets
from studio.gui.timeline.subject_control import SubjectControl
from studio.gui.timeline.time_cursor import TimeCursor
from studio.perturb.example_features import ExampleFeatures
from studio.training.config.run_config import PerturbationConfig, RunConfig
from studio.training.config.run_title import tilt_words
from studio.training.examples.judges import Judges

_UNKNOWN = "The run did not keep which terms its target had at this step: it is known from its first edit on."
_READING = "Reading the target of this step."
_FIXED = "This is the target that the run had: set up like it to edit."
_EARLIER = "This is the target that the run had at step {:,}: follow the newest step to edit."


class SubjectData(QObject):
    """What the target is shown over.

    Attributes:
        targets: of this window's run.
    """

    dataset_changed = Signal(object)  # DatasetView | None while there is none
    target_changed = Signal()  # it is that of another step, perhaps

    def __init__(
        self,
        tasks: TaskRunner,
        setup: Setup,
        time: TimeCursor,
        subjects: SubjectControl,
        targets: RunTargets,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._tasks, self._setup, self._time, self._subjects = tasks, setup, time, subjects
        self.targets = targets
        self._looked: LoadedData | None = None  # of a run from disk
        self._read_for: OldRun | None = None  # as it was when it was opened
        self._moment: Moment | None = None
        self._earlier: int | None = None  # step of this window's run that is looked at, which has gone on since
        self._missing = ""
        self._wanted = setup.config.dataset
        subjects.subject_changed.connect(self._on_subject)
        setup.config_changed.connect(self._on_config)
        setup.dataset_changed.connect(self._on_setup)
        time.run_shown.connect(self._on_run_shown)
        time.moment_shown.connect(self._on_moment)

    @property
    def missing(self) -> str:
        """Why the data set, or the target of the run that is looked at, is not shown; empty if it is."""
        return f"Reading {dataset_spec(self._setup.config.dataset.kind).title}." if self._awaited else self._missing

    @property
    def _awaited(self) -> bool:
        return self._time.old is None and self._setup.awaits_data

    @property
    def fixed(self) -> str:
        """Why the target cannot be edited, in a sentence; empty if it can."""
        if self._earlier is not None:
            return _EARLIER.format(self._earlier)
        return _FIXED if self._time.old is not None else ""

    @property
    def loaded(self) -> LoadedData | None:
        """The data set; None while there is none."""
        return self._looked if self._time.old is not None else None if self._awaited else self._setup.data

    @property
    def view(self) -> DatasetView | None:
        """What panels show of it."""
        if self._time.old is None:
            return None if self._awaited else self._setup.dataset
        return self._looked.view if self._looked is not None else None

    @property
    def judges(self) -> Judges | None:
        """Who may look at it."""
        return self.loaded.judges if self.loaded is not None else None

    @property
    def measured(self) -> ExampleFeatures | None:
        """What the energy may ask of its examples."""
        return self.loaded.measured if self.loaded is not None else None

    @property
    def config(self) -> RunConfig:
        """What is set up, or what the run from disk was trained with; the target is that at the cursor."""
        old, then = self._time.old, self._then
        config = old.config if old is not None else self._setup.config
        return config if then is None else config.model_copy(update={"perturbation": then[0]})

    @property
    def revision(self) -> int:
        """Of the target that a run had at the cursor."""
        then = self._then
        return then[1] if then is not None else 0

    @property
    def _then(self) -> tuple[PerturbationConfig, int] | None:
        """Target and revision at the step that is looked at; None where that is not known, or none is."""
        moment, found = self._moment, None
        if self._earlier is not None:
            found = self.targets.at(self._earlier)
        if found is None and moment is not None and moment.target is not None:
            found = moment.target, moment.revision
        return found

    @property
    def is_of_run(self) -> bool:
        """Whether the run that is shown has, or had, the same data set; files may have changed since."""
        run, loaded = self._time.config, self.loaded
        return run is not None and loaded is not None and self._is(loaded, run)

    def caption(self, *, of_run: bool) -> str:
        """What to write below a picture: "twos · step 500 · target 2 → 30 %".

        Args:
            of_run: it is of the run that is shown, also beside a set-up that was edited since.
        """
        view, target = self._time.view, self.config.perturbation
        if not view.title or (not of_run and self._subjects.subject.aspect is Aspect.SETUP):
            whose, known = "Set-up", True
        else:
            whose, known = f"{view.title} · step {view.step:,}", self.is_of_run
            then = self._then if self.fixed else self.targets.at(view.step) if of_run else (target, 0)
            if then is None:
                return whose
            target = then[0]
        data = self.view if known else None
        counts = dict(zip(data.class_names, data.counts.tolist(), strict=True)) if data is not None else None
        return f"{whose} · target {tilt_words(target, counts) or 'without a tilt'}"

    def is_target(self, revision: int) -> bool:
        """Whether the run's target of this revision is the one that is shown."""
        if self.fixed:
            return revision == self.revision
        return self.targets.of(revision) == self._setup.run_config().perturbation

    def _is(self, loaded: LoadedData, run: RunConfig) -> bool:
        """Whether it is the data set of the run that is shown."""
        return run.dataset == loaded.config and self._time.data in ("", loaded.images.fingerprint())

    @Slot(object)
    def _on_config(self, config: RunConfig) -> None:
        """Other data are set up, which are read first."""
        before, self._wanted = self._wanted, config.dataset
        if config.dataset != before:
            self._on_setup(self.view)

    @Slot(object)
    def _on_setup(self, dataset: DatasetView | None) -> None:
        if self._time.old is None:
            self.dataset_changed.emit(dataset)

    @Slot()
    def _on_run_shown(self) -> None:
        old, was_old, self._moment, self._missing = self._time.old, self._looked is not None or self._missing, None, ""
        self._looked, self._read_for = None, old
        if old is not None:
            here = self._setup.data
            if here is not None and self._is(here, old.config):
                self._looked = here
            else:
                self._missing = f"Reading the data set of “{old.title}”."
                self._tasks.run(
                    partial(read_data_of, old.folder, self._setup.data_root),
                    done=lambda loaded: self._take(old, loaded),
                    failed=lambda error: self._miss(old, str(error)),
                    cancelled=lambda: self._miss(old, "Reading the data set was cancelled."),
                )
        if old is not None or was_old:
            self.dataset_changed.emit(self.view)

    def _take(self, old: OldRun, loaded: LoadedData) -> None:
        if old is self._read_for:
            unknown = self._moment is not None and self._moment.target is None
            self._looked, self._missing = loaded, _UNKNOWN if unknown else ""
            self.dataset_changed.emit(None if unknown else loaded.view)

    def _miss(self, old: OldRun, why: str) -> None:
        if old is self._read_for:
            self._missing = why
            self.dataset_changed.emit(None)

    @Slot(object)
    def _on_moment(self, moment: Moment) -> None:
        if self._time.old is not None or self._earlier is not None:
            self._moment = moment
            self._retarget()

    @Slot(object)
    def _on_subject(self, subject: Subject) -> None:
        """An earlier step of this window's run, another one, or none any more."""
        earlier = subject.shown if subject.live else None
        if earlier != self._earlier:
            if earlier is None or self._earlier is None:
                self._moment = None
            self._earlier = earlier
            self._retarget()

    def _retarget(self) -> None:
        before = self._missing
        if self._time.old is None or self._looked is not None:
            read = _READING if self._earlier is not None and self._moment is None else ""
            self._missing = "" if self._then is not None else _UNKNOWN if self._moment is not None else read
        if self._missing != before:
            self.dataset_changed.emit(None if self._missing else self.view)
        self.target_changed.emit()

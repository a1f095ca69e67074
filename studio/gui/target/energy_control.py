"""The energy from the window: what terms ask for is measured in the background; an edit is tried before it counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QObject, Signal, Slot

from studio.errors import UserError
from studio.gui.state.judge_offers import class_names_of
from studio.gui.state.setup import Setup
from studio.gui.state.task_runner import TaskRunner
from studio.gui.target.terms import Observable, observables
from studio.gui.timeline.subject_data import SubjectData
from studio.perturb.energy import ExampleEnergies
from studio.perturb.example_features import COLUMN, ExampleFeatures
from studio.perturb.perturbation import Perturbation
from studio.progress import Progress
from studio.training.config.energy import JudgeTermConfig, TermConfig

_TERMS = "perturbation.terms"


class EnergyControl(QObject):
    """Knows the examples' values and what every target makes of them."""

    rejected = Signal(object)  # UserError with .field: nothing was changed
    busy_changed = Signal(bool)  # values are being measured or loaded
    trying_changed = Signal(bool)  # an edit waits for that: another one now would not know of it
    measured_more = Signal()  # there are values that were not there before

    def __init__(self, tasks: TaskRunner, setup: Setup, data: SubjectData, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks, self._data = tasks, data
        self._busy = 0
        self._awaited = False
        self._failed: dict[tuple[str, ...], UserError] = {}
        for changed in (data.dataset_changed, setup.data_root_changed):
            changed.connect(self._forget_failures)

    @property
    def measured(self) -> ExampleFeatures | None:
        """The values of the data set in use, as far as they are known; None while there is none."""
        return self._data.measured

    def observables(self) -> tuple[Observable, ...]:
        """What can be measured of the data set in use: its features, and what the terms that are set up read."""
        measured = self.measured
        return observables(measured.features, self._data.config.perturbation.terms) if measured is not None else ()

    @Slot()
    def _forget_failures(self) -> None:
        self._failed.clear()

    @property
    def busy(self) -> bool:
        return self._busy > 0

    def energies_of(self, target: Perturbation) -> ExampleEnergies | None:
        """ΔH of every example; None while it is being measured, after which `measured_more` comes.

        Raises:
            UserError: a term does not fit the data set.
        """
        assert self.measured is not None
        missing = self.measured.missing(target.energy.names)
        if missing in self._failed:
            raise self._failed[missing]
        if missing:
            if self.busy:
                self._awaited = True
            else:
                self.prepare(missing, self.measured_more.emit, lambda error: self._note(missing, error))
            return None
        return target.example_energies(self.measured)

    def _note(self, names: tuple[str, ...], error: UserError) -> None:
        """Remember what cannot be had, so that it is not tried again and again."""
        self._failed[names] = error
        self.measured_more.emit()

    def try_out(self, target: Perturbation, then: Callable[[], None]) -> None:
        """Measure what a target needs and compute it; calls `then` if it can be had, else emits `rejected`."""

        def compute() -> None:
            end()
            try:
                if self.measured is not None and target.by_example:
                    target.example_energies(self.measured)
            except UserError as error:
                self.rejected.emit(error)
            else:
                then()

        def reject(error: UserError) -> None:
            end()
            self.rejected.emit(_located(error, target, missing))

        missing = self.measured.missing(target.energy.names) if self.measured is not None else ()

        def end() -> None:
            if missing:
                self.trying_changed.emit(False)

        if missing:
            self.trying_changed.emit(True)
        self.prepare(target.energy.names, compute, reject, end)

    def acquaint(self, term: TermConfig, then: Callable[[], None], failed: Callable[[UserError], None]) -> None:
        """Have it known what the term's judge tells apart, before an edit is tried; calls `then` at once if it is."""
        judges = self._data.judges
        if judges is None or not isinstance(term, JudgeTermConfig) or class_names_of(judges, term):
            then()
            return

        def end() -> None:
            self.trying_changed.emit(False)

        def go_on() -> None:
            end()
            then()

        def fail(error: UserError) -> None:
            end()
            failed(error)

        self.trying_changed.emit(True)
        self._work(lambda progress: judges.judge(term.data, progress), go_on, fail, end)

    def reload(self, names: Iterable[str]) -> None:
        """Load columns anew at their next use, because their files may have changed."""
        for name in names:
            if self.measured is not None and name.startswith(COLUMN):
                self.measured.forget(name)
        self._failed.clear()

    def prepare(
        self,
        names: Iterable[str],
        then: Callable[[], None],
        failed: Callable[[UserError], None],
        given_up: Callable[[], None] = lambda: None,
    ) -> None:
        """Have values measured in the background; calls `then` at once if nothing is missing.

        One of the calls follows: `given_up` if the person cancelled or the data set is another by then.
        """
        measured = self.measured
        missing = measured.missing(names) if measured is not None else ()
        if measured is None or not missing:
            then()
            return
        self._work(lambda progress: measured.prepare(missing, progress), then, failed, given_up)

    def _work(
        self,
        work: Callable[[Progress], object],
        then: Callable[[], None],
        failed: Callable[[UserError], None],
        given_up: Callable[[], None],
    ) -> None:
        """Do it in the background, for the data set that is open now; one of the calls follows."""
        measured = self.measured

        def done(_: object) -> None:
            self._end()
            (then if self.measured is measured else given_up)()

        def fail(error: UserError) -> None:
            self._end()
            if self.measured is measured:
                failed(error)
            else:
                given_up()

        def cancelled() -> None:
            self._end()
            given_up()

        self._busy += 1
        self.busy_changed.emit(True)
        self._tasks.run(work, done=done, failed=fail, cancelled=cancelled)

    def _end(self) -> None:
        self._busy -= 1
        self.busy_changed.emit(self.busy)
        if self._awaited and not self.busy:
            self._awaited = False
            self.measured_more.emit()


def _located(error: UserError, target: Perturbation, missing: Iterable[str]) -> UserError:
    """The error at the row of the first term that asks for what could not be had."""
    asked = set(missing)
    place = next((place for place, term in enumerate(target.energy.terms) if asked & set(term.names)), None)
    if error.field == _TERMS and place is not None:
        error.field = f"{_TERMS}.{place}"
    return error

"""The energy from the window: what terms ask for is measured in the background; an edit is tried before it counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QObject, Signal

from studio.data.example_set import ExampleSet
from studio.errors import UserError
from studio.gui.task_runner import TaskRunner
from studio.perturb.energy import ExampleEnergies
from studio.perturb.measured import COLUMN, Measured
from studio.perturb.perturbation import Perturbation
from studio.training.measured_set import measured_set


class EnergyControl(QObject):
    """Knows the examples' values and what every target makes of them."""

    rejected = Signal(object)  # UserError with .field: nothing was changed
    busy_changed = Signal(bool)  # values are being measured or loaded
    trying_changed = Signal(bool)  # an edit waits for that: another one now would not know of it
    measured_more = Signal()  # there are values that were not there before

    def __init__(self, tasks: TaskRunner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._busy = 0
        self._awaited = False
        self._failed: dict[tuple[str, ...], UserError] = {}
        self.measured: Measured | None = None

    def open(self, examples: ExampleSet | None) -> None:
        """Another data set, none of it measured yet."""
        self.measured = measured_set(examples) if examples is not None else None
        self._failed.clear()

    @property
    def busy(self) -> bool:
        """Whether something is being measured."""
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
            self.rejected.emit(error)

        waits = self.measured is not None and bool(self.measured.missing(target.energy.names))

        def end() -> None:
            if waits:
                self.trying_changed.emit(False)

        if waits:
            self.trying_changed.emit(True)
        self.prepare(target.energy.names, compute, reject, end)

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
        self._tasks.run(
            lambda progress: measured.prepare(missing, progress), done=done, failed=fail, cancelled=cancelled
        )

    def _end(self) -> None:
        self._busy -= 1
        self.busy_changed.emit(self.busy)
        if self._awaited and not self.busy:
            self._awaited = False
            self.measured_more.emit()

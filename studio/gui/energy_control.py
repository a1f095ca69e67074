"""The energy from the window: what terms ask for is measured in the background; an edit is tried before it counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from studio.data.example_set import ExampleSet
from studio.errors import UserError
from studio.gui.task_runner import TaskRunner
from studio.perturb.energy import ExampleEnergies
from studio.perturb.measured import COLUMN, Measured
from studio.perturb.perturbation import Perturbation
from studio.progress import Progress
from studio.training.energy_config import FormulaTermConfig, JudgeTermConfig, TermConfig
from studio.training.judges import Judges, known_judges
from studio.training.measured_set import measured_set

_TERMS = "perturbation.terms"
_CHOOSE_JUDGE = (
    "So there are no shares of classes, and no judge’s features to measure distances in. Choose the judge of another, "
    "labelled data set under “Set-up”, “Evaluation”, “Judge of”: it labels data and samples alike."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeOffer:
    """A judge that may look at the data: of which data set, and what it tells apart as far as that is known."""

    name: str
    title: str
    class_names: tuple[str, ...]


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
        self.judges: Judges | None = None  # who may look at the data set

    def open(self, examples: ExampleSet | None, data_root: Path) -> None:
        """Another data set, none of it measured yet; those that other judges were trained on lie in `data_root`."""
        self.judges = Judges(examples, data_root) if examples is not None else None
        self.measured = measured_set(examples, self.judges) if examples is not None else None
        self._failed.clear()

    def use_data_root(self, folder: Path) -> None:
        """Those that other judges were trained on lie there from now on."""
        if self.judges is not None:
            self.judges.data_root = folder
        self._failed.clear()

    @property
    def judges_on_offer(self) -> tuple[JudgeOffer, ...]:
        """The judges that a term may ask, the data's own first; none where the data cannot be judged."""
        judges = self.judges
        if judges is None or not judges.possible:
            return ()
        own = JudgeOffer(name="", title="", class_names=judges.class_names(""))
        others = (
            JudgeOffer(name=name, title=title, class_names=judges.class_names(name))
            for name, title in known_judges()
            if title != judges.examples.name
        )
        return (own, *others)

    def why_not_judged(self, name: str) -> str:
        """Why what is generated of these data cannot be evaluated by that judge, and what to do; empty where it can."""
        judges = self.judges
        error = judges.why_not(name) if judges is not None else None
        if error is None or judges is None:
            return ""
        advice = _CHOOSE_JUDGE if judges.possible else "Distances to their exact density are in the panel “Plane”."
        return f"{error.title}: {error.message}\n{advice}"

    def class_names_of(self, term: TermConfig) -> tuple[str, ...]:
        """The classes that a term may name, as far as they are known: what its judge tells apart, or those of the data,
        which a formula compares with; none of any other term.
        """
        if isinstance(term, FormulaTermConfig) and self.measured is not None:
            return self.measured.class_names
        if self.judges is None or not isinstance(term, JudgeTermConfig):
            return ()
        return self.judges.class_names(term.data)

    def mended(self, term: TermConfig) -> TermConfig:
        """The term, with another class where its judge knows it by no such name, as when the judge was changed."""
        known = self.class_names_of(term)
        if isinstance(term, JudgeTermConfig) and known and term.of not in known:
            return term.model_copy(update={"of": known[0]})
        return term

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
        judges = self.judges
        if judges is None or not isinstance(term, JudgeTermConfig) or self.class_names_of(term):
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

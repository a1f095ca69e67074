"""At once, from the window's side: what a trained model gives of the target that is set up, without training.

A run that is under way is saved first, so that its folder has the weights of now; for one from disk its set-up is taken
over, so that its target can be edited. Edits that come meanwhile are answered by one more round, with the newest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal, Slot

from studio.errors import UserError
from studio.gui.at_once.answer import Sampled, Source, measured, sampled
from studio.gui.run.run_control import RunControl
from studio.gui.run.run_starter import RunStarter
from studio.gui.state.log import Log
from studio.gui.state.setup import Setup
from studio.gui.state.task_runner import TaskRunner
from studio.gui.state.tilt_view import Generated
from studio.gui.target.target_control import TargetControl
from studio.gui.timeline.time_cursor import TimeCursor
from studio.perturb.perturbation import Perturbation
from studio.progress import Progress
from studio.training.messages.commands import Save
from studio.training.messages.snapshot import PlaneFrame
from studio.training.storage.run_folder import safe_name
from studio.training.storage.run_identity import RunIdentity, nearest_kept

if TYPE_CHECKING:
    from studio.sampling.base import Tilted
    from studio.training.analysis.at_once import AtOnce
    from studio.training.analysis.measured_samples import MeasuredImages, MeasuredPoints

T = TypeVar("T")

_NO_RUN = "Train a model first, or look at a run."
_UNTRAINED = "Only the weights of step 0 are kept of this run, from before training."
_NO_WEIGHTS = "The run has no checkpoint yet."
_UNDER_WAY = "A run is under way: stop it before another one is sampled."


@dataclass(frozen=True, slots=True, kw_only=True)
class AtOnceView:
    """What is sampled at once.

    Attributes:
        on: it is asked for.
        blocked: why it cannot be, in a sentence; empty if it can.
        title: of the run.
        step: of its weights.
        nearest_to: the step that is looked at, where weights of another one had to do.
        made: samples of the target; None while there are none.
        pictures: of them, uint8, shape (n, H, W, C); until there are others those of the target before.
        plane: the same as points of the plane, where they are such.
        measured: what more of them are, by judges who took no part, or exactly; None until that is known.
        under_way: the run trains.
        doing: more is on its way.
        error: why there is nothing more.
    """

    on: bool = False
    blocked: str = _NO_RUN
    title: str = ""
    step: int = 0
    nearest_to: int | None = None
    made: Tilted | None = None
    pictures: NDArray[np.uint8] | None = None
    plane: PlaneFrame | None = None
    measured: MeasuredImages | MeasuredPoints | None = None
    under_way: bool = False
    doing: bool = False
    error: UserError | None = None


class AtOnceControl(QObject):
    """Has the model of one run answer the target that is set up, until it is switched off or there is another run."""

    changed = Signal(object)  # AtOnceView

    def __init__(
        self,
        setup: Setup,
        target: TargetControl,
        runs: RunControl,
        starter: RunStarter,
        time: TimeCursor,
        log: Log,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._setup, self._target, self._runs, self._starter = setup, target, runs, starter
        self._time, self._log = time, log
        self.tasks, self.view = TaskRunner(self), AtOnceView()
        self._source: Source | None = None
        self._model: AtOnce | None = None  # with the draws that it has made
        self._wanted: Perturbation | None = None  # that is answered, or is about to be
        self._busy = False
        self._saves = 0  # of the run under way, that are answered for
        for changed in (target.changed, setup.config_changed, setup.dataset_changed):
            changed.connect(self._on_target)
        runs.run_begins.connect(self._end)
        runs.run_changed.connect(self._on_run)
        time.run_shown.connect(self._on_run_shown)
        time.moment_shown.connect(self._on_run)
        time.changed.connect(lambda seen: self.rename(time.folder, seen.title))

    @property
    def picture_name(self) -> str:
        return f"{safe_name(self.view.title)}-at-once-step-{self.view.step}"

    @Slot(object, str)
    def rename(self, folder: object, title: str) -> None:
        """A run is called so from now on."""
        if self._source is not None and folder == self._source.folder and title != self.view.title:
            self._set(replace(self.view, title=title))

    @Slot(bool)
    def switch(self, on: bool) -> None:
        if on and not self.view.on and not self.view.blocked:
            self._begin()
        elif not on and self.view.on:
            self._end()

    @Slot()
    def train(self) -> None:
        """Train it instead: another run, from the weights that were asked, towards the target that is set up."""
        source, under_way = self._source, self._runs.run.phase.active
        if source is None:
            return
        step = (self._model.trained.step if self._model is not None else 0) or source.step
        self._end()
        if under_way:  # it trains towards this target as it is
            return
        try:
            self._starter.fork(source.folder, step)
        except UserError as error:
            self._log.add_error(error)

    # -- on and off

    def _begin(self) -> None:
        folder, config = self._time.folder, self._time.config
        assert folder is not None
        assert config is not None
        active, seen = self._time.old is None and self._runs.run.phase.active, self._time.view
        kept = () if active else self._kept
        step = nearest_kept(kept, seen.step) if kept else seen.step
        newest = not kept or step == kept[-1]
        source = Source(folder=folder, step=None if newest else step, dataset=config.dataset)
        nearest_to = None if step == seen.step else seen.step
        if self._time.old is None:
            self._time.follow()  # what is asked for is the target of now
        else:
            try:
                self._starter.set_up_like(folder)  # which leaves the run
            except UserError as error:
                self._end()
                self._log.add_error(error)
                return
        self._source = source
        self._set(AtOnceView(on=True, blocked="", title=seen.title, nearest_to=nearest_to, under_way=active))
        if active:
            self._saves = self._runs.run.saves
            self._runs.send(Save())
            self._set(replace(self.view, doing=True))
            return
        self._ask()

    @Slot()
    def _end(self) -> None:
        self.tasks.cancel()
        self._source = self._model = self._wanted = None
        self._set(AtOnceView(blocked=self._blocked()))
        self._target.show_at_once(None)

    def _blocked(self) -> str:
        """Why the run that is shown cannot be asked."""
        run = self._runs.run
        if self._time.folder is None or self._time.config is None:
            return _NO_RUN
        if self._time.old is None and run.phase.active:
            return "" if run.step > 0 else _NO_WEIGHTS
        if self._time.old is not None and self._runs.busy:
            return _UNDER_WAY
        kept = self._kept
        return "" if any(kept) else _UNTRAINED if kept else _NO_WEIGHTS

    @property
    def _kept(self) -> Sequence[int]:
        """Steps whose weights are kept of the run that is shown, which does not train."""
        old, folder = self._time.old, self._time.folder
        if old is not None or folder is None:
            return old.kept if old is not None else ()
        try:
            return RunIdentity.read(folder).kept_steps
        except UserError:  # which says so wherever the run is opened
            return ()

    @Slot()
    def _on_run(self) -> None:
        """It can be asked by now, or has been saved so that it can."""
        run = self._runs.run
        if not self.view.on:
            blocked = self._blocked()
            if blocked != self.view.blocked:
                self._set(replace(self.view, blocked=blocked))
        elif self._source is not None and self.view.under_way:
            if run.saves > self._saves and run.folder is not None:  # which may be another, if it was moved
                self._saves, self._model, self._wanted = run.saves, None, None
                self._source = replace(self._source, folder=run.folder)
                self._ask()
            if not run.phase.active:
                self._set(replace(self.view, under_way=False))

    @Slot()
    def _on_run_shown(self) -> None:
        source = self._source
        if source is None or self._time.old is not None or self._time.folder != source.folder:
            self._end()

    # -- asking

    @Slot()
    def _on_target(self) -> None:
        if self.view.on and self._target.data.fixed:  # another step is looked at
            self._end()
        elif self.view.on:
            self._ask()

    def _ask(self) -> None:
        """Answer the target that is set up, unless that is being done; what is out of date is given up."""
        source, data = self._source, self._setup.data
        if source is None or self._setup.config.dataset != source.dataset:
            self._end()
            return
        if data is None or data.config != source.dataset or self._target.tilt is None:
            return  # it is being read
        if self._model is not None and self._model.trained.examples is not data.images:
            self._model = self._wanted = None  # they were read anew, and may be others
        wanted = self._target.perturbation
        if self._wanted is not None and _same(wanted, self._wanted):
            return
        self._wanted = wanted
        self._set(replace(self.view, doing=True, error=None, made=None, measured=None))
        self._target.show_at_once(None)
        if self._busy:
            self.tasks.cancel()
        else:
            self._sample()

    def _sample(self) -> None:
        source, data, wanted = self._source, self._setup.data, self._wanted
        if source is not None and data is not None and wanted is not None:
            self._run(partial(sampled, source, data, self._model, wanted), self._on_sampled)

    def _run(self, work: Callable[[Progress], T], then: Callable[[T], None]) -> None:
        """One task at a time, as they share the model; what is wanted since then is asked for after it."""
        wanted, self._busy = self._wanted, True

        def settle(act: Callable[[], None]) -> None:
            self._busy = False
            if wanted is self._wanted:
                act()
            else:
                self._sample()

        self.tasks.run(
            work,
            done=lambda found: settle(lambda: then(found)),
            failed=lambda error: settle(lambda: self._fail(error)),
            cancelled=lambda: settle(lambda: self._fail(UserError("Sampling at once was cancelled"))),
        )

    def _on_sampled(self, found: Sampled) -> None:
        self._model = found.model
        self._set(replace(self.view, made=found.made, step=found.step, pictures=found.pictures, plane=found.plane))
        assert self._wanted is not None
        self._run(partial(measured, found, self._wanted), self._on_measured)

    def _on_measured(self, found: MeasuredImages | MeasuredPoints) -> None:
        self._set(replace(self.view, measured=found, doing=False))
        self._target.show_at_once(Generated.at_once_of(found.sighting(self.view.step)))

    def _fail(self, error: UserError) -> None:
        view = replace(self.view, doing=False, error=error)
        self._set(view if view.made is not None else replace(view, pictures=None, plane=None))

    def _set(self, view: AtOnceView) -> None:
        self.view = view
        self.changed.emit(view)


def _same(one: Perturbation, other: Perturbation) -> bool:
    return replace(one, revision=0) == replace(other, revision=0)

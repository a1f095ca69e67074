"""The one subject of the window, decided from what is set up, the run under way and the run that is shown."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal, Slot

from studio.gui.run.run_control import RunControl
from studio.gui.run.run_starter import RunStarter
from studio.gui.state.run_view import RunPhase
from studio.gui.state.setup import Setup
from studio.gui.state.subject import Aspect, Offer, Owner, Subject
from studio.gui.timeline.run_targets import RunTargets
from studio.gui.timeline.time_cursor import TimeCursor
from studio.training.config.run_config import RunConfig

_NOWHERE = "This run has no folder to be resumed from."
_ELSEWHERE = "It is under way elsewhere: {}."


class SubjectControl(QObject):
    """Tells when it is another one.

    Args:
        setup: what the next start takes. An edit of it while a run is looked at makes it the subject.
        targets: of this window's run.
    """

    subject_changed = Signal(object)  # Subject
    others_changed = Signal(str)  # whose numbers panels show beside the set-up; empty if nobody else's

    def __init__(
        self,
        setup: Setup,
        runs: RunControl,
        starter: RunStarter,
        time: TimeCursor,
        targets: RunTargets,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._setup, self._runs, self._starter, self._time, self._targets = setup, runs, starter, time, targets
        self._offer: Offer | None = None
        self._as_run = setup.config  # as this window's run has it, but for what the run may refuse
        self.subject = self._decide()
        setup.config_changed.connect(self._on_config)
        setup.replaced.connect(self._on_replaced)
        setup.dataset_changed.connect(self._refresh)
        runs.run_begins.connect(self._on_run_begins)
        runs.run_changed.connect(self._refresh)
        starter.changed.connect(self._refresh)
        time.run_shown.connect(self._refresh)
        time.changed.connect(self._refresh)

    @property
    def others(self) -> str:
        """Whose numbers panels show beside the set-up, in words."""
        return self.subject.others.words if self.subject.others is not None else ""

    def what_next(self, coming: str, *, of_step: bool, of_images: bool) -> str:
        """For a panel that is empty."""
        return self.subject.what_next(coming, of_step=of_step, of_images=of_images)

    def offer(self, offer: Offer | None) -> None:
        """Offer to go on with a run, until there is one or the set-up is another."""
        self._offer = offer
        self._refresh()

    @Slot()
    def withdraw_gone(self) -> None:
        """Runs were looked at again: offer none that is not there any more."""
        if self._offer is not None and not self._offer.is_there:
            self.offer(None)

    @Slot()
    def leave(self) -> None:
        """Look at no run: at the one that trains, or else at the set-up, with nothing of any run in the panels."""
        self._time.leave()

    def _decide(self) -> Subject:
        time, run = self._time, self._runs.run
        view, old = time.view, time.old
        title, shown = view.title, None if view.following or view.step == view.last else view.step
        if old is not None:
            return Subject(
                aspect=Aspect.LOOKING,
                title=title,
                folder=old.folder,
                step=old.last,
                shown=shown,
                config=old.config,
                live=False,
                elsewhere=bool(old.owner),
                waiting=_ELSEWHERE.format(old.owner) if old.owner else "",
            )
        if run.phase.active:
            return Subject(
                aspect=Aspect.TRAINING,
                title=title,
                folder=run.folder,
                step=run.step,
                shown=shown,
                paused=run.phase is RunPhase.PAUSED,
                config=self._runs.config,
            )
        others, offer = None, None if self._setup.lacking or self._starter.busy else self._offer
        if title and not time.left:
            if self.is_as_run(self._setup.config) and self._has_its_data:
                return Subject(
                    aspect=Aspect.LOOKING,
                    title=title,
                    folder=run.folder,
                    step=run.step,
                    shown=shown,
                    config=self._runs.config,
                    waiting="" if run.folder is not None else _NOWHERE,
                )
            others = Owner(title=title, step=view.step)
        return Subject(config=self._setup.config, others=others, waiting=self._starter.blocked, offer=offer)

    @property
    def _has_its_data(self) -> bool:
        """Whether the data that are set up are those of this window's run: files may have changed since it began."""
        images = self._setup.images
        return images is None or self._runs.data in ("", images.fingerprint())

    def is_as_run(self, config: RunConfig) -> bool:
        """Whether the run of this window, or the one offered at its start, is of this; another judge may look at it.

        What a run takes up only at its next step, or refuses, is asked of the run.
        """
        run, update = self._runs.config, dict[str, object](evaluation=config.evaluation)
        if run is not None:
            if self._setup.own(config.perturbation) != self._targets.in_force:
                return False
            update |= {"perturbation": config.perturbation, "hold": run.hold, "model": run.model}
        return self._as_run.model_copy(update=update) == config

    @Slot()
    def _on_run_begins(self) -> None:
        self._as_run, self._offer = self._setup.config, None

    @Slot(object)
    def _on_config(self, config: RunConfig) -> None:
        if self._runs.run.phase.active:
            self._as_run = config
            if self._time.old is not None or self.subject.shown is not None:
                self._time.show_live()  # what was edited is the newest step's
        elif self._time.old is not None:
            self._time.leave()
        self._offer = None
        self._refresh()

    @Slot()
    def _on_replaced(self) -> None:
        """What was taken up may be as it was before; it is the subject all the same."""
        if self._time.old is not None and not self._runs.run.phase.active:
            self._time.leave()

    @Slot()
    def _refresh(self) -> None:
        subject = self._decide()
        if subject != self.subject:
            before, self.subject = self.others, subject
            self.subject_changed.emit(subject)
            if self.others != before:
                self.others_changed.emit(self.others)

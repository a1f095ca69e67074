"""Each edit of the target has a revision, is sent to the run under way, and is applied or refused by it."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal, Slot

from studio.errors import UserError
from studio.gui.run.run_control import RunControl
from studio.gui.state.run_view import RunPhase
from studio.gui.state.setup import Setup
from studio.gui.timeline.run_targets import RunTargets
from studio.training.config.run_config import PerturbationConfig
from studio.training.messages.commands import SetPerturbation
from studio.training.run.session import RunRequest


class TargetSender(QObject):
    """Sends a run the edits of its target, whatever is looked at, and knows which one it trains towards.

    Args:
        targets: of the run, by revision.

    Attributes:
        revision: of the target as edited.
        applied: of the one that the run trains towards, or did last.
    """

    changed = Signal()

    def __init__(self, setup: Setup, runs: RunControl, targets: RunTargets, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._setup, self._runs, self._targets = setup, runs, targets
        self.revision = self.applied = 0
        self._refused: int | None = None  # by the run under way, which keeps the target before
        self._behind = False
        runs.run_begins.connect(self._on_run_begins)
        runs.target_applied.connect(self._on_applied)
        runs.went_back.connect(targets.go_back)
        runs.target_rejected.connect(self._on_rejected)
        runs.run_changed.connect(self._on_run)

    @property
    def awaited(self) -> bool:
        """Whether the run under way trains towards another target than the one that is edited."""
        return self._runs.run.phase.active and self.applied != self.revision

    @property
    def refused(self) -> bool:
        """Whether it will go on with that."""
        return self.awaited and self._refused == self.revision

    def renew(self, target: PerturbationConfig) -> None:
        """It is edited."""
        self.revision += 1
        self._targets.add(self.revision, self._setup.own(target))

    def send(self) -> None:
        """Send it as it is set up."""
        dataset = self._setup.dataset
        if dataset is not None:
            target = self._setup.run_config().perturbation.resolve(dataset.class_names, self.revision)
            self._runs.send(SetPerturbation(perturbation=target))

    @Slot(int, int)
    def _on_applied(self, step: int, revision: int) -> None:
        self._targets.apply(step, revision)
        before, now = self._targets.of(self.applied), self._targets.of(revision)
        if before is not None and now is not None:
            self._runs.retitle(before, now)
        self.applied = revision
        self.changed.emit()

    @Slot(int, object)
    def _on_rejected(self, revision: int, error: UserError) -> None:
        self._refused = revision
        self.changed.emit()
        self._setup.reject(error)

    @Slot(object)
    def _on_run_begins(self, request: RunRequest) -> None:
        """From here on revisions count from that of the run's target."""
        found = request.resumption
        self.revision = self.applied = found.revision if found is not None else 0
        self._refused = None
        wanted = self._setup.run_config().perturbation
        began = wanted if found is None else self._setup.own(found.config.perturbation)
        self._targets.begin(began, self.revision, found.step if found is not None else -1)
        self._behind = began != wanted  # edited while its past was read

    @Slot()
    def _on_run(self) -> None:
        if self._behind and self._runs.run.phase is RunPhase.RUNNING:
            self._behind = False
            self.renew(self._setup.config.perturbation)
            self.send()
            self.changed.emit()

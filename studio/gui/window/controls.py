"""The objects behind the window, put together: each knows or does something; and what it listens to.

Composition only. Panels take the few objects that they show and steer, and nothing takes all of them but the window.
"""

from __future__ import annotations

import time
from pathlib import Path

from PySide6.QtCore import QObject, Slot

from studio.gui.at_once.at_once_control import AtOnceControl
from studio.gui.evaluation.evaluation_control import EvaluationControl
from studio.gui.library.library_control import LibraryControl
from studio.gui.live.plane.lesson_control import LessonControl
from studio.gui.live.samples.latent_control import LatentControl
from studio.gui.queue.queue_control import QueueControl
from studio.gui.queue.sweep_actions import SweepActions
from studio.gui.run.run_control import RunControl
from studio.gui.run.run_starter import RunStarter
from studio.gui.state.log import Log
from studio.gui.state.overlays import Overlays
from studio.gui.state.setup import Setup
from studio.gui.state.stepped_samples import SteppedSamples
from studio.gui.state.task_runner import TaskRunner
from studio.gui.state.undo import ALL_OF_SETUP, WHOLE_SETUPS
from studio.gui.target.energy_control import EnergyControl
from studio.gui.target.generated_shares import GeneratedShares
from studio.gui.target.target_control import TargetControl
from studio.gui.target.theory.model_means import ModelMeans
from studio.gui.timeline.run_targets import RunTargets
from studio.gui.timeline.subject_control import SubjectControl
from studio.gui.timeline.subject_data import SubjectData
from studio.gui.timeline.time_cursor import TimeCursor
from studio.paths import state_dir
from studio.training.config.run_config import RunConfig

_STOP_SECONDS = 2.0


class Controls(QObject):
    """All that the panels show and steer.

    Attributes:
        tasks: loads data sets, measures them, and trains judges.
        looking: at runs on disk; of its own, as loading a data set calls off what goes on.
    """

    def __init__(
        self,
        config: RunConfig | None = None,
        *,
        data_root: Path | None = None,
        runs_root: Path | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.log = Log(self)
        self.tasks, self.looking = TaskRunner(self), TaskRunner(self)
        for tasks in (self.tasks, self.looking):
            tasks.bug_found.connect(self.log.add_line)
        self.setup = Setup(self.tasks, self.log, config, data_root=data_root, runs_root=runs_root, parent=self)
        self.runs = RunControl(self.log, self)
        self.overlays = Overlays(self.looking, self.log, self)
        self.time = TimeCursor(self.looking, self.runs, self.overlays, self.log, self)
        self.starter = RunStarter(self.setup, self.runs, self.looking, self.log, self)
        targets = RunTargets(self.setup.run_config().perturbation)
        self.subjects = SubjectControl(self.setup, self.runs, self.starter, self.time, targets, self)
        self.data = SubjectData(self.looking, self.setup, self.time, self.subjects, targets, self)
        for changed in (self.runs.run_changed, self.starter.changed, self.subjects.subject_changed):
            changed.connect(self._hold_edits)
        self.energies = EnergyControl(self.tasks, self.setup, self.data, self)
        self.evaluations = EvaluationControl(
            self.tasks, self.setup, self.runs, self.time, self.data, self.overlays, self.log, self
        )
        generated = GeneratedShares(self.runs, self.evaluations, self.time, self.subjects, self.data, self)
        self.target = TargetControl(self.setup, self.runs, self.energies, generated, self.data, self)
        self.stepped = SteppedSamples(self)
        self.means = ModelMeans(self.looking, self.time, self.target, self.evaluations, self.stepped, self)
        self.lessons = LessonControl(self.setup, self.runs, self.target, self)
        self.latents = LatentControl(self.looking, self.runs, self.time, self.setup.undo_stack, self.log, self)
        self.once = AtOnceControl(self.setup, self.target, self.runs, self.starter, self.time, self.log, self)
        self.once.tasks.bug_found.connect(self.log.add_line)
        self.library = LibraryControl(self.looking, self.setup, self.runs, self.overlays, self)
        self.queue = QueueControl(state_dir() / "queue.sqlite", self.setup, self.log, self)
        self.sweeps = SweepActions(
            self.setup, self.queue, self.runs, self.time, lambda: self.library.newest_sweep, self
        )
        for names in (self.time, self.once, self.overlays):
            self.library.renamed.connect(names.rename)
        self.library.changed.connect(self.subjects.withdraw_gone)
        self.library.moved.connect(self.queue.follow_runs)
        self.evaluations.evaluated.connect(self.library.refresh)
        self.queue.job_ended.connect(self.library.refresh)

    @Slot()
    def _hold_edits(self) -> None:
        """Nothing is undone that is not shown, and no set-up comes back beside the run that trains another."""
        busy = self.runs.run.phase.active or self.starter.busy
        self.setup.undo_stack.hold(ALL_OF_SETUP if self.data.fixed else WHOLE_SETUPS if busy else ())

    def begin(self, data_root: Path | None = None) -> None:
        """Load the data set, from another data folder if one is given, bring torch in beside it, take up the queue."""
        self.setup.begin(data_root)
        self.queue.begin()

    def shutdown(self, seconds: float = _STOP_SECONDS) -> bool:
        """Stop the run and the background tasks; whether all ended in time. Nothing is ever killed."""
        deadline = time.monotonic() + seconds
        self.queue.shutdown()
        ended = self.runs.shutdown(seconds)
        for tasks in (self.tasks, self.looking, self.once.tasks):
            ended = tasks.join(max(0.0, deadline - time.monotonic())) and ended
        return ended

"""Begins runs and goes on with those that lie in folders, whose data set and past are read first."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from studio.background import Background
from studio.data.catalog import dataset_spec
from studio.errors import UserError
from studio.gui.run.mailbox_timer import DRAW_INTERVALS, QUICK_INTERVALS
from studio.gui.run.run_control import RunControl
from studio.gui.state.dataset_view import DatasetView
from studio.gui.state.log import Level, Log
from studio.gui.state.old_runs import Past, read_past
from studio.gui.state.setup import Setup
from studio.gui.state.task_runner import TaskRunner
from studio.library.run_summary import summary_of
from studio.models.catalog import misfit
from studio.training.config.run_config import RunConfig
from studio.training.config.run_title import run_title
from studio.training.messages.commands import SetLearningRate
from studio.training.run.session import RunRequest, folder_under
from studio.training.storage.data_paths import made_absolute
from studio.training.storage.resumption import Resumption, fork, resume
from studio.training.storage.run_folder import RunFolder
from studio.training.storage.run_identity import RunIdentity


class RunStarter(QObject):
    """Starts one run at a time."""

    changed = Signal()  # whether it is busy or blocked

    def __init__(
        self, setup: Setup, runs: RunControl, tasks: TaskRunner, log: Log, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._setup, self._runs, self._tasks, self._log = setup, runs, tasks, log
        self._rates: dict[str, float] = {}  # of the run under way, by network
        self._resuming: Resumption | None = None  # while its data set and its past are read
        self._reading: Background[Past] | None = None  # of such a past, the last one
        setup.dataset_changed.connect(self._on_dataset)
        setup.config_changed.connect(self._on_config)
        for changed in (setup.dataset_changed, setup.config_changed, setup.lacking_changed):
            changed.connect(self.changed)
        runs.batch_size_applied.connect(self._on_batch_size)

    @property
    def busy(self) -> bool:
        """What a run has behind it is being read."""
        return self._resuming is not None

    def trains(self, run: Path) -> bool:
        """Whether the run in this folder is the one under way."""
        return self._runs.busy and run == self._runs.run.folder

    @property
    def blocked(self) -> str:
        """Why a run cannot start now, in a sentence; empty when it can."""
        if self._runs.busy:
            return "A run is under way: stop it first."
        if self._setup.lacking:
            return self._setup.lacking
        if self._setup.reading_data:
            return "The data set is still being read."
        if self.busy:
            return "A run is about to be resumed: its past is being read."
        if self._setup.images is None:
            return "There is no data set yet: choose one in the set-up (“Change…”)."
        error = misfit(self._setup.config.model, planar=self._setup.images.plane is not None)
        return str(error) if error is not None else ""

    def start(self) -> None:
        setup, reason = self._setup, self.blocked
        if reason:
            self._log.add(reason, Level.WARNING)
            return
        config = made_absolute(setup.run_config())
        self._launch(config, folder_under(setup.runs_root, config))

    def stop(self) -> None:
        """End the run in good order, or do not go on with one that was about to; what it drew stays."""
        self._call_off()
        self._runs.stop()

    def stop_before(self, act: Callable[[], object]) -> None:
        """Do something once nothing trains or is about to; never if the run that does cannot be stopped."""
        self._call_off()
        self._runs.stop_before(act)

    def ensure_resumable(self, run: Path) -> None:
        """Refuse what `resume` would, as far as the folder says; before a run is stopped for it in vain.

        Raises:
            UserError: the run is under way, or none that can be gone on with.
        """
        if self.trains(run):
            raise UserError("This run is under way", f"{run}.", "It goes on by itself.")
        resume(run).ensure_current()

    def resume(self, run: Path) -> None:
        """Go on with the run in a folder, from its newest checkpoint; its set-up, its data set and its past come first.

        To be called while nothing trains, as `set_up_like` is.

        Raises:
            UserError: this is none that can be gone on with, or its data set is not here.
        """
        found = resume(run)
        found.ensure_current()
        self._go_on(found, f"Resume {run.name}")

    def fork(self, run: Path, step: int | None = None) -> None:
        """Begin another run from the checkpoint of a step in a folder, or from its newest, towards the target that is
        set up, held or not.

        To be called while nothing trains.

        Raises:
            UserError: as of `resume`.
        """
        config = self._setup.run_config()
        found = fork(run, step, [f"hold={config.hold.model_dump_json()}"], target=config.perturbation)
        self._go_on(found, f"Begin from {run.name}")

    def _go_on(self, found: Resumption, text: str) -> None:
        self._expect(found)
        self._setup.set_config(found.config, text, found.identity.root_here(self._setup.data_root))
        if self._setup.images is None and not self._setup.reading_data:
            self._expect(None)
            raise UserError(
                "The run's data set is not here",
                dataset_spec(found.config.dataset.kind).title,
                "Load it in the set-up panel; then resume the run again.",
            )
        if not self._setup.reading_data:
            self._read_past(found)

    def set_up_like(self, run: Path) -> None:
        """Take the configuration of the run in a folder over into the set-up.

        Raises:
            UserError: the configuration cannot be read.
        """
        found = RunIdentity.read(run)
        self._setup.set_config(found.wanted, f"Set up like {run.name}", found.root_here(self._setup.data_root))
        self._log.add(f"Set up like {run.name}")

    def _expect(self, found: Resumption | None) -> None:
        """A run is to be gone on with, or none any more."""
        self._resuming = found
        self.changed.emit()

    @Slot(object)
    def _on_dataset(self, dataset: DatasetView | None) -> None:
        """The data set of the run that is to be gone on with is here by now, or will not come."""
        found = self._resuming
        if found is None:
            return
        if dataset is not None and self._setup.config.dataset == found.config.dataset:
            self._read_past(found)
        else:
            self._expect(None)

    def _read_past(self, found: Resumption) -> None:
        if found.forked:  # its past is the other run's
            self._go_on_after(found, Past())
            return
        self._reading = self._tasks.run(
            partial(read_past, found.run, found.step),
            done=lambda past: self._go_on_after(found, past),
            failed=lambda error: self._go_on_after(found, Past(), error),
            cancelled=lambda: self._give_up(found),
        )

    @Slot(object)
    def _on_config(self, config: RunConfig) -> None:
        """Other data are chosen, beside which the run is not gone on with."""
        if self._resuming is not None and config.dataset != self._resuming.config.dataset:
            self._call_off()

    def _call_off(self) -> None:
        if self._resuming is not None:
            self._give_up(self._resuming)
            if self._reading is not None:
                self._reading.cancel()

    def _give_up(self, found: Resumption) -> None:
        if self._resuming is found:
            self._log.add(f"Going on with {found.run} was cancelled")
            self._expect(None)

    def _go_on_after(self, found: Resumption, past: Past, error: UserError | None = None) -> None:
        if self._resuming is not found:
            return
        self._expect(None)
        if error is not None:  # the run will say so itself where it matters
            self._log.add_error(error, Level.WARNING)
        folder = folder_under(self._setup.runs_root, found.config) if found.forked else found.folder
        self._launch(found.config, folder, found, past)

    def _launch(
        self,
        config: RunConfig,
        folder: Callable[[], RunFolder],
        resumption: Resumption | None = None,
        past: Past | None = None,
    ) -> None:
        images, judges = self._setup.images, self._setup.judges
        assert images is not None
        assert judges is not None
        self._rates = config.model.learning_rates
        request = RunRequest(
            config=config,
            data=lambda _: images,
            folder=folder,
            measured=self._setup.measured,
            judge=(lambda: judges.here(config.evaluation.judge)) if judges.possible else None,
            resumption=resumption,
            data_root=self._setup.images_root,
        )
        intervals = QUICK_INTERVALS if images.plane is not None else DRAW_INTERVALS
        counts = dict(zip(images.class_names, images.counts.tolist(), strict=True))
        titled = partial(run_title, counts=counts, dataset=images.name)
        title = titled(config)
        if resumption is not None and not resumption.forked:
            title = summary_of(resumption.run).name  # which it may have been given
        self._runs.start(request, past or Past(), intervals, title, images.fingerprint(), titled)

    # -- what a run under way takes up of the set-up, and the set-up of it

    @property
    def model_is_live(self) -> bool:
        """Whether a run of the model that is set up is under way, so that its live settings reach it."""
        running = self._runs.config
        return (
            running is not None and self._runs.run.phase.active and running.model.kind == self._setup.config.model.kind
        )

    def send_live_settings(self) -> None:
        """Have the run take up what of the model's settings may change while it trains."""
        if not self.model_is_live:
            return
        for network, rate in self._setup.config.model.learning_rates.items():
            if rate != self._rates.get(network):
                self._rates[network] = rate
                self._runs.send(SetLearningRate(network=network, rate=rate))

    @Slot(float)
    def _on_batch_size(self, average_size: float) -> None:
        """The run has another B_avg: so has what it would be started with again."""
        self._setup.edit(batch=self._setup.config.batch.model_copy(update={"average_size": average_size}))

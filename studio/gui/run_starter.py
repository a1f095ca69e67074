"""Begins runs and goes on with those that lie in folders, whose data set and past are read first."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from studio.data.catalog import dataset_spec
from studio.errors import UserError
from studio.gui.bridge import DRAW_INTERVALS, QUICK_INTERVALS
from studio.gui.live_settings import learning_rates
from studio.gui.log_line import Level
from studio.gui.old_runs import Past, read_past
from studio.training.config import RunConfig
from studio.training.fitness import misfit
from studio.training.measured_set import CSV
from studio.training.places import made_absolute
from studio.training.resumption import Resumption, resume
from studio.training.run_folder import RunFolder
from studio.training.session import RunRequest, folder_under

if TYPE_CHECKING:
    from studio.gui.workbench import Workbench


class RunStarter(QObject):
    """Starts one run at a time.

    Args:
        bench: whose set-up and data set are trained on.
    """

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench)
        self._bench = bench
        self._rates: dict[str, float] = {}  # of the run under way, by network
        self._resuming: Resumption | None = None  # while its data set and its past are read
        bench.runs.batch_size_applied.connect(self._on_batch_size)

    @property
    def busy(self) -> bool:
        """What a run has behind it is being read."""
        return self._resuming is not None

    def start(self) -> None:
        """Train what is set up, from the beginning."""
        bench = self._bench
        reason = bench.start_blocked
        if reason:
            bench.log.add(reason, Level.WARNING)
            return
        assert bench.images is not None
        error = misfit(bench.config.model, planar=bench.images.plane is not None)
        if error is not None:
            bench.edit_rejected.emit(error)
            bench.log.add_error(error)
            return
        # A file may have been edited since its column was read.
        bench.energies.reload(name for name in bench.target.perturbation.energy.names if name.startswith(CSV))
        config = made_absolute(bench.target.begin_run())
        self._launch(config, folder_under(bench.runs_root, config))

    def resume(self, run: Path, step: int | None = None) -> None:
        """Go on with the run in a folder, from its newest checkpoint; its set-up, its data set and its past come first.

        Args:
            run: the folder.
            step: of another checkpoint.

        Raises:
            UserError: a run is under way, this is none that can be gone on with, or its data set is not here.
        """
        bench = self._bench
        if bench.runs.busy or self.busy:
            raise UserError("A run is under way", "", "Stop it first; then resume another.")
        found = resume(run, step)
        found.ensure_current()
        self._resuming = found
        bench.set_config(found.config, found.identity.root_here(bench.data_root))
        if bench.reading_data:
            bench.run_changed.emit(bench.run)  # it can be called off by now
            return
        if bench.images is None:
            self.forget()
            raise UserError(
                "The run's data set is not here",
                dataset_spec(found.config.dataset.kind).title,
                "Load it in the set-up panel; then resume the run again.",
            )
        self.go_on()

    def forget(self) -> None:
        """Do not go on with the run that was to be gone on with."""
        self._resuming = None

    def call_off(self) -> None:
        """The same, as the person asked for it, while its data set or its past is read."""
        if self._resuming is not None:
            self._give_up(self._resuming)
            self._bench.looking.cancel()

    def go_on(self) -> None:
        """Read the past of the run that is to be gone on with, if there is one, now that its data set is here."""
        found = self._resuming
        if found is None:
            return
        self._bench.looking.run(
            partial(read_past, found.run, found.step),
            done=lambda past: self._go_on_after(found, past),
            failed=lambda error: self._go_on_after(found, Past(), error),
            cancelled=lambda: self._give_up(found),
        )
        self._bench.run_changed.emit(self._bench.run)  # no other can be started now

    def _give_up(self, found: Resumption) -> None:
        if self._resuming is found:
            self.forget()
            self._bench.log.add(f"Going on with {found.run} was cancelled")
            self._bench.run_changed.emit(self._bench.run)

    def _go_on_after(self, found: Resumption, past: Past, error: UserError | None = None) -> None:
        if self._resuming is not found:
            return
        self.forget()
        if error is not None:  # the run will say so itself where it matters
            self._bench.log.add_error(error, Level.WARNING)
        self._bench.target.begin_run(found.revision)
        self._launch(found.config, found.folder, found, past)

    def _launch(
        self,
        config: RunConfig,
        folder: Callable[[], RunFolder],
        resumption: Resumption | None = None,
        past: Past | None = None,
    ) -> None:
        bench, images, past = self._bench, self._bench.images, past or Past()
        assert images is not None
        bench.running = config
        self._rates = learning_rates(config.model)
        judges = bench.energies.judges
        assert judges is not None
        bench.evaluations.begin_run(judges, config.evaluation, past.evaluations, past.latest)
        request = RunRequest(
            config=config,
            data=lambda _: images,
            folder=folder,
            measured=bench.energies.measured,
            judge=(lambda: judges.here(config.evaluation.judge)) if judges.possible else None,
            resumption=resumption,
            data_root=bench.images_root,
        )
        intervals = QUICK_INTERVALS if images.plane is not None else DRAW_INTERVALS
        bench.runs.start(request, intervals, past.history)
        bench.target.refresh()

    # -- what a run under way takes up of the set-up, and the set-up of it

    @property
    def model_is_live(self) -> bool:
        """Whether a run of the model that is set up is under way, so that its live settings reach it."""
        running = self._bench.running
        active = running is not None and self._bench.run.phase.active
        return active and running is not None and running.model.kind == self._bench.config.model.kind

    def send_live_settings(self) -> None:
        """Have the run take up what of the model's settings may change while it trains."""
        if not self.model_is_live:
            return
        for network, rate in learning_rates(self._bench.config.model).items():
            if rate != self._rates.get(network):
                self._rates[network] = rate
                self._bench.runs.set_learning_rate(network, rate)

    @Slot(float)
    def _on_batch_size(self, average_size: float) -> None:
        """The run has another B_avg: so has what it would be started with again."""
        bench = self._bench
        if bench.running is not None:
            bench.running = _with_batch_size(bench.running, average_size)
        bench.edit(batch=_with_batch_size(bench.config, average_size).batch)


def _with_batch_size(config: RunConfig, average_size: float) -> RunConfig:
    return config.model_copy(update={"batch": config.batch.model_copy(update={"average_size": average_size})})

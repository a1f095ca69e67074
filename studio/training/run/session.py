"""A run in its own thread, and the handle by which it is watched and steered.

The one boundary that turns what goes wrong into an event: a `UserError` into its message, a bug into its traceback.
Every run ends with exactly one `Finished`.
"""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from studio.background import Background
from studio.data.example_set import ExampleSet
from studio.errors import Cancelled, UserError
from studio.paths import default_data_root
from studio.perturb.example_features import ExampleFeatures
from studio.progress import Progress
from studio.training.config.run_config import RunConfig, StopCondition
from studio.training.engine.memory import out_of_memory
from studio.training.examples.judges import Judges
from studio.training.examples.measured_set import measured_set
from studio.training.messages.commands import Command, Stop
from studio.training.messages.events import Event, Finished, Outcome, PerturbationApplied, Preparing, Remarked, Started
from studio.training.messages.mailbox import Mailbox
from studio.training.storage.fingerprints import Fingerprints, since_it_was_queued
from studio.training.storage.resumption import Resumption
from studio.training.storage.run_folder import RunFolder

if TYPE_CHECKING:
    from studio.evaluation.judge import Judge
    from studio.training.engine.trainer import Trainer
    from studio.training.run.loop import RunLoop
    from studio.training.storage.checkpoint import Notes
    from studio.training.storage.recorder import Recorder


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What to run.

    Attributes:
        data: loads the data set, or returns the one that is loaded.
        folder: makes the run folder; None leaves nothing on disk.
        measured: what is known of the examples already; None measures what is needed.
        judge: gives the data set's judge once it is trained, None before; without it nothing is evaluated.
        resumption: where the run goes on from; None begins it.
        data_root: folder of downloaded data sets, for judges of other ones; the person's own if absent.
        queued_data: what the data were when the run was queued; others are refused.
    """

    config: RunConfig
    data: Callable[[Progress], ExampleSet]
    folder: Callable[[], RunFolder] | None = None
    limit: StopCondition = field(default_factory=StopCondition)
    measured: ExampleFeatures | None = None
    judge: Callable[[], Judge | None] | None = None
    resumption: Resumption | None = None
    data_root: Path | None = None
    queued_data: Fingerprints | None = None


class RunHandle(Mailbox):
    """The watcher's end of a run under way."""

    def __init__(self, request: RunRequest) -> None:
        super().__init__()
        self._thread = Background(lambda progress: _run(request, self, progress), name="training").start()

    def send(self, command: Command) -> None:
        """Have it act between two steps; a Stop also ends the preparation."""
        if isinstance(command, Stop):
            self._thread.cancel()
        super().send(command)

    def join(self, timeout: float | None = None) -> bool:
        return self._thread.join(timeout)


def _run(request: RunRequest, mailbox: Mailbox, progress: Progress) -> None:
    outcome, error, trace = Outcome.FAILED, None, ""
    past = request.resumption
    step = past.step if past is not None and not past.forked else 0  # where it ends if it does not begin
    try:
        with ExitStack() as ending:
            loop = _prepare(request, mailbox, progress, ending)
            try:
                outcome = loop.run()
            finally:
                step = loop.trainer.step_count
    except Cancelled:
        outcome = Outcome.STOPPED
    except UserError as found:
        error = found
    except BaseException as found:
        error = out_of_memory(found, "Use a smaller batch, a smaller width, or close other programs.")
        trace = "" if error else traceback.format_exc()
    mailbox.post(Finished(outcome=outcome, step=step, error=error, traceback=trace))


def _prepare(request: RunRequest, mailbox: Mailbox, progress: Progress, ending: ExitStack) -> RunLoop:
    if request.resumption is not None:
        request.resumption.ensure_current()  # before much is done in vain
    mailbox.post(Preparing(text="Loading torch"))
    from studio.training.analysis.evaluator import Evaluator
    from studio.training.engine.threads import ThreadGuard, use_threads, useful_threads
    from studio.training.run.loop import RunLoop

    mailbox.post(Preparing(text="Reading the data set"))
    data = request.data(progress)
    progress.check()
    if request.resumption is not None:
        request.resumption.data.ensure_data(data)  # before any is measured; `load_into` sees to the rest
    if request.queued_data is not None:
        with since_it_was_queued():
            request.queued_data.ensure_data(data)
    threads = use_threads(request.config.threads or useful_threads(math.prod(data.image_shape)))
    trainer = _build(request, data, mailbox, progress)
    if request.queued_data is not None:
        with since_it_was_queued():
            request.queued_data.ensure_columns(trainer.measured, trainer.perturbation.energy)
    notes = None
    if request.resumption is not None:
        mailbox.post(Preparing(text=f"Going on from step {request.resumption.step:,}"))
        notes = request.resumption.load_into(trainer)
    judge = request.judge
    if request.config.hold.on:
        judge = _judge_to_hold(request, data, mailbox, progress)
    # The last moment to give up without a trace: from here on there is a folder, and a Stop saves into it.
    progress.check()
    recorder = _begin(request, trainer, threads, notes, mailbox, ending)
    evaluator = Evaluator(trainer, judge) if judge is not None else None
    # A number that the person has set stays, and a GPU waits for no thread.
    guarded = threads if trainer.device.type == "cpu" and not request.config.threads else 1
    guard, seconds = ThreadGuard(guarded, use_threads), notes.seconds if notes else 0.0
    return RunLoop(trainer, mailbox, recorder, request.limit, evaluator, guard, seconds)


def _build(request: RunRequest, data: ExampleSet, mailbox: Mailbox, progress: Progress) -> Trainer:
    from studio.training.engine.devices import resolve_device
    from studio.training.engine.trainer import Trainer

    device = resolve_device(request.config.device)
    mailbox.post(Preparing(text="Building the model"))
    measured = request.measured or measured_set(data, Judges(data, request.data_root or default_data_root()))
    _measure(request.config, data, measured, mailbox, progress)
    return Trainer(request.config, data, device=device, measured=measured)


def _begin(
    request: RunRequest, trainer: Trainer, threads: int, notes: Notes | None, mailbox: Mailbox, ending: ExitStack
) -> Recorder | None:
    """Make the run's folder, if it has one, and tell that the first step is next."""
    from studio.training.storage.recorder import Recorder

    folder = request.folder() if request.folder is not None else None
    if folder is not None:
        ending.callback(folder.release)
    events: list[Event] = [
        Started(
            device=str(trainer.device),
            threads=threads,
            parameters=trainer.parameter_count,
            folder=folder.path if folder else None,
            step=trainer.step_count,
        ),
        *(Remarked(text=remark) for remark in trainer.remarks),
    ]
    recorder = Recorder(folder, trainer, notes, request.data_root, request.limit) if folder else None
    resumption = request.resumption
    if recorder is not None:
        ending.callback(recorder.release)
        if resumption is not None and resumption.retargeted and not resumption.forked:
            events.append(PerturbationApplied(step=trainer.step_count, revision=resumption.revision))
    for event in events:
        mailbox.post(event)
        if recorder is not None:
            recorder.hear(event)
    return recorder


def _measure(
    config: RunConfig, data: ExampleSet, measured: ExampleFeatures, mailbox: Mailbox, progress: Progress
) -> None:
    """Have what the energy needs of the examples, saying how far it is; what cannot be had the trainer refuses."""
    with suppress(UserError):
        names = config.perturbation.resolve(data.class_names).energy.names
        measured.prepare(names, _telling(mailbox, progress))


def _judge_to_hold(
    request: RunRequest, data: ExampleSet, mailbox: Mailbox, progress: Progress
) -> Callable[[], Judge | None]:
    """The judge by whose eyes shares are held; a run whose looks are at fixed steps cannot wait for it on its way.
    Raises UserError if there is none of these classes.
    """
    from studio.training.analysis.evaluator import cannot_hold

    here = request.judge() if request.judge is not None else None
    try:
        judges = Judges(data, request.data_root or default_data_root())
        judge = here or judges.judge(request.config.evaluation.judge, _telling(mailbox, progress))
    except UserError as error:
        raise cannot_hold(str(error)) from error
    if judge.class_names != data.class_names:
        raise cannot_hold("Its judge is of another data set, whose classes are others.")
    return lambda: judge


def _telling(mailbox: Mailbox, progress: Progress) -> Progress:
    """Tells what goes on before the first step."""
    told = ""

    def tell(text: str, fraction: float | None) -> None:
        nonlocal told
        progress.check()
        new = text if fraction is None else f"{text}: {fraction:.0%}"
        if new != told:
            told = new
            mailbox.post(Preparing(text=new))

    return Progress(tell)


def folder_for(path: Path, config: RunConfig) -> Callable[[], RunFolder]:
    """Exactly this folder, made when the run begins."""
    return lambda: RunFolder.at(path, config)


def folder_under(root: Path, config: RunConfig) -> Callable[[], RunFolder]:
    """A new folder under `root`, made when the run begins."""
    return lambda: RunFolder.create(root, config)

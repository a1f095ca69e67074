"""Training without a window: the same run, watched on a terminal or in a file."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from studio.cli.meter import Meter, say
from studio.data.catalog import load_dataset
from studio.data.example_set import ExampleSet
from studio.data.image_set import ImageSet
from studio.errors import UserError
from studio.paths import default_data_root, runs_root
from studio.progress import Progress
from studio.training.config.run_config import RunConfig, StopCondition
from studio.training.config.run_title import tilt_words
from studio.training.examples.judges import Judges
from studio.training.messages.commands import Stop
from studio.training.messages.events import (
    Event,
    Finished,
    Logged,
    Noticed,
    Outcome,
    Preparing,
    Remarked,
    Saved,
    Started,
    ThreadsChanged,
    Warned,
)
from studio.training.run.session import RunHandle, RunRequest, folder_for, folder_under
from studio.training.storage.data_paths import made_absolute
from studio.training.storage.fingerprints import Fingerprints
from studio.training.storage.resumption import Resumption
from studio.training.storage.run_folder import RunFolder
from studio.training.storage.run_identity import RunIdentity

if TYPE_CHECKING:
    from studio.evaluation.judge import Judge

_POLL_SECONDS = 0.1
_EXIT_CODES = {Outcome.COMPLETED: 0, Outcome.STOPPED: 130, Outcome.FAILED: 1}


def train(
    config: RunConfig,
    limit: StopCondition,
    *,
    data_root: Path | None,
    run_dir: Path | None,
    evaluate: Callable[[Path], None] | None = None,
    queued_data: Fingerprints | None = None,
) -> int:
    """Train until the limit or Ctrl-C, and save.

    Args:
        data_root: folder of downloaded data sets; the person's own if absent.
        run_dir: the run's folder, new or empty; a new one among the person's runs if absent.
        evaluate: called with the run's folder when the run is complete. With it the run is also evaluated within its
            budget, and what is found is kept in its folder.
        queued_data: what the data were when the run was queued; others are refused.

    Returns:
        the exit code: 0 when the run was completed, 1 after a bug, 130 when it was interrupted; it is then saved, but a
            script that wanted the whole run must not take it for one.

    Raises:
        UserError: something the person can mend ended the run.
    """
    folder = _new_folder(run_dir, config)
    return _run(config, limit, folder, data_root, evaluate=evaluate, queued_data=queued_data)


def limit_of(steps: int | None, minutes: float | None, done: int = 0, seconds: float = 0.0) -> StopCondition:
    """Up to this step, or for so many minutes after so many seconds; 1,000 steps more than are done if neither."""
    if steps is None and not minutes:
        return StopCondition(steps=done + 1000)
    return StopCondition(steps=steps, seconds=seconds + 60 * minutes if minutes else None)


def _new_folder(run_dir: Path | None, config: RunConfig) -> Callable[[], RunFolder]:
    return folder_for(run_dir, config) if run_dir else folder_under(runs_root(), config)


def go_on(
    resumption: Resumption,
    steps: int | None,
    minutes: float | None,
    *,
    data_root: Path | None,
    run_dir: Path | None,
    evaluate: Callable[[Path], None] | None = None,
) -> int:
    """Go on from a checkpoint, up to a step of the run or for some minutes; 1,000 further steps if nothing is said.

    Else as `train`; what is not forked stays in its own folder. UserError, too, if the run is beyond `steps` already.
    """
    if steps is not None and steps <= resumption.step:
        raise UserError(
            f"The run is at step {resumption.step:,} already", "", f"Say --steps {resumption.step + 1000} or more."
        )
    limit = limit_of(steps, minutes, resumption.step, resumption.seconds)
    config = resumption.config
    folder = _new_folder(run_dir, config) if resumption.forked else resumption.folder
    return _run(config, limit, folder, data_root, resumption, evaluate)


def _run(
    config: RunConfig,
    limit: StopCondition,
    folder: Callable[[], RunFolder],
    data_root: Path | None,
    resumption: Resumption | None = None,
    evaluate: Callable[[Path], None] | None = None,
    queued_data: Fingerprints | None = None,
) -> int:
    config = made_absolute(config)
    found = resumption.identity if resumption is not None else None
    root = found.root(data_root) if found is not None else (data_root or default_data_root()).absolute()
    judges: list[Judge] = []

    def load(told: Progress) -> ExampleSet:
        images = found.load(root, told) if found is not None else load_dataset(config.dataset, root, told)
        _tell_left_out(images)
        if evaluate is not None:
            judges.append(_judge(config, images, root, told))
        return images

    request = RunRequest(
        config=config,
        data=load,
        folder=folder,
        limit=limit,
        judge=(lambda: judges[0] if judges else None) if evaluate is not None else None,
        resumption=resumption,
        data_root=root,
        queued_data=queued_data,
    )
    with _terminable():
        handle = RunHandle(request)
        try:
            with _Watcher(handle, limit, resumption.seconds if resumption else 0.0) as watcher:
                code = watcher.watch()
        finally:
            handle.send(Stop(insist=True))  # whatever ended the watch, nothing trains on unseen
        if code == 0 and watcher.folder is not None:
            _tell_applied(watcher.folder)
            if evaluate is not None:
                evaluate(watcher.folder)
    return code


@contextmanager
def _terminable() -> Iterator[None]:
    """Take a request to end, as batch systems and shutdowns send it, for a Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _judge(config: RunConfig, images: ExampleSet, data_root: Path, progress: Progress) -> Judge:
    """The judge that the run asks for, trained before anything else if there is none yet."""
    if not isinstance(images, ImageSet):
        raise UserError(
            "Only images can be judged",
            f"{images.name} has {images.noun}.",
            "Train without --evaluate: the run's own metrics say how far points are from their target.",
        )
    say("Training the judge, unless it is kept from before")
    return Judges(images, data_root).judge(config.evaluation.judge, progress)


def _tell_applied(run: Path) -> None:
    """Say what holding made of the target, if anything."""
    found = RunIdentity.read(run)
    if found.applied != found.target:
        say(f"ΔH as applied, to hold the shares: {tilt_words(found.applied)}; asked for: {tilt_words(found.target)}")


def _tell_left_out(images: ExampleSet) -> None:
    """Say above the bar what was left out of a data set."""
    for line in images.report.lines():
        say(line)


class _Watcher:
    """Shows how far a run is, after so many seconds before; Ctrl-C or SIGTERM stops it well, a second one gives up."""

    def __init__(self, handle: RunHandle, limit: StopCondition, spent: float = 0.0) -> None:
        self._handle = handle
        self._limit = limit
        self._problem: UserError | None = None
        self.folder: Path | None = None
        self._spent = spent
        self._seconds = round(limit.seconds or 0)
        self._meter = Meter(self._seconds, "s") if limit.steps is None else Meter(limit.steps, "steps")

    def watch(self) -> int:
        finished = None
        interrupted = False
        while finished is None:
            try:
                self._handle.join(_POLL_SECONDS)
                finished = self._drain()
            except KeyboardInterrupt:
                if interrupted:
                    raise
                interrupted = True
                say("Finishing the step under way and saving; press Ctrl-C again to give up.")
                self._handle.send(Stop())
        self._handle.join()
        self._meter.close()  # before what went wrong, which then has the last word
        return self._conclude(finished)

    def __enter__(self) -> _Watcher:
        return self

    def __exit__(self, *_: object) -> None:
        self._meter.close()

    def _drain(self) -> Finished | None:
        events, _ = self._handle.events()
        snapshot = self._handle.take_snapshot()  # after the events: once Finished is there, so is the last snapshot
        finished = None
        for event in events:
            self._show(event)
            if isinstance(event, Finished):
                finished = event
        if snapshot is not None:
            self._meter.reach(self._done(snapshot.step, snapshot.seconds))
        return finished

    def _done(self, step: int, seconds: float) -> int:
        return step if self._limit.steps is not None else min(round(seconds), self._seconds)

    def _show(self, event: Event) -> None:
        match event:
            case Preparing(text=text):
                self._meter.doing(text)
            case Started(device=device, threads=threads, parameters=parameters, folder=folder, step=step):
                self.folder = folder
                self._meter.doing("Training")
                self._meter.begin(self._done(step, self._spent))
                by = f"{threads} thread{'s' * (threads != 1)}"
                say(f"{parameters:,} parameters on {device}, {by}; run folder {folder}")
            case Remarked(text=text):
                say(text)
            case Logged(step=step, values=values):
                told = [f"{name} {value:.3g}" for name, value in values.items() if name.startswith("loss_")]
                if self._limit.steps is None:
                    told.insert(0, f"step {step:,}")
                self._meter.doing("Training", ", ".join(told))
            case Warned(error=error, unsaved=unsaved):
                # Nobody is there to mend it while the run waits, so it ends, with what can be saved.
                self._problem = error
                self._handle.send(Stop(insist=unsaved))
            case ThreadsChanged(step=step, threads=threads):
                say(f"Step {step:,}: {threads} threads, as other programs leave room")
            case Noticed(step=step, error=error):
                say(f"Step {step:,}: {error}")
            case Saved(path=path):
                say(f"Saved to {path}")
            case _:
                pass

    def _conclude(self, finished: Finished) -> int:
        if finished.error is not None:
            raise finished.error
        if finished.traceback:
            say(finished.traceback)
            return 1
        if self._problem is not None:
            raise self._problem
        return _EXIT_CODES[finished.outcome]

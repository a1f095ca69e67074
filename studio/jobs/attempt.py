"""One try at a job, and who makes it: a process of this machine, or a worker somewhere else.

Whoever it is runs the same ``studio`` command on the same configuration into the same run folder, so a runner need not
know where.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import IO, Protocol

from studio.errors import UserError
from studio.jobs.job import Job
from studio.training.config.run_config import RunConfig
from studio.training.storage.resumption import resume

INTERRUPTED = 130
"""Exit code of a command that Ctrl-C ended: its run is saved."""

_LEAST_SECONDS = 0.1
_LONGEST_ERROR = 300


class Outcome(Enum):
    """How a try ended; after LOST nobody knows more than that its worker is gone."""

    COMPLETED = auto()
    INTERRUPTED = auto()
    FAILED = auto()
    LOST = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """The end of a try, with what went wrong, a line; empty if nothing did."""

    outcome: Outcome
    error: str = ""


class Attempt(Protocol):
    """A try under way."""

    @property
    def pid(self) -> int:
        """A process of this machine that lives as long as the try does."""

    def ending(self, patience: float = 0.0) -> Ending | None:
        """How it ended; None if it has not within so many seconds."""

    def interrupt(self) -> None:
        """What Ctrl-C does: the run finishes its step and saves."""


class Workers(Protocol):
    """Those who try."""

    def start(self, job: Job, config: Path) -> Attempt:
        """Begin a job, or go on with it, by its configuration's file; raises UserError if nobody can take it."""

    def close(self) -> None:
        """Nobody is needed any more."""


def command_of(job: Job, config: Path, data_root: Path | None) -> Sequence[str]:
    """Arguments of the ``studio`` command that has the run begin, or go on from its last checkpoint.

    Images are evaluated on the way and at the end, unless the configuration leaves no time for it; at the end alone
    where the run has got there already.
    """
    root = ["--data-root", str(data_root.absolute())] if data_root else []
    wanted = RunConfig.model_validate_json(job.config)
    judged = wanted.dataset.judged and wanted.evaluation.budget > 0
    more = [*root, *(["--evaluate"] if judged else [])]
    steps = ["--steps", str(job.limit.steps)]
    seconds = job.limit.seconds or 0.0
    try:
        found = resume(job.folder)
    except UserError:
        length = steps if job.limit.steps is not None else ["--minutes", repr(seconds / 60)]
        noted = ["--queued-data", str(noted_of(config))] if job.data else []
        return ["train", str(config), *length, "--run-dir", str(job.folder), *noted, *more]
    if judged and job.limit.steps is not None and found.step >= job.limit.steps:
        told = ["--count", str(wanted.evaluation.samples), "--json", str(job.folder / "evaluation.json")]
        return ["evaluate", str(job.folder), *told, *root]
    left = max(seconds - found.seconds, _LEAST_SECONDS)
    length = steps if job.limit.steps is not None else ["--minutes", repr(left / 60)]
    return ["resume", str(job.folder), *length, *more]


def noted_of(config: Path) -> Path:
    """The file with the fingerprints of a job's data, beside that of its configuration."""
    return config.with_suffix(".data.json")


def ending_of(code: int, said: str) -> Ending:
    """What an exit code and a command's standard error come to."""
    if code == 0:
        return Ending(outcome=Outcome.COMPLETED)
    if code in (INTERRUPTED, -signal.SIGTERM):  # the latter before the command had got to where it heeds it
        return Ending(outcome=Outcome.INTERRUPTED)
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    error = lines[-1].removeprefix("studio: ")[:_LONGEST_ERROR] if lines else f"exit code {code}"
    return Ending(outcome=Outcome.FAILED, error=error)


class LocalProcesses:
    """Starts them; data sets lie in `data_root`, or in the person's own folder if absent."""

    def __init__(self, data_root: Path | None = None) -> None:
        self._data_root = data_root

    def command(self, job: Job, config: Path) -> Sequence[str]:
        return [sys.executable, "-m", "studio", *command_of(job, config, self._data_root)]

    def start(self, job: Job, config: Path) -> LocalProcess:
        return LocalProcess(self.command(job, config))

    def close(self) -> None:
        """Nothing is held: what still runs ends by itself."""


class LocalProcess:
    """A process of this machine, ``python -m studio``."""

    def __init__(self, command: Sequence[str]) -> None:
        self._output: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the process has ended
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._output,
            start_new_session=os.name == "posix",  # a Ctrl-C in the terminal is the runner's to pass on
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def ending(self, patience: float = 0.0) -> Ending | None:
        """How it ended; None if it has not within so many seconds."""
        try:
            code = self._process.wait(max(patience, 0.0))
        except subprocess.TimeoutExpired:
            return None
        self._output.seek(0)
        said = self._output.read().decode(errors="replace")
        self._output.close()
        return ending_of(code, said)

    def interrupt(self) -> None:
        """What Ctrl-C does.

        By the signal to terminate, which the command takes for the same: Ctrl-C's own is ignored by all that descends
        from a shell's command in the background.
        """
        self._process.terminate()

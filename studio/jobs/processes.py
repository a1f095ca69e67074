"""Processes of this machine that try jobs, each ``python -m studio``."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from studio.jobs.attempt import Ending, command_of, ending_of
from studio.jobs.job import Job


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
    """One of them."""

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

"""Keeps the computer awake while jobs run, so that a queue is through in the morning; the screen may go dark.

Each system has a way of its own: a program that holds off sleep as long as another process lives, or a call. Where
there is none, nothing happens: the queue goes on when the computer wakes up.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

_WINDOWS_SYSTEM_REQUIRED, _WINDOWS_UNTIL_TOLD = 0x1, 0x80000000


class Awake:
    """Nothing at first."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._kept = False

    def keep(self) -> None:
        """Hold off sleep from now on; once is enough."""
        if self._kept:
            return
        self._kept = True
        command = command_for(sys.platform, os.getpid())
        if command:
            quiet = subprocess.DEVNULL
            self._process = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet)
        _tell_windows(_WINDOWS_UNTIL_TOLD | _WINDOWS_SYSTEM_REQUIRED)

    def let_sleep(self) -> None:
        """Let the computer sleep as ever."""
        if not self._kept:
            return
        self._kept = False
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None
        _tell_windows(_WINDOWS_UNTIL_TOLD)


def command_for(platform: str, pid: int) -> Sequence[str]:
    """A program that holds off sleep as long as a process lives, with its arguments; empty where there is none."""
    if platform == "darwin":
        command = ["caffeinate", "-i", "-w", str(pid)]
    else:
        command = ["systemd-inhibit", "--what=sleep:idle", "--who=Perturbation Studio", "--why=Runs are being trained"]
        command += ["tail", f"--pid={pid}", "-f", "/dev/null"]
    return command if shutil.which(command[0]) else ()


def _tell_windows(state: int) -> None:
    if sys.platform == "win32":
        import ctypes

        ctypes.windll.kernel32.SetThreadExecutionState(state)

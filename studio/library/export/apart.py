"""An export in a process of its own, which is `studio export`; it can be called off at any moment."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from studio.errors import UserError
from studio.library.export.formats import ExportFormat
from studio.library.export.options import ExportOptions
from studio.progress import Progress

_POLL_SECONDS = 0.1
_CALLED_OFF_SECONDS = 10.0


def write_apart(kind: ExportFormat, folder: Path, out: Path, options: ExportOptions, progress: Progress) -> str:
    """Do it, wait for it, and return what was written; if it failed, UserError with what the process said last."""
    raw = [] if options.averaged else ["--raw"]
    command = [sys.executable, "-m", "studio", "export", str(folder), f"--{kind.name}", str(out), *raw]
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as faults:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=faults)
        try:
            while True:
                progress.report("Exporting the model")
                try:
                    process.wait(_POLL_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    continue
        finally:
            if process.poll() is None:
                process.kill()
                process.wait(_CALLED_OFF_SECONDS)
        for file in (said, faults):
            file.seek(0)
        if process.returncode:
            fault = _last_line(faults.read()).removeprefix("studio: ")
            raise UserError("The export failed", fault or f"Exit code {process.returncode}.")
        return _last_line(said.read()).removesuffix(f" in {out}")


def _last_line(text: bytes) -> str:
    lines = [line.strip() for line in text.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else ""

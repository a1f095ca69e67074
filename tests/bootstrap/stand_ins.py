"""Stand-ins for the programs that the set-up calls."""

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYTHON = getattr(sys, "_base_executable", sys.executable)  # one for which nothing is installed
posix_only = pytest.mark.skipif(os.name == "nt", reason="the stand-ins are shell scripts")
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux leaves Qt's libraries to the system")


def script(path: Path, text: str) -> Path:
    """An executable file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path

"""A run that is killed while it writes loses nothing that was on disk, and opens."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sizes import sizes


@sizes(40, 240)
@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks a child for each kill")
def test_that_no_kill_loses_what_was_on_disk(count: int, capsys: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, "-m", "tests.training.kill", str(count)]
    done = subprocess.run(command, cwd=Path(__file__).parents[3], capture_output=True, text=True, check=False)
    with capsys.disabled():
        print("\n" + done.stdout + done.stderr)
    assert done.returncode == 0
    assert f"{count} kills" in done.stdout

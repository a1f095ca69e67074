"""What comes of output that nobody can take."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from studio.cli.main import main
from studio.cli.output import NOT_WRITTEN, while_it_is_read

_FULL = Path("/dev/full")


@pytest.mark.skipif(not _FULL.exists(), reason="this system has no disk that is always full")
@pytest.mark.parametrize("command", ["presets", "models"])
def test_that_a_full_disk_under_stdout_is_told_in_a_line(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patched, _FULL.open("w") as full:
        patched.setattr("sys.stdout", full)
        assert main([command]) == NOT_WRITTEN
    assert capsys.readouterr().err == "studio: The output cannot be written: No space left on device.\n"


def test_that_what_goes_wrong_elsewhere_is_no_fault_of_the_output(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> int:
        raise OSError("elsewhere")

    with pytest.raises(OSError, match="elsewhere"):
        while_it_is_read(fail)


def test_that_a_command_runs_without_any_output(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("sys.stdout", None)
        patched.setattr("sys.stderr", None)
        assert main(["models", "--names"]) == 0
        sys.stdout.close()
        sys.stderr.close()

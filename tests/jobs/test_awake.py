"""The computer stays awake while jobs run, and sleeps as ever afterwards."""

import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from studio.jobs.awake import Awake, command_for


@pytest.fixture
def inhibitor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Programs of the systems' names that write down what they were called with and wait."""
    called = tmp_path / "called"
    lines = [
        f"#!{sys.executable}",
        "import sys, time",
        f"open({str(called)!r}, 'w').write(' '.join(sys.argv[1:]))",
        "time.sleep(60)",
    ]
    for name in ("systemd-inhibit", "caffeinate"):
        program = tmp_path / name
        program.write_text("\n".join(lines))
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return called


@pytest.mark.skipif(os.name != "posix", reason="Windows has a call for it")
def test_that_sleep_is_held_off_once_and_let_again(inhibitor: Path) -> None:
    awake = Awake()
    awake.keep()
    awake.keep()
    children = psutil.Process().children()
    deadline = time.monotonic() + 20
    while not inhibitor.exists() or not inhibitor.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert str(os.getpid()) in inhibitor.read_text()
    awake.let_sleep()
    awake.let_sleep()
    assert len(children) == 1
    assert not children[0].is_running()


@pytest.mark.parametrize(("platform", "first"), [("darwin", "caffeinate"), ("linux", "systemd-inhibit")])
@pytest.mark.usefixtures("inhibitor")
def test_that_each_system_has_its_program(platform: str, first: str) -> None:
    command = command_for(platform, 77)
    assert command[0] == first
    assert any("77" in word for word in command)


def test_that_a_system_without_one_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not command_for("linux", 77)
    awake = Awake()
    awake.keep()
    awake.let_sleep()

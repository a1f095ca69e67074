"""Whether a process still works, whatever happens to the clock meanwhile."""

import os
import subprocess
import sys

import psutil
import pytest

from studio.process import is_running, mark_of


@pytest.mark.parametrize("jump", [-3600.0, 3.0, 3600.0])
def test_that_a_process_is_known_again_after_the_clock_was_set(monkeypatch: pytest.MonkeyPatch, jump: float) -> None:
    """Linux tells a start in ticks since the machine began, which is the clock less how long it has been up."""
    mark, began = mark_of(os.getpid()), psutil.boot_time()
    monkeypatch.setattr(psutil._psplatform, "boot_time", lambda: began + jump)
    assert is_running(os.getpid(), mark)


def test_that_a_process_is_known_by_its_start_as_queues_of_before_marks_have_it() -> None:
    assert is_running(os.getpid(), psutil.Process().create_time())
    assert not is_running(os.getpid(), psutil.Process().create_time() - 60)


def test_that_another_process_of_its_number_is_not_taken_for_it() -> None:
    assert not is_running(os.getpid(), mark_of(os.getpid()) + 1)
    assert not is_running(os.getpid(), 0)


def test_that_one_that_has_ended_does_not_run() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    mark = mark_of(process.pid)
    assert is_running(process.pid, mark)
    process.communicate(b"\n")
    assert not is_running(process.pid, mark)

"""How far something is: on a terminal, and in a file, where nothing may be drawn over; and output that
nobody can take.
"""

import errno
import io
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from studio.cli.main import main
from studio.cli.meter import Meter, progress_bar, say
from studio.cli.output import NOT_WRITTEN, while_it_is_read


class Terminal(io.StringIO):
    """What a terminal is sent."""

    def isatty(self) -> bool:
        return True

    @property
    def lines(self) -> list[str]:
        """What stands on it in the end, without the empty lines."""
        shown = []
        for line in self.getvalue().split("\n"):
            screen = ""
            for piece in line.split("\r"):
                screen = piece + screen[len(piece) :]
            shown.append(screen.rstrip())
        return [line for line in shown if line]


def on_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Have stderr be one from here on; pytest would take it back after a fixture."""
    made = Terminal()
    monkeypatch.setattr("sys.stderr", made)
    return made


def test_that_a_full_disk_under_stderr_ends_no_work_but_a_reader_who_is_gone_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = on_terminal(monkeypatch)
    monkeypatch.setattr(terminal, "write", _raising(OSError(errno.ENOSPC, "No space left on device")))
    say("a line")
    monkeypatch.setattr(terminal, "write", _raising(BrokenPipeError()))
    with pytest.raises(BrokenPipeError):
        say("a line")


def _raising(error: OSError) -> Callable[[str], int]:
    def write(_: str) -> int:
        raise error

    return write


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def lines_of(err: str) -> list[str]:
    assert "\r" not in err
    return err.splitlines()


def test_that_a_file_gets_a_line_now_and_then_and_the_last(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    meter = Meter(1200, "steps", clock=clock)
    meter.doing("Training")
    meter.begin()
    for step in range(1, 1201):  # two minutes
        clock.now += 0.1
        meter.reach(step)
    meter.close()
    lines = lines_of(capsys.readouterr().err)
    assert len(lines) == 12
    assert lines[0] == "Training: 100 of 1,200 steps, 10 steps/s, 110 s left"
    assert lines[-1] == "Training: 1,200 of 1,200 steps, 10 steps/s, in 120 s"


def test_that_lines_of_a_day_are_few(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    meter = Meter(86_400, "s", clock=clock)
    meter.doing("Training")
    meter.begin()
    for second in range(86_400):
        clock.now += 1
        meter.reach(second)
    meter.close()
    assert len(lines_of(capsys.readouterr().err)) < 200


def test_that_pace_and_time_left_count_from_where_a_run_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    meter = Meter(20_000, "steps", clock=clock)
    clock.now += 3600  # the data were read
    meter.doing("Training", "loss 0.5")
    meter.begin(12_000)
    capsys.readouterr()
    clock.now += 100
    meter.reach(12_000)
    assert lines_of(capsys.readouterr().err) == []
    clock.now += 100
    meter.reach(14_000)
    (line,) = lines_of(capsys.readouterr().err)
    assert line == "Training: 14,000 of 20,000 steps, 10 steps/s, 10 min left, loss 0.5"
    clock.now += 1000
    meter.close()
    assert "1.67 steps/s, 60 min left" in capsys.readouterr().err


def test_that_a_share_is_told_with_what_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with progress_bar(clock) as progress:
        clock.now += 20
        progress.report("Drawing 20,000 samples", 0.25)
    assert lines_of(capsys.readouterr().err) == ["Drawing 20,000 samples: 25 %, 60 s left"]


@pytest.mark.parametrize(("steps", "told"), [(3, "0.3"), (999, "99.9"), (25_678, "2,568")])
def test_that_a_pace_has_three_digits_or_more(steps: int, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    meter = Meter(10**6, "steps", clock=clock)
    meter.doing("Training")
    meter.begin()
    clock.now += 10
    meter.reach(steps)
    assert f" steps, {told} steps/s, " in capsys.readouterr().err


def test_that_no_time_is_foretold_before_the_first_step(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    meter = Meter(2000, "steps", clock=clock)
    meter.doing("Training the judge")
    clock.now += 60
    meter.doing("Building the model")
    meter.begin()
    clock.now += 60
    meter.doing("Training")
    meter.close()
    assert lines_of(capsys.readouterr().err) == ["Building the model …", "Training: 0 of 2,000 steps"]


def test_that_what_is_over_at_once_leaves_no_word(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar() as progress:
        progress.report("reading", 0.5)
    Meter(5, "runs").close()
    assert capsys.readouterr().err == ""


def test_that_a_terminal_has_a_bar_that_stays_above_what_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    meter = Meter(2000, "steps")
    meter.doing("Reading the data set")
    assert "Reading the data set" in terminal.lines[-1]
    assert not re.search(r"\d:\d\d:\d\d|<", terminal.getvalue())
    meter.begin(1000)
    assert "1000/2000 [00:00<?, ? steps/s]" in terminal.lines[-1]
    say("Saved")
    meter.reach(1500)
    meter.close()
    print("studio: an error", file=terminal)
    assert terminal.lines[0] == "Saved"
    assert "1500/2000" in terminal.lines[1]
    assert terminal.lines[2] == "studio: an error"


def test_that_a_bar_that_is_given_up_before_it_begins_leaves_the_line_to_the_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = on_terminal(monkeypatch)
    meter = Meter(2000, "steps")
    meter.doing("Reading the data set")
    meter.close()
    print("studio: an error", file=terminal)
    assert terminal.lines == ["studio: an error"]


def test_that_a_bar_follows_a_stage_that_comes_after_a_quick_one(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    monkeypatch.setattr("studio.cli.meter.PATIENCE_S", 0.0)
    with progress_bar() as progress:
        progress.report("reading", 0.5)
        progress.report("training", 0.51)
        assert "training:  51%" in terminal.lines[-1]
    assert terminal.lines == []


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


def test_that_what_goes_wrong_elsewhere_is_no_fault_of_the_output() -> None:
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

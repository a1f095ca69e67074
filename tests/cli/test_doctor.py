"""What the doctor says of a machine."""

import os
from pathlib import Path

import pytest
import torch

from studio.bug_report import bug_report, versions
from studio.cli import doctor
from studio.cli.speed import Speed, speeds
from studio.training.config.run_config import Precision


def speed(threads: int, rate: float, precision: Precision = Precision.FLOAT32) -> Speed:
    return Speed(device="cpu", threads=threads, precision=precision, steps_per_second=rate)


def report(monkeypatch: pytest.MonkeyPatch, *measured: Speed, missing: dict[str, str] | None = None) -> str:
    monkeypatch.setattr(doctor, "_speeds", lambda seconds: iter(measured))
    monkeypatch.setattr(doctor, "missing_libraries", lambda: missing or {})
    return "\n".join(doctor.examine())


def test_that_a_healthy_machine_has_nothing_to_mend_and_no_private_path_is_named(
    monkeypatch: pytest.MonkeyPatch, private_home: Path
) -> None:
    told = report(monkeypatch, speed(1, 20.0), speed(2, 30.0))
    assert all(name in told for name in versions())
    assert str(private_home) not in told
    assert told.endswith("The fastest here is cpu, 2 threads, float32.")


def test_that_missing_libraries_come_with_the_line_that_installs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    told = report(monkeypatch, speed(1, 20.0), missing={"libEGL.so.1": "libegl1"})
    assert "missing: libEGL.so.1" in told
    assert "sudo apt-get install -y libegl1" in told


@pytest.mark.parametrize(
    ("measured", "advice"),
    [
        ((speed(1, 20.0), speed(2, 5.0)), "One thread is faster than more"),
        ((speed(1, 20.0), speed(2, 21.0)), "More threads gain little"),
        ((speed(2, 20.0), speed(2, 30.0, Precision.BFLOAT16)), "Leave “Precision” at auto"),
    ],
)
def test_that_what_was_measured_is_advised(
    monkeypatch: pytest.MonkeyPatch, measured: tuple[Speed, ...], advice: str
) -> None:
    assert advice in report(monkeypatch, *measured)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_that_a_folder_that_cannot_be_written_is_said(monkeypatch: pytest.MonkeyPatch, private_home: Path) -> None:
    private_home.chmod(0o500)
    try:
        assert "NOT writable" in report(monkeypatch, speed(1, 20.0))
    finally:
        private_home.chmod(0o700)


def test_that_speeds_are_measured_by_threads_and_leave_them_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.cli.speed._SIDE", 8)  # or one step takes a processor without wide vectors a second
    before = torch.get_num_threads()
    found = list(speeds("cpu", 0.05))
    assert {each.threads for each in found} == {1, before}
    assert all(each.steps_per_second > 0 for each in found)
    assert torch.get_num_threads() == before


def test_that_a_report_has_the_trace_and_no_private_path(private_home: Path) -> None:
    try:
        (private_home / "data").read_bytes()
    except OSError as error:
        told = bug_report(error)
    assert "FileNotFoundError" in told
    assert str(private_home) not in told
    assert "~/data" in told

"""What the machine must offer, and what is said where it does not."""

import ast
import subprocess
from pathlib import Path

import pytest

from studio.bootstrap import machine
from tests.bootstrap.stand_ins import PYTHON, ROOT, posix_only, script


def test_that_a_good_python_is_accepted() -> None:
    for minor in range(11, 15):
        machine.check_python((3, minor, 0), "python3")


@posix_only
def test_that_an_old_python_is_told_which_one_to_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(tmp_path / "python3.14", "#!/bin/sh\necho 'not installed by the version manager' >&2\nexit 127\n")
    script(tmp_path / "python3.12", "#!/bin/sh\nexit 0\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(machine.SetupError) as caught:
        machine.check_python((3, 9, 2), "/usr/bin/python3")
    assert str(caught.value) == (
        "Perturbation Studio needs Python 3.11 to 3.14; this is Python 3.9.2 (/usr/bin/python3).\n"
        "python3.12 is installed: start with it instead, as in `python3.12 -m studio`."
    )


def test_that_an_old_python_alone_on_a_machine_is_told_where_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(machine.SetupError, match=r"Install one of these, .* python\.org"):
        machine.check_python((3, 15, 0), "python3")


@pytest.mark.parametrize(
    ("system_name", "cpu", "libc", "macos", "bits"),
    [
        ("Linux", "x86_64", ("glibc", "2.36"), "", 64),
        ("Linux", "aarch64", ("glibc", "2.39"), "", 64),
        ("Darwin", "arm64", ("", ""), "14.5", 64),
        ("Windows", "AMD64", ("", ""), "", 64),
    ],
)
def test_that_supported_platforms_pass(
    system_name: str, cpu: str, libc: tuple[str, str], macos: str, bits: int
) -> None:
    machine.check_platform(system_name, cpu, libc, macos, bits)


@pytest.mark.parametrize(
    ("system_name", "cpu", "libc", "macos", "bits", "reason"),
    [
        ("Linux", "x86_64", ("glibc", "2.31"), "", 64, "its glibc is 2.31"),
        ("Linux", "aarch64", ("glibc", "2.36"), "", 64, "its glibc is 2.36"),
        ("Linux", "x86_64", ("", ""), "", 64, "not glibc"),
        ("Linux", "riscv64", ("glibc", "2.40"), "", 64, "this processor is riscv64"),
        ("Linux", "x86_64", ("glibc", "2.36"), "", 32, "32-bit"),
        ("Darwin", "x86_64", ("", ""), "14.5", 64, "macOS 14.5 on x86_64"),
        ("Darwin", "arm64", ("", ""), "13.6", 64, "macOS 13.6 on arm64"),
        ("Windows", "ARM64", ("", ""), "", 64, "Windows on ARM64"),
        ("FreeBSD", "amd64", ("", ""), "", 64, "this is FreeBSD"),
    ],
)
def test_that_other_platforms_are_refused_with_the_reason(
    system_name: str, cpu: str, libc: tuple[str, str], macos: str, bits: int, reason: str
) -> None:
    with pytest.raises(machine.SetupError, match=reason):
        machine.check_platform(system_name, cpu, libc, macos, bits)


def test_that_a_full_disk_is_refused_before_anything_is_downloaded(tmp_path: Path) -> None:
    machine.check_disk([tmp_path / "not" / "there" / "yet"], needed_gb=0.0)
    with pytest.raises(machine.SetupError, match=r"Not enough disk space: .* about 1e\+09 GB are needed.\nFree some"):
        machine.check_disk([tmp_path / "not" / "there" / "yet"], needed_gb=1e9)


def test_that_a_python_too_old_can_read_what_runs_first() -> None:
    files = [
        ROOT / name for name in ("studio/__init__.py", "studio/__main__.py", "tests/__init__.py", "tests/__main__.py")
    ]
    for path in files + sorted((ROOT / "studio" / "bootstrap").glob("*.py")):
        ast.parse(path.read_text(encoding="utf-8"), str(path), feature_version=(3, 8))


def test_that_the_set_up_needs_the_standard_library_alone() -> None:
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import studio.__main__, studio.bootstrap.environment"
    subprocess.run([PYTHON, "-I", "-S", "-c", code], check=True)

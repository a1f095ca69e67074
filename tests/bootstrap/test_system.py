"""Packages of the system: which are missing, how they come in, and what the installers trust."""

import os
from pathlib import Path

import pytest

from studio.bootstrap import machine, system
from tests.bootstrap.stand_ins import linux_only, posix_only, script


@linux_only
def test_that_a_library_that_does_not_load_is_found_missing() -> None:
    libraries = {"libc.so.6": "libc6", "libnowhere.so.9": "libnowhere9"}
    assert system.missing_libraries(libraries) == {"libnowhere.so.9": "libnowhere9"}


@pytest.fixture
def fake_apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only command on PATH is an apt-get that writes down its arguments; the file it writes to."""
    record = tmp_path / "apt-record"
    script(tmp_path / "apt" / "apt-get", f'#!/bin/sh\necho "$@" >> "{record}"\n')
    monkeypatch.setenv("PATH", str(tmp_path / "apt"))
    return record


@posix_only
def test_that_without_root_the_one_exact_line_is_printed(fake_apt: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    missing = {**system.LIBRARIES, "ensurepip": "python3-venv"}
    with pytest.raises(machine.SetupError) as caught:
        system.add_system_packages(missing)
    assert str(caught.value).splitlines()[-1].strip() == (
        "sudo apt-get install -y libdbus-1-3 libegl1 libfontconfig1 libgl1 libglib2.0-0 libwayland-cursor0 "
        "libwayland-egl1 libx11-xcb1 libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 "
        "libxcb-render-util0 libxcb-render0 libxcb-shape0 libxcb-shm0 libxcb-sync1 libxcb-xfixes0 libxcb-xkb1 "
        "libxkbcommon-x11-0 libxkbcommon0 python3-venv"
    )
    assert not fake_apt.exists()


@posix_only
def test_that_only_what_is_missing_is_named(fake_apt: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(machine.SetupError, match=r"\n\n  sudo apt-get install -y libegl1\n$"):
        system.add_system_packages({"libEGL.so.1": "libegl1"})


@posix_only
def test_that_as_root_the_packages_are_installed(
    fake_apt: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    system.add_system_packages({"libc.so.6": "libc6", "ensurepip": "python3-venv"})
    assert fake_apt.read_text().splitlines() == [
        "update -q",
        "install -y libc6 python3-venv --no-install-recommends -q",
    ]
    assert "apt-get install -y libc6 python3-venv" in capsys.readouterr().err


@posix_only
@linux_only
def test_that_a_library_still_missing_after_apt_is_an_error(fake_apt: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(machine.SetupError, match=r"missing even now: libnowhere\.so\.9"):
        system.add_system_packages({"libnowhere.so.9": "libnowhere9"})


def test_that_a_system_without_apt_is_told_the_libraries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(machine.SetupError, match=r"are missing: libEGL\.so\.1, libGL\.so\.1\."):
        system.add_system_packages({"libGL.so.1": "libgl1", "libEGL.so.1": "libegl1"})


def test_that_nothing_missing_asks_for_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    system.add_system_packages({})


def test_that_installers_trust_the_system_s_certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = tmp_path / "bundle.crt"
    bundle.write_text("")
    monkeypatch.setattr(system, "CERTIFICATES", (str(bundle),))
    monkeypatch.setattr("ssl.get_default_verify_paths", lambda: type("Paths", (), {"cafile": None}))
    chosen = system.environment_for_steps({})
    assert (chosen["UV_SYSTEM_CERTS"], chosen["PIP_CERT"]) == ("1", str(bundle))
    assert system.environment_for_steps({"UV_SYSTEM_CERTS": "0"})["UV_SYSTEM_CERTS"] == "0"


def test_that_without_certificates_installers_keep_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "CERTIFICATES", ())
    monkeypatch.setattr("ssl.get_default_verify_paths", lambda: type("Paths", (), {"cafile": None}))
    assert "UV_SYSTEM_CERTS" not in system.environment_for_steps({})

"""The virtual environment: whether it is complete, and making it so from ``requirements.lock``."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from studio.bootstrap.machine import NEWEST, OLDEST, SetupError, check_machine, dotted, download_folder, numbers, say
from studio.bootstrap.system import add_system_packages, missing_libraries, missing_venv_package, run

LINUX = sys.platform == "linux"  # PyPI's torch for Linux carries CUDA
DOWNLOAD_GB = 3.0 if LINUX else 0.5
NEEDED_GB = 7.7 if LINUX else 3.2  # measured on Debian 12: 6.8, of which 0.4 are packages of the system


def python_of(venv: Path) -> Path:
    """The environment's interpreter."""
    return venv / "Scripts" / "python.exe" if sys.platform == "win32" else venv / "bin" / "python"


def stamp_of(venv: Path) -> Path:
    """The file that says which lock was installed, completely."""
    return venv / ".perturbation-studio"


def digest(lock: Path) -> str:
    """Hash of the lock: what the stamp holds."""
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def is_ready(venv: Path, lock: Path) -> bool:
    """Whether an installation from this very lock was completed and its interpreter is still there."""
    try:
        return stamp_of(venv).read_text() == digest(lock) and python_of(venv).exists()
    except OSError:
        return False


def install(venv: Path, lock: Path) -> None:
    """Make the environment, or mend it: packages come and change, none is removed.

    The stamp goes first and comes last, so a set-up that was cut short leaves none and the next start mends it.
    """
    from tempfile import TemporaryDirectory

    version = version_of(venv)
    if version is None:
        check_machine([venv, download_folder()], NEEDED_GB)
    elif not OLDEST <= version[:2] <= NEWEST:
        raise SetupError(
            f"{venv} is an environment of Python {dotted(version)}; the studio needs {dotted(OLDEST)} to "
            f"{dotted(NEWEST)}.\nMove it away and start again."
        )
    uv = find_uv(venv)
    add_system_packages({**missing_libraries(), **({} if uv else missing_venv_package())})
    say(
        f"Setting up Perturbation Studio in {venv}: up to {DOWNLOAD_GB:g} GB to download, this once. "
        "Ctrl-C stops it; the next start goes on."
    )
    with TemporaryDirectory() as folder:
        installer, packages = Path(folder) / "installer.txt", Path(folder) / "packages.txt"
        for path, text in zip((installer, packages), split_lock(lock.read_text())):
            path.write_text(text)
        if version is None:
            make_environment(venv)
        elif stamp_of(venv).exists():
            stamp_of(venv).unlink()
        options = ["--python", str(python_of(venv)), "--require-hashes", "--no-build"]
        uv = uv or install_uv(venv, installer)
        run([uv, "pip", "install", *options, "-r", str(packages)], "The packages could not be installed")
    write_stamp(venv, digest(lock))


def split_lock(text: str) -> tuple[str, str]:
    """The lock's lines for uv, which pip installs where there is none, and its lines for everything else."""
    installer: list[str] = []
    rest: list[str] = []
    part = rest
    for line in text.splitlines(keepends=True):
        if not line[:1].isspace():
            part = installer if line.startswith("uv==") else rest
        part.append(line)
    return "".join(installer), "".join(rest)


def version_of(venv: Path) -> tuple[int, ...] | None:
    """Version of the environment's Python, or None where none starts."""
    import subprocess

    command = [str(python_of(venv)), "-c", "import sys; print('.'.join(map(str, sys.version_info[:3])))"]
    try:
        return numbers(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())
    except (OSError, subprocess.CalledProcessError):
        return None


def make_environment(venv: Path) -> None:
    """A fresh environment, without pip. One whose interpreter is gone is made anew; any other folder is left alone."""
    half_made = {"bin", "include", "lib", "lib64", "Include", "Lib", "Scripts"}
    strange = venv.exists() and not (venv / "pyvenv.cfg").is_file()
    if strange and (not venv.is_dir() or {entry.name for entry in venv.iterdir()} - half_made):
        raise SetupError(f"{venv} exists and is no Python environment.\nMove it away and start again.")
    command = [sys.executable, "-m", "venv", "--without-pip", "--clear", str(venv)]
    run(command, f"The environment {venv} could not be made")


def find_uv(venv: Path) -> str | None:
    """A uv that starts: from PATH, or the one that an earlier set-up left in the environment."""
    import subprocess
    from shutil import which

    for candidate in (which("uv"), which("uv", path=str(python_of(venv).parent))):
        if candidate and subprocess.run([candidate, "--version"], capture_output=True, check=False).returncode == 0:
            return candidate
    return None


def install_uv(venv: Path, requirements: Path) -> str:
    """Put the lock's uv into the environment, by pip."""
    python = str(python_of(venv))
    run([python, "-m", "ensurepip"], "pip could not be set up", quiet=True)
    options = ["--quiet", "--disable-pip-version-check", "--root-user-action=ignore", "--require-hashes", "--no-deps"]
    run([python, "-m", "pip", "install", *options, "-r", str(requirements)], "uv could not be installed")
    uv = find_uv(venv)
    if uv is None:
        raise SetupError(
            "uv was installed but does not start.\nInstall uv yourself, so that PATH has it, and start again."
        )
    return uv


def write_stamp(venv: Path, text: str) -> None:
    """Whole or not at all."""
    draft = stamp_of(venv).with_suffix(".new")
    draft.write_text(text)
    os.replace(str(draft), str(stamp_of(venv)))


@contextmanager
def only_one_start(venv: Path) -> Iterator[None]:
    """One set-up of this environment at a time; the system lifts the lock when its holder ends, however that ends."""
    import time

    path = venv.with_name(venv.name + ".lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = path.open("a+")
    except OSError as error:
        raise SetupError(
            f"The environment {venv} cannot be made: {error.strerror}.\n"
            "Name a folder that can be written to in PERTURBATION_STUDIO_VENV and start again."
        ) from None
    with handle:
        if not try_lock(handle.fileno()):
            say("Another start is setting things up; waiting for it to finish …")
            while not try_lock(handle.fileno()):
                time.sleep(0.2)
        yield


def try_lock(descriptor: int) -> bool:
    """Take the lock, or say that another has it; where files cannot be locked at all, there is nothing to wait for."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return True
    return True

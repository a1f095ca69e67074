"""What the machine must offer before gigabytes are on their way: a Python, a platform and disk space."""

from __future__ import annotations

import os
import sys
from pathlib import Path

# The Pythons and systems for which every package in the lock has a wheel; `uv pip install --dry-run --no-build
# --python-version … --python-platform …` tells when a new lock moves these.
OLDEST, NEWEST = (3, 11), (3, 14)
OLDEST_GLIBC = {"x86_64": (2, 34), "aarch64": (2, 39)}
OLDEST_MACOS = (14,)


class SetupError(Exception):
    """What stands in the way, and what to do next."""


def say(text: str) -> None:
    """Tell the person; stdout belongs to the program."""
    print(text, file=sys.stderr, flush=True)


def check_machine(folders: list[Path], needed_gb: float) -> None:
    """Look at Python, platform, and disk space in these folders; raises SetupError for the first that will not do."""
    import platform

    check_python(tuple(sys.version_info[:3]), sys.executable)
    bits = 64 if sys.maxsize > 2**32 else 32
    check_platform(platform.system(), platform.machine(), platform.libc_ver(), platform.mac_ver()[0], bits)
    check_disk(folders, needed_gb)


def check_python(version: tuple[int, ...], executable: str) -> None:
    """Refuse a Python for which there are no packages, and name one that will do if this machine has it."""
    if OLDEST <= version[:2] <= NEWEST:
        return
    better = next((name for name in python_names() if starts(name)), None)
    advice = (
        f"{better} is installed: start with it instead, as in `{better} -m studio`."
        if better
        else "Install one of these, from your system's packages or from python.org, and start again with it."
    )
    raise SetupError(
        f"Perturbation Studio needs Python {dotted(OLDEST)} to {dotted(NEWEST)}; this is Python {dotted(version)} "
        f"({executable}).\n{advice}"
    )


def python_names() -> list[str]:
    """Commands that may be a Python that will do, newest first."""
    return [f"python{OLDEST[0]}.{minor}" for minor in range(NEWEST[1], OLDEST[1] - 1, -1)]


def starts(command: str) -> bool:
    """Whether a command is there and runs; version managers leave commands that only say what is not installed."""
    import subprocess

    try:
        return subprocess.run([command, "-c", ""], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def check_platform(system: str, machine: str, libc: tuple[str, str], macos: str, bits: int) -> None:
    """Refuse a system for which torch or Qt publish no packages; arguments are as module `platform` gives them."""
    fault = ""
    if bits != 64:
        fault = "this Python is a 32-bit one"
    elif system == "Linux":
        fault = linux_fault(machine, libc)
    elif system == "Darwin":
        if machine != "arm64" or numbers(macos) < OLDEST_MACOS:
            fault = f"this is macOS {macos} on {machine}"
    elif system == "Windows":
        if machine.upper() != "AMD64":
            fault = f"this is a Python for Windows on {machine}; one for x86-64 may serve"
    else:
        fault = f"this is {system or 'an unknown system'}"
    if fault:
        raise SetupError(
            f"PyTorch or Qt publish no packages for this machine: {fault}.\nThe studio runs on 64-bit Linux (glibc "
            f"{dotted(OLDEST_GLIBC['x86_64'])} or newer on x86-64, {dotted(OLDEST_GLIBC['aarch64'])} on ARM), macOS "
            f"{dotted(OLDEST_MACOS)} or newer on Apple silicon, and Windows on x86-64."
        )


def linux_fault(machine: str, libc: tuple[str, str]) -> str:
    """Why a Linux will not do, or nothing."""
    if machine not in OLDEST_GLIBC:
        return f"this processor is {machine or 'unknown'}"
    if libc[0] != "glibc":
        return f"its C library is {libc[0] or 'another one'}, not glibc"
    if numbers(libc[1]) < OLDEST_GLIBC[machine]:
        return f"its glibc is {libc[1]}"
    return ""


def numbers(version: str) -> tuple[int, ...]:
    """``"2.36"`` → ``(2, 36)``; whatever is no number ends it."""
    parts = []
    for part in version.split("."):
        if not part.isdigit():
            break
        parts.append(int(part))
    return tuple(parts)


def dotted(version: tuple[int, ...]) -> str:
    """``(2, 36)`` → ``"2.36"``."""
    return ".".join(str(part) for part in version)


def check_disk(folders: list[Path], needed_gb: float) -> None:
    """Refuse to begin a download that a full disk would end."""
    from shutil import disk_usage

    for folder in folders:
        existing = next(parent for parent in [folder, *folder.parents] if parent.is_dir())
        free_gb = disk_usage(str(existing)).free / 1e9
        if free_gb < needed_gb:
            raise SetupError(
                f"Not enough disk space: {free_gb:.1f} GB are free for {folder}, about {needed_gb:g} GB are needed.\n"
                "Free some, or name a folder on another disk: PERTURBATION_STUDIO_VENV for the environment, "
                "UV_CACHE_DIR for the downloads."
            )


def download_folder() -> Path:
    """Where uv keeps what it downloads, as far as that can be told without asking it."""
    local = os.environ.get("LOCALAPPDATA") if sys.platform == "win32" else os.environ.get("XDG_CACHE_HOME")
    return Path(os.environ.get("UV_CACHE_DIR") or Path(local or Path.home() / ".cache") / "uv").absolute()

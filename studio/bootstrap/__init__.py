"""From a bare machine to a running program: the set-up behind ``python3 -m studio`` and ``python3 -m tests``.

Standard library only, and parsable by Python 3.8, so that an old Python gets a sentence and not a SyntaxError. The
first start checks the machine, makes ``.venv``, installs what ``requirements.lock`` lists (each package by its hash)
and leaves a stamp. From then on a start compares the stamp, looks for Qt's system libraries and hands over: a few
milliseconds, so what only the first start needs is imported where it is used.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from studio.bootstrap.environment import install, is_ready, only_one_start, python_of
from studio.bootstrap.machine import OLDEST, SetupError, say
from studio.bootstrap.system import add_system_packages, missing_libraries

ROOT = Path(__file__).resolve().parents[2]
EXIT_FAULT, EXIT_INTERRUPTED = 2, 130


def start(module: str, arguments: list[str], needs: str = "") -> None:
    """Return if this Python can run `module`, ``studio`` or ``tests``; otherwise set up and become a Python that can.

    `needs` names a package without which even an installed studio cannot run it.
    """
    if not is_checkout(ROOT):
        return
    try:
        python = prepare(ROOT, needs)
    except SetupError as error:
        say(str(error))
        raise SystemExit(EXIT_FAULT) from None
    except KeyboardInterrupt:
        say("\nStopped. The next start goes on from here.")
        raise SystemExit(EXIT_INTERRUPTED) from None
    if python is not None:
        become([str(python), "-m", module, *arguments])


def prepare(root: Path, needs: str = "") -> Path | None:
    """Make the environment ready; the Python to hand over to, or None if it is the one that runs."""
    venv, lock = environment_folder(root), root / "requirements.lock"
    if not is_ready(venv, lock):
        if is_installed(needs):
            return None
        with only_one_start(venv):
            if not is_ready(venv, lock):
                install(venv, lock)
    add_system_packages(missing_libraries())
    inside = Path(sys.prefix).resolve() == venv.resolve()
    return None if inside else python_of(venv)


def is_checkout(root: Path) -> bool:
    """Whether this package lies in a checkout; an installed one never sets anything up."""
    return (root / "pyproject.toml").is_file() and (root / "requirements.lock").is_file()


def is_installed(needs: str = "") -> bool:
    """Whether this Python has the studio installed (by pip or ``uv run``), so what it depends on, and `needs`, too."""
    if sys.version_info < OLDEST:
        return False
    from importlib import metadata, util

    try:
        metadata.distribution("perturbation-studio")
    except metadata.PackageNotFoundError:
        return False
    return not needs or util.find_spec(needs) is not None


def environment_folder(root: Path) -> Path:
    """``.venv`` in the checkout, unless PERTURBATION_STUDIO_VENV names another folder."""
    return Path(os.environ.get("PERTURBATION_STUDIO_VENV") or root / ".venv").absolute()


def become(command: list[str]) -> None:
    """Go on as another program with the same terminal, working folder and environment; does not return."""
    sys.stdout.flush()
    sys.stderr.flush()
    if sys.platform == "win32":
        import signal
        import subprocess

        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the other's to answer
        raise SystemExit(subprocess.call(command))
    else:
        os.execv(command[0], command)

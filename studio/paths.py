"""Where things lie: the studio's own resources, and the person's data, runs and state."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote

import platformdirs

from studio.files import whole_file

_APP = "perturbation-studio"
_QUOTES = ('""', "''", "“”", "‘’")
_ADDRESS = re.compile(r"file:(?://(?:localhost)?)?(/.*)", re.IGNORECASE | re.DOTALL)


def resources() -> Path:
    """Icons, theme and presets: inside the package when installed, beside it in a checkout."""
    packaged = Path(__file__).parent / "_resources"
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / "resources"


def default_data_root() -> Path:
    """Folder of downloaded data sets, laid out as torchvision expects it."""
    return Path(platformdirs.user_data_dir(_APP, appauthor=False)) / "datasets"


def default_runs_root() -> Path:
    """Folder in which each run gets a folder of its own."""
    return Path(platformdirs.user_documents_dir()) / "Perturbation Studio" / "runs"


def runs_root() -> Path:
    """The workspace: the folder that the person chose for their runs, or else the default one."""
    try:
        chosen = _chosen_workspace().read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        chosen = ""
    return Path(chosen) if chosen else default_runs_root()


def choose_runs_root(folder: Path) -> None:
    """Keep runs in this folder from now on, with and without a window; raises UserError if that cannot be kept."""
    with whole_file(_chosen_workspace()) as file:
        file.write(f"{folder.absolute()}\n".encode())


def typed_path(text: str) -> str:
    """A path as it is typed, pasted or dropped: without blanks and quotes around it, and no ``file://`` address.

    What exists under exactly this name is meant as it stands.
    """
    if os.path.exists(text):
        return text
    path = text.strip()
    if len(path) > 1 and path[0] + path[-1] in _QUOTES:
        path = path[1:-1].strip()
    address = _ADDRESS.fullmatch(path)
    if address is None:
        return path
    path = unquote(address[1], errors="surrogateescape")
    return path[1:] if os.name == "nt" else path  # before a drive's letter


def _chosen_workspace() -> Path:
    return state_dir() / "workspace"


def state_dir() -> Path:
    """Window layout, recent files, logs."""
    return Path(platformdirs.user_state_dir(_APP, appauthor=False))


def cache_dir() -> Path:
    """What can be made again, such as trained judges."""
    return Path(platformdirs.user_cache_dir(_APP, appauthor=False))

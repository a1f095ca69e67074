"""Where things lie: the studio's own resources, and the person's data, runs and state."""

from __future__ import annotations

from pathlib import Path

import platformdirs

from studio.files import whole_file

_APP = "perturbation-studio"


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
    """Keep runs in this folder from now on, with and without a window.

    Raises:
        UserError: the choice cannot be kept.
    """
    with whole_file(_chosen_workspace()) as file:
        file.write(f"{folder.absolute()}\n".encode())


def _chosen_workspace() -> Path:
    return state_dir() / "workspace"


def state_dir() -> Path:
    """Window layout, recent files, logs."""
    return Path(platformdirs.user_state_dir(_APP, appauthor=False))


def cache_dir() -> Path:
    """What can be made again, such as trained judges."""
    return Path(platformdirs.user_cache_dir(_APP, appauthor=False))

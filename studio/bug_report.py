"""What a bug report needs, and nothing that is private: versions and the system, with the person's folders left out."""

from __future__ import annotations

import platform
import traceback
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from studio import __version__

_PACKAGES = ("PySide6-Essentials", "pyqtgraph", "torch", "torchvision", "numpy", "pydantic", "safetensors", "pillow")


def versions() -> dict[str, str]:
    """The studio, what it runs on and what it is made of, by name."""
    found = {
        "Perturbation Studio": __version__,
        "Python": platform.python_version(),
        "System": f"{platform.system()} {platform.release()}, {platform.machine()}",
    }
    return found | {name: _version(name) for name in _PACKAGES}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def without_private_paths(text: str) -> str:
    """`text` with the person's folders shortened to ~ and the studio's own to nothing but what is inside it."""
    own = Path(__file__).resolve().parent.parent
    shortened = text.replace(f"{own}/", "").replace(f"{own}\\", "")
    return shortened.replace(str(Path.home()), "~") if Path.home() != Path(Path.home().anchor) else shortened


def bug_report(error: BaseException) -> str:
    """An unexpected error as it can be sent: versions, then where it happened."""
    lines = [f"{name} {value}" for name, value in versions().items()]
    trace = "".join(traceback.format_exception(error))
    return without_private_paths("\n".join([*lines, "", trace]))

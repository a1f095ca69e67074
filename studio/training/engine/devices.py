"""Where torch can compute here, and bringing it in beside a window that is already there. Imports torch when called."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
from pathlib import Path

from studio.errors import UserError
from studio.progress import Progress

_LIBRARIES = ("libtorch_global_deps.so", "libtorch_python.so")
"""The first brings what torch shares with other libraries, the second all the rest, as torch itself loads them."""


def available_devices() -> tuple[tuple[str, str], ...]:
    """(value in configurations, title on the screen) of each device; automatic and processor are always there."""
    import torch

    found = [("auto", "Automatic"), ("cpu", f"Processor ({os.cpu_count()} cores)")]
    found += [(f"cuda:{index}", torch.cuda.get_device_name(index)) for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        found.append(("mps", "Apple GPU"))
    return tuple(found)


def resolve_device(wanted: str) -> str:
    """The device behind a configuration's value; raises UserError if this machine has no such device."""
    import torch

    if wanted == "auto":
        if torch.cuda.is_available():
            return "cuda:0"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    kind, _, index = wanted.partition(":")
    present = {
        "cpu": True,
        "mps": torch.backends.mps.is_available(),
        "cuda": torch.cuda.is_available() and int(index or 0) < torch.cuda.device_count(),
    }
    if not present[kind]:
        raise UserError(
            f"This machine has no device “{wanted}”",
            "",
            f"Choose one of {', '.join(value for value, _ in available_devices())}.",
            field="device",
        )
    return wanted


def warm_up(progress: Progress) -> tuple[tuple[str, str], ...]:
    """Import torch and what training needs of it; the devices, (value, title) each. Raises UserError if it cannot."""
    progress.report("Loading torch in the background", None)
    try:
        _load_libraries()
        import studio.training.engine.trainer  # noqa: F401
    except (ImportError, OSError) as error:
        raise UserError(
            "torch cannot be loaded", f"{error}.", "Remove the folder .venv and start again to install it anew."
        ) from error
    return available_devices()


def _load_libraries() -> None:
    """Have the system load torch's libraries while Python's lock is free, so that the window goes on.

    An import holds the lock while it loads a library, for about a second with torch's; a foreign call, such as this one
    to the system's own loader, does not. What fails here is left to the import, which says why.
    """
    spec = importlib.util.find_spec("torch")
    if sys.platform != "linux" or "torch" in sys.modules or spec is None or spec.origin is None:
        return
    load = ctypes.CDLL(None).dlopen
    load.restype = ctypes.c_void_p
    for name in _LIBRARIES:
        path = Path(spec.origin).parent / "lib" / name
        if path.is_file():
            load(os.fsencode(path), os.RTLD_NOW | (os.RTLD_GLOBAL if "global" in name else 0))

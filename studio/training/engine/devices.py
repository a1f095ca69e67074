"""Where torch can compute on this machine. Imports torch when called, never before."""

from __future__ import annotations

import os

from studio.errors import UserError


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

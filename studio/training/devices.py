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
    """The device behind a configuration's value.

    Raises:
        UserError: this machine has no such device.
    """
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


_own_choice: list[int] = []
"""What torch had chosen before it was overruled, first of all; so that a later run can have it again."""


def use_threads(wanted: int) -> int:
    """Set the number of processor threads torch computes with, and return it.

    Args:
        wanted: 0 leaves the choice to torch: one per physical core.
    """
    import torch

    if wanted:
        _own_choice.append(torch.get_num_threads())
        torch.set_num_threads(wanted)
    elif _own_choice:
        torch.set_num_threads(_own_choice[0])
        _own_choice.clear()
    return torch.get_num_threads()

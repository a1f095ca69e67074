"""Bringing torch in, beside a window that is already there."""

from __future__ import annotations

from studio.errors import UserError
from studio.progress import Progress


def warm_up(progress: Progress) -> tuple[tuple[str, str], ...]:
    """Import torch and what training needs of it, and return the devices: (value, title) each.

    The first optimiser made imports torch's compiler, which takes seconds, so one is made here.

    Raises:
        UserError: torch cannot be imported.
    """
    progress.report("Loading torch in the background", None)
    try:
        import torch

        import studio.training.trainer  # noqa: F401
        from studio.training.devices import available_devices

        torch.optim.Adam([torch.zeros(1, requires_grad=True)])
    except (ImportError, OSError) as error:
        raise UserError(
            "torch cannot be loaded", f"{error}.", "Remove the folder .venv and start again to install it anew."
        ) from error
    return available_devices()

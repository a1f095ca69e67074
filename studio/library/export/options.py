"""What all forms of an export share: their options, and how one asks for a package that may not be there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from studio.errors import UserError
from studio.training.analysis.asked_target import AskedTarget

MOST_SAMPLES = 10**7


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    """Choices for all formats.

    Attributes:
        averaged: by the moving average of the weights, or by the weights as they are.
        step: of a sample grid: the newest at or before it; the last one if absent.
        seconds: that a time-lapse lasts.
        count: samples that are drawn, 1…MOST_SAMPLES.
        seed: of their latents.
        data_root: folder of downloaded data sets; where the run's were, or else the person's own, if absent.
        assignments: other places of the run's data, such as ``dataset.path=/new/place``.
        asked, method: another target that samples are drawn for at once, and how.
    """

    averaged: bool = True
    step: int | None = None
    seconds: float = 10.0
    count: int = 1000
    seed: int = 0
    data_root: Path | None = None
    assignments: tuple[str, ...] = ()
    asked: AskedTarget | None = None
    method: str = "auto"


@contextmanager
def needed_for(what: str, extra: str) -> Iterator[None]:
    """Import optional packages within for `what`, such as "A video"; UserError, with the extra, if one is missing."""
    try:
        yield
    except ImportError as error:
        raise UserError(
            f"{what} needs a package that is not installed",
            f"{error}.",
            f'Install it: pip install "perturbation-studio[{extra}]".',
        ) from error

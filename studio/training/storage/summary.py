"""What a run's summary.json holds: status, numbers, and what `studio.training.storage.run_identity` reads of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.errors import UserError
from studio.files import read_bytes


def read_summary(path: Path) -> Mapping[str, Any]:
    """What a run's summary.json holds, unchecked.

    Raises:
        UserError: it is missing or no summary at all.
    """
    try:
        summary = json.loads(read_bytes(path / "summary.json"))
        if not isinstance(summary, dict):
            raise TypeError("it holds no JSON object")
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise no_summary(path, error) from error
    return summary


def no_summary(path: Path, error: Exception) -> UserError:
    """The error of a summary that does not hold what it should."""
    return UserError(
        "The run's summary cannot be read",
        f"{path / 'summary.json'}: {error}.",
        "The run may have been cut off before its first save.",
    )

"""Settings given as ``path=value``, as on the command line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from studio.errors import UserError
from studio.training.config import RunConfig
from studio.training.config_file import parse_config

_OFFSETS = ("perturbation", "offsets")


def with_settings(config: RunConfig, assignments: Sequence[str]) -> RunConfig:
    """`config` with ``path=value`` assignments, as given on the command line.

    Args:
        config: what to start from.
        assignments: such as ``model.latent_size=32`` or ``perturbation.offsets.2=-1.36``; values are JSON or text. Of
            two for the same setting the last one counts; otherwise their order does not matter.

    Raises:
        UserError: an assignment has no ``=``, no such place, or a value that does not fit.
    """
    split = [_assignment(text) for text in assignments]
    # A new model or data set starts from its own settings, so it comes before settings of it.
    for chosen in (True, False):
        config = _assigned(config, [each for each in split if _chooses(each[0]) is chosen])
    return config


def _assigned(config: RunConfig, assignments: Sequence[tuple[tuple[str, ...], Any]]) -> RunConfig:
    raw = config.model_dump(mode="json")
    for path, value in assignments:
        *parents, leaf = path
        place: Any = raw
        for parent in parents:
            place = place.get(parent) if isinstance(place, dict) else None
        if not isinstance(place, dict):
            raise UserError(
                "There is no such setting",
                f"“{'.'.join(path)}” leads nowhere.",
                "See a run's config.json for the names.",
            )
        if _chooses(path) and place.get("kind") != value:
            place.clear()
        place[leaf] = value
    return parse_config(raw, "--set")


def _chooses(path: tuple[str, ...]) -> bool:
    """Whether this setting says which model or data set the others beside it belong to."""
    return path in (("model", "kind"), ("dataset", "kind"))


def _assignment(text: str) -> tuple[tuple[str, ...], Any]:
    """The place and the value of one ``path=value``."""
    path, equals, value = text.partition("=")
    parts = path.strip().split(".")
    if not equals or not all(parts):
        raise UserError("A setting needs the form path=value", f"“{text}” has not.", "Example: batch.average_size=32.")
    if tuple(parts[:2]) == _OFFSETS and len(parts) > 2:
        parts[2:] = [".".join(parts[2:])]  # a class may have a name with points in it
    try:
        return tuple(parts), json.loads(value)
    except (ValueError, RecursionError):
        return tuple(parts), value

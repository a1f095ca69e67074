"""Configuration files, which people share: JSON, versioned, strict.

An unknown key or a value out of range is refused with its place, all faults at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from studio.errors import UserError, other_version
from studio.records import read_json
from studio.training.config.run_config import SCHEMA_VERSION, RunConfig

_LONGEST_SHOWN = 60


def parse_config(raw: Any, place: str) -> RunConfig:
    """Check parsed JSON of a file or a form, called `place` in messages; raises UserError, which names every fault with
    its place, if it is no run configuration.
    """
    if not isinstance(raw, dict):
        raise UserError("This is not a run configuration", f"{place} holds no JSON object.")
    version = raw.get("schema_version", SCHEMA_VERSION)
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise other_version("This configuration comes", place, version, SCHEMA_VERSION, field="schema_version")
    try:
        return RunConfig.model_validate(raw)
    except ValidationError as error:
        raise UserError(
            "The configuration has a fault" if error.error_count() == 1 else "The configuration has faults",
            f"{place}: " + "; ".join(_fault(fault) for fault in error.errors()),
            "Correct it and open it again.",
            field=_location(error.errors()[0]),
        ) from error


def _location(fault: Any) -> str:
    """Dotted path of a fault; the names that a union puts between are left out."""
    parts = [str(part) for part in fault["loc"]]
    if len(parts) > 1 and parts[0] in ("dataset", "model"):
        del parts[1]
    if len(parts) > 3 and parts[:2] == ["perturbation", "terms"]:
        del parts[3]
    return ".".join(parts)


def _fault(fault: Any) -> str:
    if fault["type"] == "extra_forbidden":
        return f"{_location(fault)} is not a setting that this version knows"
    given = fault.get("input")
    shown = f" (it is {_short(given)})" if isinstance(given, str | int | float | bool) else ""
    return f"{_location(fault)}: {fault['msg'][:1].lower()}{fault['msg'][1:]}{shown}"


def _short(value: str | float) -> str:
    """A value as a message quotes it: a number of a thousand digits tells no more than its first."""
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def read_config(path: Path) -> RunConfig:
    """Open a configuration file; raises UserError if it cannot be read, is no JSON, or is no run configuration."""
    return parse_config(read_json(path, "configuration"), path.name)

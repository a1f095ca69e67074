"""Where the data of a run lie: the settings that name a folder or a file, which are no part of what the data are.

They are a data set's path, the CSV files of an energy's columns, and judges named by a folder, ``folder:PATH``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from studio.settings import Settings
from studio.training.config.run_config import RunConfig

_JUDGE = "judge"


def made_absolute(config: RunConfig) -> RunConfig:
    """The same places, whatever folder a program is started in."""
    return _with_places(config, _absolute)


def without_places(config: RunConfig) -> RunConfig:
    """What is left of a configuration where places do not count."""
    return _with_places(config, lambda _: "")


def with_places_of(config: RunConfig, other: RunConfig) -> RunConfig:
    """A configuration with the places of another that differs from it in nothing else that says what its data are."""
    terms = other.perturbation.terms if _alike(config.perturbation.terms, other.perturbation.terms) else None
    perturbation = config.perturbation if terms is None else config.perturbation.model_copy(update={"terms": terms})
    dataset = other.dataset if _alike((config.dataset,), (other.dataset,)) else config.dataset
    return config.model_copy(update={"dataset": dataset, "perturbation": perturbation})


def _alike(some: Any, others: Any) -> bool:
    """Whether settings are the same but for places."""
    return [_moved(each, lambda _: "") for each in some] == [_moved(each, lambda _: "") for each in others]


def _with_places(config: RunConfig, move: Callable[[str], str]) -> RunConfig:
    perturbation = config.perturbation
    terms = tuple(_moved(term, move) for term in perturbation.terms)
    return config.model_copy(
        update={
            "dataset": _moved(config.dataset, move),
            "perturbation": perturbation.model_copy(update={"terms": terms}),
            "evaluation": _moved(config.evaluation, move),
        }
    )


def _moved(settings: Settings, move: Callable[[str], str]) -> Settings:
    """Settings with every place moved; what is not set stays so."""
    found = {}
    for name, field in type(settings).model_fields.items():
        extra, value = field.json_schema_extra, getattr(settings, name)
        if not isinstance(extra, dict) or not isinstance(value, str) or not value:
            continue
        if extra.get("path"):
            found[name] = move(value)
        elif extra.get("editor") == _JUDGE:
            kind, colon, path = value.partition(":")
            found[name] = f"{kind}:{move(path)}" if colon and path else value
    return settings.model_copy(update=found)


def _absolute(path: str) -> str:
    try:
        return str(Path(path).expanduser().absolute()) if path.strip() else path
    except (OSError, ValueError, RuntimeError):  # a null character, an unknown ~person: whoever opens it says so
        return path

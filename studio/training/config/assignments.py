"""Settings given as ``path=value``, as on the command line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal, get_args, get_origin

from studio.data.catalog import DATASETS
from studio.errors import UserError
from studio.models.catalog import MODELS
from studio.settings import Settings
from studio.training.config.file import parse_config
from studio.training.config.run_config import RunConfig

_OFFSETS = ("perturbation", "offsets")
_KINDS: dict[str, dict[str, type[Settings]]] = {
    "dataset": {spec.kind: spec.config for spec in DATASETS},
    "model": {spec.kind: spec.config for spec in MODELS},
}
"""The settings of each kind."""


def with_settings(config: RunConfig, assignments: Sequence[str]) -> RunConfig:
    """`config` with ``path=value`` assignments, such as ``model.latent_size=32`` or ``perturbation.offsets.2=-1.36``.

    Values are JSON, but for a setting that is a text they are that text, in quotes or not. Of two for the same setting
    the last one counts; otherwise their order does not matter. Raises UserError if there is no ``=``, no such place, or
    a value does not fit.
    """
    split = [_assignment(text) for text in assignments]
    # A new model or data set starts from its own settings, so it comes before settings of it.
    for chosen in (True, False):
        config = _assigned(config, [each for each in split if _chooses(each[0]) is chosen])
    return config


def setting_at(config: RunConfig, path: str) -> Any:
    """The value of a setting, as JSON has it; 0 for an offset that is not named, None where there is no such place."""
    parts, _ = _assignment(f"{path}=0")
    place: Any = config.model_dump(mode="json")
    for part in parts:
        place = place.get(part) if isinstance(place, dict) else None
    return 0.0 if place is None and parts[: len(_OFFSETS)] == _OFFSETS else place


def _assigned(config: RunConfig, assignments: Sequence[tuple[tuple[str, ...], str]]) -> RunConfig:
    raw = config.model_dump(mode="json")
    for path, text in assignments:
        value = _value(text, _type_at(config, path))
        *parents, leaf = path
        place: Any = raw
        for parent in parents:
            place = place.get(parent) if isinstance(place, dict) else None
        if not isinstance(place, dict):
            raise UserError(
                "There is no such setting",
                f"“{'.'.join(path)}” is not a setting.",
                "See a run's config.json for the names.",
            )
        _ensure_its_kind_has_it(place.get("kind"), path)
        if _chooses(path) and place.get("kind") != value:
            place.clear()
        place[leaf] = value
    return parse_config(raw, "--set")


def _ensure_its_kind_has_it(kind: object, path: Sequence[str]) -> None:
    """Say of a setting of this kind of data set or model, if only others have it, how to choose one of those."""
    if len(path) != 2 or path[0] not in _KINDS:
        return
    kinds = [kind for kind, settings in _KINDS[path[0]].items() if path[1] in settings.model_fields]
    if kinds and kind not in kinds:
        raise UserError(
            "There is no such setting here",
            f"“{'.'.join(path)}” is one of {path[0]}.kind {', '.join(kinds)}.",
            f"Add --set {path[0]}.kind={kinds[0]}.",
            field=".".join(path),
        )


def _chooses(path: tuple[str, ...]) -> bool:
    """Whether this setting says which model or data set the others beside it belong to."""
    return path in (("model", "kind"), ("dataset", "kind"))


def _assignment(text: str) -> tuple[tuple[str, ...], str]:
    """The place and the value of one ``path=value``; a class may be called ``a=b``, and no offset has a sign in it."""
    offset = text.lstrip().startswith(f"{'.'.join(_OFFSETS)}.")
    path, equals, value = text.rpartition("=") if offset else text.partition("=")
    parts = path.strip().split(".")
    if not equals or not all(parts):
        raise UserError("A setting needs the form path=value", f"“{text}” has not.", "Example: batch.average_size=32.")
    if tuple(parts[:2]) == _OFFSETS and len(parts) > 2:
        parts[2:] = [".".join(parts[2:])]  # a class may have a name with points in it
    return tuple(parts), value


def _type_at(config: RunConfig, path: Sequence[str]) -> Any:
    """The type of the setting there; None if it is no field, as an offset."""
    place: Any = config
    for parent in path[:-1]:
        place = getattr(place, parent, None)
    field = type(place).model_fields.get(path[-1]) if isinstance(place, Settings) else None
    return field.annotation if field is not None else None


def _value(text: str, kind: Any) -> Any:
    """What is meant for a setting of this type: a text, or one of several words, is no number, nor is ``true``."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    words = get_args(kind) if get_origin(kind) is Literal else ()
    is_text = kind is str or any(isinstance(word, str) for word in words)
    return text if (is_text and not isinstance(value, str)) or (isinstance(value, bool) and kind is not bool) else value

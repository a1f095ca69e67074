"""Which sweep a run belongs to, kept in its folder as sweep.json, so that it goes with it wherever it goes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import Field, JsonValue, field_validator
from pydantic.fields import FieldInfo

from studio.data.catalog import DATASETS
from studio.models.catalog import MODELS
from studio.names import readable
from studio.records import read_record, write_record
from studio.settings import Settings
from studio.training.config.run_config import RunConfig

FILE = "sweep.json"
MOST_RUNS = 1000
_LARGEST = 1e300
_OFFSETS = "perturbation.offsets."
KINDS = {
    "dataset.kind": ("Data set", {spec.kind: spec.title for spec in DATASETS}),
    "model.kind": ("Model", {spec.kind: spec.title for spec in MODELS}),
}


class SweepMark(Settings):
    """One run's place in a sweep that has a name that no other has: number 1…count of so many.

    `settings` are all that differ between the runs, by dotted path; `values` this run's own, by setting.
    """

    schema_version: Literal[1] = 1
    sweep: str = Field(min_length=1, max_length=200)
    title: str = Field("", max_length=200)
    number: int = Field(ge=1, le=MOST_RUNS)
    count: int = Field(ge=1, le=MOST_RUNS)
    settings: tuple[str, ...] = Field((), max_length=100)
    values: Mapping[str, JsonValue] = Field(default_factory=dict)

    @field_validator("values", mode="after")
    @classmethod
    def _drawable(cls, values: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
        for path, value in values.items():
            if isinstance(value, int | float) and not abs(value) < _LARGEST:
                raise ValueError(f"{path} is no number that can be drawn")
        return values


@lru_cache(maxsize=1024)
def setting_name(path: str) -> str:
    """A setting as the window calls it, with the part that it is of where that is deep; or ΔH of a class."""
    if path.startswith(_OFFSETS):
        return f"ΔH({path.removeprefix(_OFFSETS)})"
    if path in KINDS:
        return KINDS[path][0]
    *parents, leaf = path.split(".")
    info = _field_at(path)
    name = info.title if info is not None and info.title else readable(leaf)
    return f"{name} ({readable(parents[-1]).lower()})" if len(parents) > 1 else name


def setting_text(path: str, value: Any) -> str:
    """A setting's value as the window calls it."""
    if path in KINDS:
        return KINDS[path][1].get(value, value_text(value))
    if isinstance(value, bool):
        return "on" if value else "off"
    info = _field_at(path)
    if info is None or info.annotation is str or not isinstance(value, str):
        return value_text(value)
    kind = info.annotation
    members = list(kind) if isinstance(kind, type) and issubclass(kind, Enum) else []
    return readable(next((each for each in members if each.value == value), value))


def _field_at(path: str) -> FieldInfo | None:
    """The setting of this path of the first model or data set that has it; None if none does."""
    *parents, leaf = path.split(".")
    within: list[type[Settings]] = [RunConfig]
    for name in parents:
        fields = [each.model_fields[name].annotation for each in within if name in each.model_fields]
        within = [found for field in fields for found in _settings_in(field)]
    return next((each.model_fields[leaf] for each in within if leaf in each.model_fields), None)


def _settings_in(annotation: Any) -> list[type[Settings]]:
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return [annotation]
    return [found for part in get_args(annotation) for found in _settings_in(part)]


def value_text(value: Any) -> str:
    """A setting or a number as text; nothing for None."""
    if isinstance(value, float):
        return f"{value:.6g}"
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)


def title_of(values: Mapping[str, Any]) -> str:
    """One run's own settings, as they tell it from the others."""
    return ", ".join(f"{setting_name(path)}={setting_text(path, value)}" for path, value in values.items())


def read_mark(folder: Path) -> SweepMark | None:
    """The mark of a run; None if it belongs to no sweep. Raises UserError if it is damaged."""
    return read_record(folder / FILE, SweepMark, "The run's place in its sweep cannot be read", "Delete the file.")


def write_mark(folder: Path, mark: SweepMark) -> None:
    """Mark a run, or a folder that a run is to have; raises UserError if the folder cannot be written."""
    write_record(folder / FILE, mark)

"""Which sweep a run belongs to, kept in its folder as sweep.json, so that it goes with it wherever it goes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, JsonValue, field_validator

from studio.records import read_record, write_record
from studio.settings import Settings

FILE = "sweep.json"
MOST_RUNS = 1000
_LARGEST = 1e300
_OFFSETS = "perturbation.offsets."


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


def setting_name(path: str) -> str:
    """A setting in a word: the last part of its path, or the class whose offset it is."""
    if path.startswith(_OFFSETS):
        return f"ΔH({path.removeprefix(_OFFSETS)})"
    return path.rsplit(".", 1)[-1]


def value_text(value: Any) -> str:
    """A setting or a number as text; nothing for None."""
    if isinstance(value, float):
        return f"{value:.6g}"
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)


def title_of(values: Mapping[str, Any]) -> str:
    """One run's own settings, as they tell it from the others."""
    return ", ".join(f"{setting_name(path)}={value_text(value)}" for path, value in values.items())


def read_mark(folder: Path) -> SweepMark | None:
    """The mark of a run; None if it belongs to no sweep. Raises UserError if it is damaged."""
    return read_record(folder / FILE, SweepMark, "The run's place in its sweep cannot be read", "Delete the file.")


def write_mark(folder: Path, mark: SweepMark) -> None:
    """Mark a run, or a folder that a run is to have; raises UserError if the folder cannot be written."""
    write_record(folder / FILE, mark)

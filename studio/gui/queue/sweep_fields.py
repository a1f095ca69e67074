"""Which settings a sweep may vary, from the configuration's own schema, and values as a person writes them. No Qt."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

import numpy as np
from pydantic.fields import FieldInfo

from studio.data.catalog import DATASETS
from studio.gui.forms.field_info import choices_of, extra, range_of, range_text, title_of
from studio.gui.widgets.number_entry import NotANumber, parse_number
from studio.models.catalog import MODELS
from studio.names import readable
from studio.perturb.perturbation import LARGEST_OFFSET
from studio.settings import Settings, setting
from studio.training.config.run_config import RunConfig

MOST_VALUES = 200
_LEFT_OUT = ("name", "schema_version", "kind")
_RANGE = re.compile(r"(\S+)\s+to\s+(\S+)\s+in\s+(\S+?)(?:,?\s+(log))?", re.IGNORECASE)
_WORDS = {"on": True, "true": True, "yes": True, "off": False, "false": False, "no": False}


class BadValuesError(ValueError):
    """What was written cannot be taken; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweptField:
    """A setting that may vary.

    Attributes:
        path: dotted.
        section: the part of the configuration that it belongs to.
        choices: values and titles; empty for a number or a text.
    """

    path: str
    title: str
    section: str
    info: FieldInfo
    choices: tuple[tuple[Any, str], ...] = ()

    @property
    def label(self) -> str:
        return f"{self.section}: {self.title}"

    @property
    def numeric(self) -> bool:
        """Whether a range of it makes sense."""
        return _type_of(self.info) in (int, float) and not self.choices

    @property
    def expected(self) -> str:
        """What is asked for, in a few words."""
        if self.choices:
            return ", ".join(title for _, title in self.choices)
        unit = f" in {extra(self.info, 'unit')}" if extra(self.info, "unit") else ""
        bounds = f", {range_text(self.info)}" if range_text(self.info) else ""
        whole = "whole numbers" if _type_of(self.info) is int else "numbers"
        return f"{whole}{unit}{bounds}" if self.numeric else "texts"

    def checked(self, value: Any) -> Any:
        """A value of the field's own type.

        Raises:
            BadValuesError: it is none, or out of range.
        """
        if not self.numeric:
            return value
        whole = _type_of(self.info) is int
        if whole and float(value) != int(value):
            raise BadValuesError(f"{value:g} is no whole number.")
        if value not in range_of(self.info):
            raise BadValuesError(f"{value:g} is out of range: {range_text(self.info)}.")
        return int(value) if whole else float(value)


def sweepable(config: RunConfig, class_names: Sequence[str]) -> list[SweptField]:
    """Every setting of this configuration that may vary; offsets of classes come first."""
    offset = setting(
        0.0, "ΔH", "Energy offset of the class; its weight is e^−ΔH.", ge=-LARGEST_OFFSET, le=LARGEST_OFFSET
    )
    offset.annotation = float
    found = [
        SweptField(path=f"perturbation.offsets.{name}", title=f"ΔH of {name}", section="Offsets", info=offset)
        for name in class_names
    ]
    found += _fields_of(config, "", "Run")
    return found


def _fields_of(settings: Settings, before: str, section: str) -> list[SweptField]:
    found, parts = [], []
    for name, info in type(settings).model_fields.items():
        path, value = f"{before}{name}", getattr(settings, name)
        if isinstance(value, Settings):
            parts += _kinds(path) + _fields_of(value, f"{path}.", readable(name))
        elif name not in _LEFT_OUT and (choices := _choices(info)) is not None:
            found.append(
                SweptField(path=path, title=title_of(name, info), section=section, info=info, choices=tuple(choices))
            )
    return found + parts


def _type_of(info: FieldInfo) -> Any:
    """The type of a field's values, which may be None besides."""
    parts = [part for part in get_args(info.annotation) if part is not NoneType]
    return parts[0] if len(parts) == 1 and get_origin(info.annotation) in (Union, UnionType) else info.annotation


def _choices(info: FieldInfo) -> list[tuple[Any, str]] | None:
    """Values of a field; none for a number; None for what cannot be written in a word."""
    if choices := choices_of(info.annotation):
        return choices
    if info.annotation is bool:
        return [(False, "off"), (True, "on")]
    plain = _type_of(info) in (int, float) or (info.annotation is str and not extra(info, "path"))
    return [] if plain and not extra(info, "editor") else None


def _kinds(path: str) -> list[SweptField]:
    """The choice of another model or data set, each of which then has its own settings' defaults."""
    kinds: dict[str, tuple[str, list[tuple[str, str]]]] = {
        "model": ("Model", [(spec.kind, spec.title) for spec in MODELS]),
        "dataset": ("Data set", [(spec.kind, spec.title) for spec in DATASETS]),
    }
    if path not in kinds:
        return []
    title, choices = kinds[path]
    info = setting("", title, f"The {title.lower()} itself; each has its own settings at their defaults.")
    return [SweptField(path=f"{path}.kind", title=title, section="Set-up", info=info, choices=tuple(choices))]


def parse_values(text: str, field: SweptField) -> tuple[Any, ...]:
    """Values separated by semicolons, or else commas, or else spaces; or a range: −2 to 0 in 5, 16 to 256 in 5 log.

    Raises:
        BadValuesError: there is none, too many, one twice, or one that cannot be taken.
    """
    if field.numeric and (found := _RANGE.fullmatch(text.strip())):
        return _range(field, *found.groups())
    separator = next((sign for sign in (";", ",", "\n") if sign in text), None)
    words = text.split(separator) if separator or field.numeric else [text]
    values = tuple(_value(word.strip(), field) for word in words if word.strip())
    return _told_apart(values)


def _range(field: SweptField, first: str, last: str, number: str, log: str | None) -> tuple[Any, ...]:
    """So many values from one to the other, both included, at equal distances or at equal ratios."""
    start, stop, count = (_number(word) for word in (first, last, number))
    for end in (start, stop):
        field.checked(end)
    if count != int(count) or not 2 <= count <= MOST_VALUES:
        raise BadValuesError(f"A range has 2 to {MOST_VALUES} values.")
    if log and start * stop <= 0:
        raise BadValuesError("At equal ratios both ends must be above 0, or both below.")
    space = (np.geomspace if log else np.linspace)(start, stop, int(count))
    exact = [float(f"{value:.6g}") for value in space]
    exact[0], exact[-1] = start, stop
    whole = _type_of(field.info) is int
    return _told_apart(tuple(field.checked(round(value) if whole else value) for value in exact))


def _value(word: str, field: SweptField) -> Any:
    if field.choices:
        for value, title in field.choices:
            if word.casefold() in (str(value).casefold(), title.casefold()) or _WORDS.get(word.casefold()) is value:
                return getattr(value, "value", value)
        raise BadValuesError(f"“{word[:40]}” is none of {field.expected}.")
    if not field.numeric:
        return word
    return field.checked(_number(word))


def _number(word: str) -> float:
    try:
        return parse_number(word)
    except NotANumber as error:
        raise BadValuesError(f"{error}.") from error


def _told_apart(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if not values:
        raise BadValuesError("Give its values.")
    if len(values) > MOST_VALUES:
        raise BadValuesError(f"These are {len(values)} values; at most {MOST_VALUES} are possible.")
    twice = [value for place, value in enumerate(values) if value in values[:place]]
    if twice:
        raise BadValuesError(f"{re.sub('^-', '−', str(twice[0]))} comes twice.")
    return values

"""What a form row says and takes, read from a pydantic field: title, help, range, choices; faults in plain words."""

from __future__ import annotations

import types
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from studio.gui.forms.drawing_field import DrawingField, summary
from studio.gui.forms.fields import ChoiceField, Field, JudgeField, PathField, SwitchField, TextField
from studio.gui.forms.number_field import NumberField, NumberStyle, Range, shown, with_unit
from studio.names import readable
from studio.settings import Settings


def extra(info: FieldInfo, name: str) -> Any:
    """One of the entries that `studio.settings.setting` adds to a field; None if it is not there."""
    found = info.json_schema_extra
    return found.get(name) if isinstance(found, dict) else None


def title_of(name: str, info: FieldInfo) -> str:
    """The row's label."""
    return info.title or readable(name)


def choices_of(annotation: Any) -> list[tuple[Any, str]]:
    """Values and titles of an enumeration or of a literal with several values; empty for anything else."""
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return [(member, readable(member)) for member in annotation]
    values = _literal_values(annotation)
    return [(value, readable(value)) for value in values] if len(values) > 1 else []


def _literal_values(annotation: Any) -> tuple[Any, ...]:
    annotation = getattr(annotation, "__value__", annotation)
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    if get_origin(annotation) in (Union, types.UnionType):
        parts = [_literal_values(part) for part in get_args(annotation)]
        return tuple(value for part in parts for value in part) if all(parts) else ()
    return ()


def range_of(info: FieldInfo) -> Range:
    """The numbers that the field takes."""
    found: dict[str, float] = {}
    for bound in info.metadata:
        for name in ("ge", "gt", "le", "lt"):
            if (limit := getattr(bound, name, None)) is not None:
                found[name] = float(limit)
    return Range(
        lowest=found.get("gt", found.get("ge", float("-inf"))),
        highest=found.get("lt", found.get("le", float("inf"))),
        open_below="gt" in found,
        open_above="lt" in found,
    )


def style_of(info: FieldInfo) -> NumberStyle:
    """How the field's number is stepped and shown."""
    return NumberStyle(
        integer=info.annotation is int,
        step=float(extra(info, "step") or 0.0),
        log=bool(extra(info, "log")),
        unit=str(extra(info, "unit") or ""),
    )


def settings_type(info: FieldInfo) -> type[Settings] | None:
    """The nested settings that the field holds; None for anything else, a union of settings included."""
    kind = info.annotation
    return kind if isinstance(kind, type) and issubclass(kind, Settings) and kind is not Settings else None


def make_field(name: str, info: FieldInfo) -> Field | None:
    """An editor for the field; None if there is none for its type, whose value then stays as it is."""
    kind = info.annotation
    if choices := choices_of(kind):
        return ChoiceField(choices)
    if kind is bool:
        return SwitchField()
    if kind is int or kind is float:
        return NumberField(style_of(info), range_of(info))
    if kind is str and extra(info, "editor") == "drawing":
        return DrawingField()
    if kind is str and extra(info, "editor") == "judge":
        return JudgeField()
    if kind is str:
        path = extra(info, "path")
        return PathField(folder=path == "folder", title=title_of(name, info)) if path else TextField()
    return None


def value_text(info: FieldInfo, value: Any) -> str:
    """A value as its row shows it."""
    if extra(info, "editor") == "drawing":
        return summary(str(value))
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int | float) and not isinstance(value, Enum):
        return with_unit(float(value), style_of(info))
    if isinstance(value, str) and not isinstance(value, Enum) and not choices_of(info.annotation):
        return f"“{value}”" if value else "empty"
    return readable(value)


def range_text(info: FieldInfo) -> str:
    """The range in words; empty if there is none."""
    if info.annotation not in (int, float):
        return ""
    bounds, style = range_of(info), style_of(info)
    low, high = (shown(end, style).replace("-", "−") for end in (bounds.lowest, bounds.highest))
    if bounds.lowest == float("-inf"):
        return "" if bounds.highest == float("inf") else f"{'below' if bounds.open_above else 'at most'} {high}"
    start = f"{'above' if bounds.open_below else 'from'} {low}"
    return start if bounds.highest == float("inf") else f"{start} to {'below ' if bounds.open_above else ''}{high}"


def fault_text(fault: Any, info: FieldInfo | None) -> str:
    """One of pydantic's errors in plain words."""
    given, context = fault.get("input"), fault.get("ctx", {})
    match fault["type"]:
        case "int_from_float":
            return "It must be a whole number."
        case "greater_than_equal" | "greater_than" | "less_than_equal" | "less_than" if info is not None:
            return f"It must lie in the range {range_text(info)}."
        case "string_too_long":
            return f"It may have at most {context.get('max_length')} characters."
        case "string_too_short":
            return (
                "It must not be empty." if not given else f"It needs at least {context.get('min_length')} characters."
            )
        case "string_pattern_mismatch":
            return f"“{given}” does not have the right form."
        case "value_error":
            return str(context.get("error", fault["msg"]))
        case _:
            return str(fault["msg"])

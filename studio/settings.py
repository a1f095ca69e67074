"""Settings a person edits or a file holds: frozen, and strict about what they do not know.

A field's `title`, `description`, bounds and `unit` are all that a form needs to show it, so a new model or data set
brings its form along and the window has no code for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.config import JsonDict

from studio.errors import UserError
from studio.paths import typed_path

PathText: TypeAlias = Annotated[str, AfterValidator(typed_path)]
"""A path as text, however it was typed."""


class Settings(BaseModel):
    """Base of everything that enters from a file or a form; immutable, unknown keys are rejected with their place."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_enum_values=False)

    def with_value(self, name: str, value: float) -> Self:
        """The same with another number for one of its fields; raises UserError if the field does not take it."""
        try:
            return self.model_validate({**self.model_dump(), name: value})
        except ValidationError as error:
            reason = f"{error.errors()[0]['msg']}; it is {value:g}."
            what = type(self).model_fields[name].title or name
            raise UserError(f"{what} cannot be changed to that", reason, "The old value stays.") from error


def setting(
    default: Any,
    title: str,
    help: str,  # noqa: A002 - the word the form uses
    *,
    unit: str = "",
    within: tuple[float, float] | None = None,
    step: float | None = None,
    decimals: int | None = None,
    log: bool = False,
    live: bool = False,
    path: Literal["", "file", "folder"] = "",
    editor: Literal["", "drawing", "judge"] = "",
    when: Mapping[str, Sequence[str]] | None = None,
    **bounds: Any,
) -> Any:
    """A field with what its form row shows.

    Args:
        default: value of a fresh configuration; the row's reset button returns to it.
        title: label of the row, without unit.
        help: the tooltip: what it is, and what changes when it grows.
        unit: shown behind the value (``"px"``, ``"examples"``); empty for a pure number.
        within: the least and the greatest value.
        step: what one turn of the wheel adds; with ``log`` the factor it multiplies by.
        decimals: digits shown behind the point.
        log: the value spans decades, so the wheel multiplies.
        live: may be changed while a run is under way.
        path: the text names a file or a folder, so the row gets a browse button.
        editor: a special editor that the row gets.
        when: the row is of use only while each of these other fields has one of these values, or without values any
            but 0; at other times the form leaves it out.
        bounds: pydantic's own ``ge``, ``gt``, ``lt``, ``min_length``, …
    """
    extra: JsonDict = {
        "unit": unit,
        "step": step,
        "decimals": decimals,
        "log": log,
        "live": live,
        "path": path,
        "editor": editor,
        "when": {name: list(values) for name, values in (when or {}).items()},
    }
    if within is not None:
        bounds |= {"ge": within[0], "le": within[1]}
    return Field(default, title=title, description=help, json_schema_extra=extra, **bounds)

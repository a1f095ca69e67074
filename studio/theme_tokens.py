"""The theme's tokens: colours, distances and type sizes, read from ``resources/theme.toml``. No widgets."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from typing import Any

from studio.paths import resources


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """One look, light or dark; colours are ``#rrggbb``.

    Attributes:
        dark: which of the two it is.
        window, surface, raised: backgrounds of the window, of fields and plots, of buttons and tooltips.
        text, muted, disabled: what stands on them.
        border, grid, accent, on_accent, focus, hover: lines, the one strong colour, text on it, focus ring, hover.
        warning, error, ok: text colours of a message.
        data_grey, target: the data's bars, and the outline of the target's.
        series: colours of curves that belong to no class.
        classes: one colour per class.
        spacing, radius: pixels.
        font_small, font_body, font_large: points.
    """

    dark: bool
    window: str
    surface: str
    raised: str
    text: str
    muted: str
    disabled: str
    border: str
    grid: str
    accent: str
    on_accent: str
    focus: str
    hover: str
    warning: str
    error: str
    ok: str
    data_grey: str
    target: str
    series: tuple[str, ...]
    classes: tuple[str, ...]
    spacing: int
    radius: int
    font_small: float
    font_body: float
    font_large: float

    def class_colour(self, index: int) -> str:
        """The colour of a class, the same in every panel."""
        return self.classes[index % len(self.classes)]

    def series_colour(self, index: int, *, of_class: bool = False) -> str:
        """The colour of the index-th curve of a plot, or of the one of a class."""
        return self.class_colour(index) if of_class else self.series[index % len(self.series)]


@cache
def _file() -> dict[str, Any]:
    return tomllib.loads((resources() / "theme.toml").read_text(encoding="utf-8"))


def load_tokens(*, dark: bool, points: float = 10.0) -> Tokens:
    """One look from the theme file, the dark or the light one; `points` is the system's own type size."""
    shared = dict(_file()["shared"])
    fonts = {name: round(points * shared.pop(name), 1) for name in ("font_small", "font_body", "font_large")}
    look = _file()["dark" if dark else "light"]
    given: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in look.items()}
    return Tokens(dark=dark, **(given | shared | fonts))

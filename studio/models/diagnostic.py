"""What a model shows of its inner life: plain arrays with titles, so that the window needs no code for it. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What anything shown has: a name in snake_case, unique within the model, a title, and a tip of two sentences, what
    it is and the formula.
    """

    name: str
    title: str
    tip: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A value to compare with, drawn as a line, in the units of the axis, and what it is (``"bound log 2"``)."""

    value: float
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram(Shown):
    """How values (n,), by the legend's text, are distributed on an axis with its unit; references are upright lines."""

    axis: str
    series: Mapping[str, NDArray[np.float64]]
    references: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile(Shown):
    """Values by the legend's text, each of shape (n,), against something other than the step, `at`, shape (n,).

    `axes` are labels of the horizontal and the vertical axis, with units.
    """

    axes: tuple[str, str]
    at: NDArray[np.float64]
    series: Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures(Shown):
    """Images, uint8, shape (n, H, W, C), row after row of `columns` each; `rows` tell what each row is, if anything."""

    images: NDArray[np.uint8]
    columns: int
    rows: tuple[str, ...] = ()


Diagnostic = Histogram | Profile | Pictures

"""What a model shows of its inner life: plain arrays with titles, so that the window needs no code for it. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A value to compare with, drawn as a line, in the units of the axis, and what it is (``"bound log 2"``)."""

    value: float
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """How values are distributed.

    Attributes:
        name: snake_case, unique within the model.
        tip: one sentence what it is, a second with the formula.
        axis: label of the values' axis, with its unit.
        series: values by the legend's text, each of shape (n,).
        references: vertical lines.
    """

    name: str
    title: str
    tip: str
    axis: str
    series: Mapping[str, NDArray[np.float64]]
    references: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Values against something other than the step.

    Attributes:
        axes: labels of the horizontal and the vertical axis, with units.
        at: horizontal positions, shape (n,).
        series: values by the legend's text, each of shape (n,).
    """

    name: str
    title: str
    tip: str
    axes: tuple[str, str]
    at: NDArray[np.float64]
    series: Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """Images, uint8, shape (n, H, W, C), row after row of `columns` each; `rows` tell what each row is, if anything."""

    name: str
    title: str
    tip: str
    images: NDArray[np.uint8]
    columns: int
    rows: tuple[str, ...] = ()


Diagnostic = Histogram | Profile | Pictures

"""What a panel of curves is, declared: its plots, and what it says while they are empty."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from studio.gui.plots.axis import Range
from studio.gui.plots.history_plot import Curve
from studio.training.config.run_config import RunConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotSpec:
    """One plot.

    Attributes:
        name: of the button that shows it, where there are several.
        axis: quantity along the vertical axis, with its unit.
        tip: what that says, in a sentence, and its formula.
        curves: those of a history with these columns, of a run that began with this configuration if it is known.
        limits: least and greatest value there can be, at which the axis ends.
        smooth: the smoothing is for this plot, too.
    """

    name: str
    title: str
    axis: str
    tip: str
    curves: Callable[[Sequence[str], RunConfig | None], Sequence[Curve]]
    limits: Range = (float("-inf"), float("inf"))
    logarithmic: bool = False
    smooth: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvesSpec:
    """One panel.

    Attributes:
        empty: what will appear.
        coming: when that is, once a run trains.
        lacking: why a history has none of it; where that is empty, it is still to come.
        of_images: a run of points never has any.
        window: points averaged at first.
        head: how many curves of the first plot are shown, with their newest values in the head, where it is a card.
    """

    name: str
    title: str
    empty: str
    plots: tuple[PlotSpec, ...]
    coming: str = "the first points come within seconds."
    lacking: str = ""
    of_images: bool = False
    window: int = 1
    head: int = 1

"""Settings of the planar sets."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import field_validator

from studio.data.planar.drawing import parse_drawing
from studio.data.spec import DatasetConfig
from studio.settings import setting


def _width(default: float, least: float, most: float) -> Any:
    return setting(
        default,
        "Width",
        "Standard deviation of the points about what they belong to; for lines, half of their thickness. "
        "Wider classes overlap more and are easier to learn.",
        step=0.01,
        decimals=2,
        within=(least, most),
    )


class PlanarConfig(DatasetConfig):
    """Base of the planar sets' settings."""

    judged = False

    count: int = setting(
        4000, "Points", "How many points are drawn. More show the density better.", unit="points", within=(100, 200_000)
    )
    seed: int = setting(0, "Seed of the points", "Same seed, same points.", within=(0, 2**31 - 1))


class GaussianConfig(PlanarConfig):
    """One Gaussian of width 1."""

    kind: Literal["planar_gaussian"] = "planar_gaussian"


class MixtureConfig(PlanarConfig):
    """Three Gaussians."""

    kind: Literal["planar_mixture"] = "planar_mixture"
    width: float = _width(0.5, 0.05, 0.5)


class RingConfig(PlanarConfig):
    """Eight Gaussians on a circle."""

    kind: Literal["planar_ring"] = "planar_ring"
    width: float = _width(0.12, 0.02, 0.35)


class MoonsConfig(PlanarConfig):
    """Two half circles."""

    kind: Literal["planar_moons"] = "planar_moons"
    width: float = _width(0.15, 0.05, 0.25)


class SpiralConfig(PlanarConfig):
    """Two arms."""

    kind: Literal["planar_spiral"] = "planar_spiral"
    width: float = _width(0.1, 0.05, 0.2)


class CheckerboardConfig(PlanarConfig):
    """Eight squares."""

    kind: Literal["planar_checkerboard"] = "planar_checkerboard"


class LinesConfig(PlanarConfig):
    """Two parallel lines."""

    kind: Literal["planar_lines"] = "planar_lines"
    width: float = _width(0.05, 0.01, 0.5)


class DrawnConfig(PlanarConfig):
    """What a person drew."""

    kind: Literal["planar_drawn"] = "planar_drawn"
    drawing: str = setting(
        "1@0.3 -2,1 -1.5,1.5 -1,1.8 -0.5,1.9 0,1.8 0.5,1.5 1,1; 2@0.2 -1.5,-1 -0.5,-1.4 0.5,-1.4 1.5,-1",
        "Drawing",
        "Classes that are drawn by a brush; p(x|c) is the mean of a Gaussian at each place that the brush left.",
        editor="drawing",
    )

    @field_validator("drawing")
    @classmethod
    def _check_drawing(cls, drawing: str) -> str:
        if len({stroke.label for stroke in parse_drawing(drawing)}) < 2:
            raise ValueError("the drawing has fewer than two classes; draw with another class, too")
        return drawing

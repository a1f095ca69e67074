"""The planar sets on offer: each a function from its settings to its classes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import cos, pi, sin
from pathlib import Path
from typing import Any

import numpy as np

from studio.data.planar.config import (
    CheckerboardConfig,
    DrawnConfig,
    GaussianConfig,
    LinesConfig,
    MixtureConfig,
    MoonsConfig,
    PlanarConfig,
    RingConfig,
    SpiralConfig,
)
from studio.data.planar.density import Array, Boxes, Curve, Density, Half, blob
from studio.data.planar.drawing import classes_of, parse_drawing
from studio.data.planar.plane import Plane
from studio.data.planar.point_set import PointSet
from studio.data.spec import DatasetSpec
from studio.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What a set is made of: half of its square's side, densities by class name, and their shares, equal if empty."""

    half: float
    classes: dict[str, Density]
    shares: tuple[float, ...] = ()


def _gaussian(config: GaussianConfig) -> Layout:
    return Layout(half=6, classes={"left": Half(-1, 1.0), "right": Half(1, 1.0)})


def _mixture(config: MixtureConfig) -> Layout:
    places = {"west": (-2.0, -1.0), "east": (2.0, -1.0), "north": (0.0, 2.0)}
    return Layout(
        half=5, classes={name: blob(x, y, config.width) for name, (x, y) in places.items()}, shares=(0.6, 0.35, 0.05)
    )


def _ring(config: RingConfig) -> Layout:
    angles = [pi / 2 - 2 * pi * number / 8 for number in range(8)]
    places = [blob(2 * cos(angle), 2 * sin(angle), config.width) for angle in angles]
    return Layout(half=4, classes={str(number): place for number, place in enumerate(places, start=1)})


def _moons(config: MoonsConfig) -> Layout:
    def upper(u: Array) -> Array:
        return 2 * np.stack((np.cos(pi * u) - 0.5, np.sin(pi * u) - 0.25), 1)

    def lower(u: Array) -> Array:
        return 2 * np.stack((0.5 - np.cos(pi * u), 0.25 - np.sin(pi * u)), 1)

    return Layout(half=4.5, classes={"upper": Curve(upper, config.width), "lower": Curve(lower, config.width)})


def _spiral(config: SpiralConfig) -> Layout:
    def arm(turn: float) -> Callable[[Array], Array]:
        def path(u: Array) -> Array:
            radius, angle = 0.5 + 2.5 * u, 3 * pi * u + turn
            return np.stack((radius * np.cos(angle), radius * np.sin(angle)), 1)

        return path

    return Layout(half=4.5, classes={"first": Curve(arm(0), config.width), "second": Curve(arm(pi), config.width)})


def _checkerboard(config: CheckerboardConfig) -> Layout:
    def column(number: int) -> Boxes:
        low = np.array([[number - 2.0, row - 2.0] for row in range(4) if (row + number) % 2 == 0])
        return Boxes(low, low + 1)

    return Layout(half=3, classes={f"column {number + 1}": column(number) for number in range(4)})


def _lines(config: LinesConfig) -> Layout:
    def line(x: float) -> Boxes:
        return Boxes(np.array([[x - config.width, -2.0]]), np.array([[x + config.width, 2.0]]))

    return Layout(half=3, classes={"left": line(-2), "right": line(2)})


def _drawn(config: DrawnConfig) -> Layout:
    classes = classes_of(parse_drawing(config.drawing))
    places = np.array([number for _, number in classes.values()])
    return Layout(
        half=5,
        classes={name: density for name, (density, _) in classes.items()},
        shares=tuple((places / places.sum()).tolist()),
    )


def _load(title: str, layout: Layout, config: PlanarConfig) -> PointSet:
    """Points of every class, as many as its share says."""
    rng = np.random.default_rng(config.seed)
    number = len(layout.classes)
    shares = np.array(layout.shares or [1 / number] * number)
    counts = np.diff(np.rint(np.cumsum([0, *shares]) * config.count)).astype(np.int64)
    plane = Plane(half=layout.half, classes=tuple(layout.classes.values()))
    points = np.concatenate([plane.draw(label, count, rng) for label, count in enumerate(counts)])
    return PointSet(
        name=title,
        points=points.astype(np.float32).reshape(-1, 1, 1, 2),
        labels=np.repeat(np.arange(number), counts).astype(np.int64),
        class_names=tuple(layout.classes),
        ground=plane,
    )


def _spec(title: str, summary: str, config: type[PlanarConfig], layout: Callable[[Any], Layout]) -> DatasetSpec:
    def load(settings: PlanarConfig, data_root: Path, progress: Progress) -> PointSet:
        return _load(title, layout(settings), settings)

    return DatasetSpec(
        title=title,
        summary=summary,
        config=config,
        load=load,
        download_bytes=lambda data_root: 0,
        memory_bytes=lambda settings, data_root: 200 * settings.count,
    )


PLANAR_SETS = (
    _spec("Plane: Gaussian", "One round Gaussian; its halves are the classes.", GaussianConfig, _gaussian),
    _spec("Plane: mixture", "Three Gaussians; the northern one holds 5 % of the points.", MixtureConfig, _mixture),
    _spec("Plane: ring of 8", "Eight Gaussians on a circle: a model that forgets one shows it.", RingConfig, _ring),
    _spec("Plane: two moons", "Two half circles with noise, one reaching into the other.", MoonsConfig, _moons),
    _spec("Plane: spiral", "Two arms with noise, wound around each other.", SpiralConfig, _spiral),
    _spec(
        "Plane: checkerboard",
        "The dark squares of a board; its columns are classes.",
        CheckerboardConfig,
        _checkerboard,
    ),
    _spec("Plane: parallel lines", "Two thin lines far apart, as in the Wasserstein GAN's paper.", LinesConfig, _lines),
    _spec("Plane: draw your own", "Classes that you draw by a brush; they are kept with the run.", DrawnConfig, _drawn),
)
"""Built in; the exact density of each is known."""

"""What can be measured of an example: named numbers such as ink and slant, for energies, histograms and theory.

With g(x, y) in 0…1 the luminance of a pixel (Rec. 601: 0.299 R + 0.587 G + 0.114 B), b the median luminance of the
image's border and f = |g − b| the ink, x to the right and y upwards in pixels, and moments weighted by f:

    ink          share of pixels with f > ½·max f             slant    arctan(Cov(x, y)/Var(y))
    mean         ⟨g⟩                                          aspect   √(Var(x)/Var(y))
    contrast     √(⟨g²⟩ − ⟨g⟩²)                               stroke   2·Σf/Σ|∇f|
    saturation   ⟨(max − min)/max⟩ over R, G, B               hue      arg Σ c·e^{i·hue}, c = max − min

Var holds the 1/12 of a pixel's own extent, so that a solid w×h rectangle has the aspect w/h exactly. An image without
ink has slant 0, aspect 1 and stroke 0; one without colour has hue 0: every value is finite.
Sources: ITU-R BT.601-7; M.-K. Hu, IRE Trans. Inf. Theory 8, 179 (1962); A. R. Smith, SIGGRAPH 1978 (HSV).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.errors import UserError
from studio.perturb.arrays import Floats
from studio.progress import Progress

_CHUNK_NUMBERS = 2**21
"""Pixel values measured at once: 16 MB as float64, and a few times that in between."""
_LUMA = np.array([0.299, 0.587, 0.114])


class Suits(StrEnum):
    """Which data a feature can be measured of."""

    IMAGES = "images"  # uint8, shape (N, H, W, 1 or 3)
    COLOUR = "colour images"  # uint8, shape (N, H, W, 3)
    POINTS = "points"  # real, shape (N, 2)

    def fits(self, shape: Sequence[int]) -> bool:
        """Whether data of this shape are meant, N included."""
        if self is Suits.POINTS:
            return len(shape) == 2 and shape[1] == 2
        return len(shape) == 4 and (self is Suits.IMAGES or shape[3] == 3)


@dataclass(frozen=True, slots=True)
class Feature:
    """A number of an example: its `name` in formulas and files, its unit, empty for a pure number, and what it is.

    The `help` says that in a sentence, the `formula` how; `measure` gives the values (n,) of examples of data that it
    suits.
    """

    name: str
    title: str
    unit: str
    help: str
    formula: str
    measure: Callable[[Examples], Floats]
    suits: Suits = Suits.IMAGES

    @property
    def axis(self) -> str:
        return f"{self.title} ({self.unit})" if self.unit else self.title


class Examples:
    """A few examples, uint8 images (n, H, W, C) or points (n, 2), and what several features share of them."""

    def __init__(self, data: NDArray[Any]) -> None:
        self.data = data

    @cached_property
    def grey(self) -> Floats:
        """g, luminance in 0…1, shape (n, H, W)."""
        if self.data.shape[3] == 1:
            return self.data[..., 0] / 255.0
        luminance: Floats = (self.data / 255.0) @ _LUMA
        return luminance

    @cached_property
    def ink(self) -> Floats:
        """f = |g − b|, shape (n, H, W)."""
        grey = self.grey
        sides = (grey[:, 0], grey[:, -1], grey[:, 1:-1, 0], grey[:, 1:-1, -1])
        background = np.median(np.concatenate(sides, axis=1), axis=1)
        return np.abs(grey - background[:, np.newaxis, np.newaxis])

    @cached_property
    def moments(self) -> tuple[Floats, Floats, Floats]:
        """Var(x), Var(y) and Cov(x, y) of the ink in square pixels, y upwards, each of shape (n,)."""
        n, height, width = self.ink.shape
        x = np.tile(np.arange(width) - (width - 1) / 2, height)
        y = np.repeat((height - 1) / 2 - np.arange(height), width)
        basis = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=1)
        total, sx, sy, sxx, syy, sxy = (self.ink.reshape(n, -1) @ basis).T
        some = np.where(total > 0, total, 1.0)
        mx, my = sx / some, sy / some
        return (
            np.maximum(sxx / some - mx * mx, 0.0) + 1 / 12,
            np.maximum(syy / some - my * my, 0.0) + 1 / 12,
            sxy / some - mx * my,
        )

    @cached_property
    def brightest(self) -> NDArray[np.int16]:
        """max(R, G, B) per pixel, shape (n, H, W)."""
        return np.asarray(self.data.max(axis=3), dtype=np.int16)

    @cached_property
    def chroma(self) -> NDArray[np.int16]:
        """max(R, G, B) − min(R, G, B) per pixel, shape (n, H, W)."""
        return self.brightest - np.asarray(self.data.min(axis=3), dtype=np.int16)


def _ink(of: Examples) -> Floats:
    ink = of.ink
    # A hair above one half, so that rounding decides nothing.
    inked: Floats = (ink > ink.max(axis=(1, 2), keepdims=True) / 2 + 1e-9).mean(axis=(1, 2))
    return 100.0 * inked


def _mean(of: Examples) -> Floats:
    return np.asarray(100.0 * of.grey.mean(axis=(1, 2)))


def _contrast(of: Examples) -> Floats:
    return np.asarray(100.0 * of.grey.std(axis=(1, 2)))


def _slant(of: Examples) -> Floats:
    _, vertical, mixed = of.moments
    return np.degrees(np.arctan2(mixed, vertical))


def _aspect(of: Examples) -> Floats:
    horizontal, vertical, _ = of.moments
    return np.sqrt(horizontal / vertical)


def _stroke(of: Examples) -> Floats:
    """The gradient is that of 2×2 cells, ∂x the mean of both rows' differences: exact for edges at 0°, 45° and 90°."""
    ink = np.pad(of.ink, ((0, 0), (1, 1), (1, 1)))
    across, down = np.diff(ink, axis=2), np.diff(ink, axis=1)
    outline = np.hypot(across[:, :-1] + across[:, 1:], down[:, :, :-1] + down[:, :, 1:]).sum(axis=(1, 2)) / 2
    width: Floats = 2 * of.ink.sum(axis=(1, 2)) / np.where(outline > 0, outline, np.inf)
    return width


def _saturation(of: Examples) -> Floats:
    shares: Floats = of.chroma / np.maximum(of.brightest, 1)
    return np.asarray(100.0 * shares.mean(axis=(1, 2)))


def _hue(of: Examples) -> Floats:
    red, green, blue = (of.data[..., channel].astype(np.int16) for channel in range(3))
    chroma, brightest = of.chroma, of.brightest
    some = np.maximum(chroma, 1)
    sector = np.select(
        [brightest == red, brightest == green],
        [(green - blue) / some, 2 + (blue - red) / some],
        4 + (red - green) / some,
    )
    angle = np.pi / 3 * sector
    along, across = ((chroma * part).sum(axis=(1, 2)) for part in (np.cos(angle), np.sin(angle)))
    # Without a direction of its own, such as a grey image or complementary halves, rounding would choose the hue.
    directed = np.hypot(along, across) > 1e-9 * np.maximum(chroma.sum(axis=(1, 2)), 1)
    degrees = np.degrees(np.arctan2(np.where(directed, across, 0.0), np.where(directed, along, 1.0)))
    return np.mod(np.round(degrees, 9), 360.0)


def _x(of: Examples) -> Floats:
    return np.asarray(of.data[:, 0], dtype=np.float64)


def _y(of: Examples) -> Floats:
    return np.asarray(of.data[:, 1], dtype=np.float64)


FEATURES: tuple[Feature, ...] = (
    Feature(
        "ink",
        "Ink",
        "%",
        "How much of the image is drawn on: pixels that stand out from the border's brightness.",
        "share of pixels with f > ½·max f, f = |luminance − median of the border|",
        _ink,
    ),
    Feature(
        "mean",
        "Mean",
        "%",
        "How bright the image is: 0 % is black, 100 % white.",
        "⟨g⟩, g = luminance",
        _mean,
    ),
    Feature(
        "contrast",
        "Contrast",
        "%",
        "How far pixels are from the image's mean brightness; 50 % is half black, half white.",
        "√(⟨g²⟩ − ⟨g⟩²), g = luminance",
        _contrast,
    ),
    Feature(
        "slant",
        "Slant",
        "°",
        "How far what is drawn leans: positive to the right, as in italics.",
        "arctan(Cov(x, y)/Var(y)), weighted by ink, y upwards",
        _slant,
    ),
    Feature(
        "stroke",
        "Stroke width",
        "px",
        "How thick the strokes are: twice the inked area over the length of its outline.",
        "2·Σf/Σ|∇f|, f = |luminance − median of the border|",
        _stroke,
    ),
    Feature(
        "aspect",
        "Aspect",
        "",
        "How wide what is drawn is against its height: 1 is as wide as high, 2 twice as wide.",
        "√(Var(x)/Var(y)), weighted by ink",
        _aspect,
    ),
    Feature(
        "hue",
        "Hue",
        "°",
        "The image's mean hue on the colour circle: 0° red, 120° green, 240° blue; 0° too for one without colour.",
        "arg Σ c·exp(i·hue), c = max(R, G, B) − min(R, G, B)",
        _hue,
        Suits.COLOUR,
    ),
    Feature(
        "saturation",
        "Saturation",
        "%",
        "How colourful the image is: 0 % is grey.",
        "⟨(max − min)/max⟩ over R, G, B",
        _saturation,
        Suits.COLOUR,
    ),
    Feature("x", "x", "", "The point's first coordinate.", "x", _x, Suits.POINTS),
    Feature("y", "y", "", "The point's second coordinate.", "y", _y, Suits.POINTS),
)
"""In the order of lists on the screen. A new feature is a function and an entry here."""


def features_of(shape: Sequence[int]) -> tuple[Feature, ...]:
    """The features that data of this shape have, N included."""
    return tuple(feature for feature in FEATURES if feature.suits.fits(shape))


def feature_named(name: str, shape: Sequence[int]) -> Feature:
    """The feature of that name; raises UserError if there is none, or data of this shape do not have it."""
    known = features_of(shape)
    for feature in known:
        if feature.name == name:
            return feature
    others = [feature for feature in FEATURES if feature.name == name]
    reason = f"Only {others[0].suits} have it." if others else "There is no such feature."
    raise UserError(
        f"This data set has no feature “{name[:40]}”",
        reason,
        f"Its features are {', '.join(feature.name for feature in known)}.",
        field="perturbation.terms",
    )


def measure(data: NDArray[Any], names: Sequence[str], progress: Progress | None = None) -> dict[str, Floats]:
    """Values of features by name, each float64 of shape (N,), finite and read-only, of uint8 images (N, H, W, C) or
    points (N, 2).

    Memory stays bounded: the data are measured a few thousand examples at a time. Raises UserError if a name is not one
    of the data's features.
    """
    progress = progress or Progress()
    features = [feature_named(name, data.shape) for name in names]
    found = {feature.name: np.empty(len(data)) for feature in features}
    step = max(1, _CHUNK_NUMBERS // max(1, int(np.prod(data.shape[1:]))))
    for start in range(0, len(data), step):
        progress.report("Measuring features", start / len(data))
        examples = Examples(data[start : start + step])
        for feature in features:
            found[feature.name][start : start + step] = feature.measure(examples)
    for values in found.values():
        values.flags.writeable = False
    return found

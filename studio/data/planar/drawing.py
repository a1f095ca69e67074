"""A drawing of classes by a brush, and the text that a run configuration holds it as.

    1@0.2 -1.5,0.3 -1.4,0.45; 2@0.3 1.2,-0.8

is a stroke of class 1 by a brush of width 0.2 through two places, and one of class 2. Each place is a round Gaussian
of the brush's width σ, so a class's density is their mean and known exactly.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from studio.data.planar.density import Array, Blobs

MOST_CLASSES = 9
MOST_PLACES = 2000
REACH = 3.5
"""Largest coordinate of a place."""

LEAST_WIDTH, MOST_WIDTH = 0.05, 0.3
_LONGEST = 20 * MOST_PLACES
_STROKE = re.compile(r"([1-9])@(\d+(?:\.\d+)?)((?: +-?\d+(?:\.\d+)?,-?\d+(?:\.\d+)?)+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stroke:
    """What was drawn between pressing and releasing, by a brush of width σ: a class from 1, and centres (x₁, x₂)."""

    label: int
    width: float
    places: tuple[tuple[float, float], ...]


def parse_drawing(text: str) -> tuple[Stroke, ...]:
    """The strokes of a text; none of an empty one. Raises ValueError if it is no drawing, with the stroke at fault."""
    if len(text) > _LONGEST:
        raise ValueError(f"the drawing is longer than {_LONGEST:,} characters")
    parts = [part.strip() for part in text.split(";") if part.strip()]
    strokes = tuple(_stroke(number, part) for number, part in enumerate(parts, start=1))
    places = sum(len(stroke.places) for stroke in strokes)
    if places > MOST_PLACES:
        raise ValueError(f"the drawing has {places:,} places; at most {MOST_PLACES:,} are taken")
    return strokes


def _stroke(number: int, text: str) -> Stroke:
    found = _STROKE.fullmatch(text)
    if found is None:
        raise ValueError(f"stroke {number} of the drawing is not of the form 1@0.2 x,y x,y")
    width = float(found[2])
    if not LEAST_WIDTH <= width <= MOST_WIDTH:
        raise ValueError(f"stroke {number} has a width of {width:g}; it must be {LEAST_WIDTH:g} to {MOST_WIDTH:g}")
    pairs = [pair.split(",") for pair in found[3].split()]
    places = tuple((float(x), float(y)) for x, y in pairs)
    if any(abs(value) > REACH for place in places for value in place):
        raise ValueError(f"stroke {number} leaves the square of ±{REACH:g}")
    return Stroke(label=int(found[1]), width=width, places=places)


def drawing_text(strokes: Iterable[Stroke]) -> str:
    """The strokes as a text, to a hundredth; `parse_drawing` undone."""
    return "; ".join(
        f"{stroke.label}@{_short(stroke.width)} " + " ".join(f"{_short(x)},{_short(y)}" for x, y in stroke.places)
        for stroke in strokes
    )


def _short(value: float) -> str:
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def classes_of(strokes: Iterable[Stroke]) -> dict[str, tuple[Blobs, int]]:
    """Each class that was drawn, in order: its name, its density, and in how many places."""
    places: dict[int, list[tuple[float, float]]] = {}
    widths: dict[int, list[float]] = {}
    for stroke in strokes:
        places.setdefault(stroke.label, []).extend(stroke.places)
        widths.setdefault(stroke.label, []).extend([stroke.width] * len(stroke.places))
    found = {}
    for label in sorted(places):
        centres: Array = np.array(places[label])
        number = len(centres)
        found[str(label)] = Blobs(centres, np.array(widths[label]), np.full(number, 1 / number)), number
    return found

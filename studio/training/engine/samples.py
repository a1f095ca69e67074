"""Samples of a model as its data set stores examples: whole or in parts, and how many of them tell something new.

Of what a model draws from a few chains, or from a replay buffer, no more samples are sure to be independent than it has
of those: further ones may be copies. Intervals, floors and distances between samples take each for one of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch

from studio.data.scale import PIXELS, Scale, Values
from studio.errors import UserError
from studio.models.base import GenerativeModel, at_rest
from studio.progress import Progress
from studio.training.engine.memory import telling_of_shortage

_PIECE = 500
SMALLER_MODEL = "Use a smaller model, or close other programs."
"""What to do where drawing takes too much memory."""


def draw(model: GenerativeModel, count: int, rng: torch.Generator, scale: Scale = PIXELS) -> Values:
    """What a model makes, as stored at that scale, shape (count, H, W, C), read-only; raises UserError if infinite."""
    return next(draw_parts(model, (count,), rng, scale))


@torch.no_grad()
def draw_parts(
    model: GenerativeModel, counts: Iterable[int], rng: torch.Generator, scale: Scale = PIXELS
) -> Iterator[Values]:
    """The same in parts of so many; a model of chains or a replay buffer repeats none of them before all had a turn."""
    parts = iter(model.sample_parts(counts, rng))
    while True:
        with at_rest(model):
            images = next(parts, None)
        if images is None:
            return
        if not bool(images.isfinite().all()):
            raise UserError(
                "The model generates values that are not finite",
                "Training has diverged, or its weights were changed.",
                "Go back to the last good state, or to an earlier checkpoint, and lower the learning rate.",
            )
        yield scale.stored(images.float().cpu().numpy())


def drawn_pieces(
    model: GenerativeModel, count: int, rng: torch.Generator, scale: Scale, progress: Progress
) -> Iterator[tuple[int, Values]]:
    """How many were drawn before, and the next of them, shape (n, H, W, C), as stored; `count` in all, by a model in
    eval mode.

    The same generator gives the same ones. Raises UserError if there is too little memory, or not all of them are
    finite.
    """
    starts = range(0, count, _PIECE)
    parts = draw_parts(model, (min(_PIECE, count - start) for start in starts), rng, scale)
    for start in starts:
        progress.report(f"Drawing {count:,} samples", start / count)
        with telling_of_shortage(SMALLER_MODEL):
            drawn = next(parts)
        yield start, drawn


def independent(model: GenerativeModel, count: int) -> int:
    """As many of `count` samples as are independent of each other."""
    most = model.independent_samples
    return count if most is None else min(count, most)

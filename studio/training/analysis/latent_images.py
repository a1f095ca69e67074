"""Images of latents: a run's sample grid, and the way from one sample to another.

Two latents are joined by spherical interpolation, which keeps to the lengths that z ~ N(0, 1) has, where the straight
line would lead through the empty middle:

    slerp(a, b; t) = [sin((1 − t)·Ω)·a + sin(t·Ω)·b] / sin Ω,   cos Ω = a·b/(|a|·|b|)

(and (1 − t)·a + t·b where Ω is 0 or π). Four span a square, slerp(slerp(a, b; u), slerp(c, d; u); v).
Sources: K. Shoemake, SIGGRAPH (1985); T. White, arXiv:1609.04468 (2016).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from studio.data.scale import Scale, Values
from studio.models.base import GenerativeModel, at_rest
from studio.models.views import marked
from studio.training.messages.commands import ShowBetween
from studio.training.messages.latents import LatentPoint, Latents
from studio.training.messages.snapshot import Interpolation

ROW, SIDE = 9, 7
"""Images of a row between two samples, and along a side of the square between four."""

_NOISE_STREAM = 0x5EED
"""Of what settings add to an image beside its latent: the same in every grid, so that a favourite stays as it is."""


@torch.no_grad()
def grid_images(model: GenerativeModel, latents: Latents, count: int, scale: Scale) -> Values:
    """A sample grid as a data set of that scale stores its examples, shape (count, H, W, C).

    A model without latents has its stream begin with their seed instead, and knows no favourites.
    """
    device = next(model.parameters()).device
    with at_rest(model):
        if model.latent_shape is None:
            images = model.sample(count, torch.Generator(device).manual_seed(latents.seed))
        else:
            noise = torch.Generator(device).manual_seed(_NOISE_STREAM)
            images = model.decode(latents_of(model, latents.points(count)), noise)
    return _seen(images, scale)


@torch.no_grad()
def interpolation(model: GenerativeModel, asked: ShowBetween, step: int, scale: Scale) -> Interpolation | None:
    """The way between two samples, `ROW` images, or the square between four, `SIDE`² images row by row.

    Its corners are the samples as their latents alone decide them, by the model with the weights that are asked for.
    None where no latent is behind a picture: for models without them, and for points, which share one picture.
    """
    if model.latent_shape is None or not scale.whole:
        return None
    with at_rest(model):
        images = model.decode(between(latents_of(model, asked.points)))
    return Interpolation(
        step=step,
        points=asked.points,
        averaged=asked.averaged,
        images=_seen(images, scale).astype(np.uint8, copy=False),
        columns=SIDE if len(asked.points) == 4 else ROW,
    )


def _seen(images: Tensor, scale: Scale) -> Values:
    """Images to be looked at, of a model that may have diverged; points that are no numbers stay so."""
    return scale.stored((marked(images) if scale.whole else images).float().cpu().numpy())


def latents_of(model: GenerativeModel, points: Sequence[LatentPoint]) -> Tensor:
    """z of each point, shape (n, *latent_shape), with the device and type of the model's parameters."""
    like, shape = next(model.parameters()), model.latent_shape
    assert shape is not None
    drawn = [torch.randn(shape, generator=torch.Generator().manual_seed(_stream(point))) for point in points]
    return torch.stack(drawn).to(like.device, like.dtype)


def _stream(point: LatentPoint) -> int:
    """A seed that those of neighbours have nothing to do with."""
    return int(np.random.SeedSequence((point.seed, point.place)).generate_state(1, np.uint64)[0] >> 1)


def between(corners: Tensor) -> Tensor:
    """Latents between two corners, shape (`ROW`, …), or four, shape (`SIDE`², …); corners have shape (2 or 4, …)."""
    if len(corners) == 2:
        return torch.stack([slerp(corners[0], corners[1], t) for t in _places(ROW)])
    above, below = ([slerp(corners[first], corners[first + 1], u) for u in _places(SIDE)] for first in (0, 2))
    return torch.stack([slerp(one, other, v) for v in _places(SIDE) for one, other in zip(above, below, strict=True)])


def slerp(a: Tensor, b: Tensor, t: float) -> Tensor:
    """The point a fraction t of the way from a to b along the arc; both of one shape."""
    cosine = (a.flatten() @ b.flatten()) / (a.norm() * b.norm())
    angle = torch.arccos(cosine.clamp(-1, 1))
    sine = angle.sin()
    if not sine > 1e-4:  # on one line, where there is no one arc; or a latent that is 0
        return (1 - t) * a + t * b
    return (((1 - t) * angle).sin() * a + (t * angle).sin() * b) / sine


def _places(count: int) -> list[float]:
    return [step / (count - 1) for step in range(count)]

"""The part of a model that other programs can use: a function of tensors, without random draws and without the studio.

What is drawn at random enters as an argument, so that the caller decides: a generator takes z, an autoencoder its
codes, a denoiser the noisy image and its time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

IMAGES = "images in −1…1, float32, shape (B, C, H, W)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """A tensor that the function takes: what it is, with type and shape, and (B, rng) → typical values for B."""

    says: str
    draw: Callable[[int, torch.Generator], Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportableModel:
    """That function, such as a "generator", with its arguments by name, and what its results are.

    The network's forward takes the arguments in their order and returns a tensor, or a tuple of several; in all of them
    the first dimension counts examples, which do not see each other.
    """

    title: str
    network: nn.Module
    takes: Mapping[str, Argument]
    gives: Mapping[str, str]


def latent_argument(size: int, name: str = "z") -> Argument:
    """So many numbers per example, each N(0, 1)."""
    return Argument(
        says=f"{name} ~ N(0, 1), float32, shape (B, {size})",
        draw=lambda count, rng: torch.randn(count, size, generator=rng),
    )


def image_argument(shape: tuple[int, int, int]) -> Argument:
    """An image per example, of shape (C, H, W)."""
    return Argument(says=IMAGES, draw=lambda count, rng: 2 * torch.rand(count, *shape, generator=rng) - 1)


def label_argument(classes: int, guidance: float = 0.0) -> dict[str, Argument]:
    """The class of an example, by name, for a model that is told one of so many; nothing for 0.

    `guidance` is that of the studio's samples.
    """
    if not classes:
        return {}
    guided = f"; samples were led by f(c) + {guidance:g}·(f(c) − f(−1)), −1 being no class" if guidance else ""
    return {
        "labels": Argument(
            says=f"class in 0…{classes - 1}, int64, shape (B,){guided}",
            draw=lambda count, rng: torch.randint(classes, (count,), generator=rng),
        )
    }

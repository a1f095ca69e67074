"""How rough images are at three sizes of detail: what tells blur, noise and compression, which a classifier ignores.

At full, half and quarter resolution, with differences d between neighbours along rows and columns and second
differences e,

    log(1 + rms d/8),   log(1 + rms e/8),   ⟨log(1 + |d|/8)⟩      in grey levels: what is below 8 is hardly seen

and mean and spread of the image. They are whitened by the data, so that each direction in which the data hardly differ
weighs as much as those in which they do: sharp photographs are rough or smooth, but at all sizes alike.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

TEXTURES = 11

_SEEN = 8.0
"""Grey levels."""

_PART = 0.5
"""Spread of a whitened texture over that of a feature."""

_LEAST = 1e-3
"""Variance of a direction over the greatest, below which it is taken as rounding."""


def textures(images: Tensor) -> Tensor:
    """Images in 0…255, shape (B, C, H, W), → (B, 11)."""
    x = images.float()
    found = [x.mean((1, 2, 3)) / _SEEN, x.std((1, 2, 3), correction=0) / _SEEN]
    for _ in range(3):
        first = [x.diff(dim=2), x.diff(dim=3)]
        second = [each.diff(dim=axis) for each, axis in zip(first, (2, 3), strict=True)]
        found += [_log_rms(first), _log_rms(second), _mean([(each.abs() / _SEEN).log1p() for each in first])]
        x = F.avg_pool2d(x, 2, ceil_mode=True)
    return torch.stack(found, dim=1)


def whitening(features: Tensor) -> Tensor:
    """W of features and textures t of data, shape (N, 75), that makes the covariance of W t a quarter of a feature's.

    That is ¼V 1, with V the mean variance of features: shape (11, 11). So blur is seen, and does not outweigh all else.
    """
    plain, found = features[:, :-TEXTURES].double(), features[:, -TEXTURES:].double()
    values, vectors = torch.linalg.eigh(torch.cov(found.T, correction=0))
    values = values.clamp(min=max(_LEAST * float(values[-1]), 1e-12))
    return (_PART * vectors * (plain.var(0, correction=0).mean() / values).sqrt()).T.float()


def _log_rms(parts: list[Tensor]) -> Tensor:
    return (_mean([part**2 for part in parts]).sqrt() / _SEEN).log1p()


def _mean(parts: list[Tensor]) -> Tensor:
    """Over the pixels of all parts, shape (B,); 0 of images without any."""
    count = sum(part[0].numel() for part in parts)
    return torch.stack([part.sum((1, 2, 3)) for part in parts]).sum(0) / max(1, count)

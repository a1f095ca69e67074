"""The energy's network: image → one number, smooth, so that its slope leads somewhere everywhere.

MLP            two hidden layers of 8·width units; for images of up to 16 pixels a side
convolutional  5×5, then 3×3 layers of stride 2 with width, 2·width, 4·width, 4·width channels, then two linear ones
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from studio.models.config import Architecture
from studio.models.image_layers import FromImage
from studio.models.nets import Shape, is_convolutional


class Energy(nn.Module):
    """E(x), shape (B,), for images (B, C, H, W)."""

    def __init__(self, shape: Shape, *, architecture: Architecture, width: int) -> None:
        super().__init__()
        build = _convolutions if is_convolutional(shape, architecture) else _perceptron
        self.layers = build(shape, width)

    def forward(self, images: Tensor) -> Tensor:
        energy: Tensor = self.layers(images)
        return energy.squeeze(1).to(images.dtype)


def _perceptron(shape: Shape, width: int) -> nn.Sequential:
    pixels, hidden = shape[0] * shape[1] * shape[2], 8 * width
    return nn.Sequential(
        nn.Flatten(), nn.Linear(pixels, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, 1)
    )


def _convolutions(shape: Shape, width: int) -> nn.Sequential:
    channels = (width, 2 * width, 4 * width, 4 * width)
    layers: list[nn.Module] = [FromImage(shape[0], width, 5, stride=2, padding=2), nn.SiLU()]
    for fan_in, fan_out in pairwise(channels):
        layers += [nn.Conv2d(fan_in, fan_out, 3, stride=2, padding=1), nn.SiLU()]
    with torch.no_grad():
        features = nn.Sequential(*layers, nn.Flatten())(torch.zeros(1, *shape)).shape[1]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(features, 4 * width), nn.SiLU(), nn.Linear(4 * width, 1))

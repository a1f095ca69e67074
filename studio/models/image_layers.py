"""The layers next to an image, which has few channels: torch's own, but by products of matrices where these are faster.

oneDNN has no good kernel for a convolution that leaves few channels. For 68 images of 28×28 and 32 maps, a transposed
convolution and the gradient of a convolution by its images take 7 to 8 ms each of a core at 2.5 GHz, where either's
opposite takes 1. The same sums, in another order, take 1 to 2:

    convolution    y = W·unfold(x) + b      W of shape (c_out, c_in·k·k)
    transposed     y = fold(Wᵀ·x) + b       W of shape (c_in, c_out·k·k)

Source: K. Chellapilla, S. Puri, P. Simard, High performance convolutional neural networks for document processing,
IWFHR (2006). Measured in float32 on a processor with one channel and three; all else is left to torch.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_MOST_CHANNELS = 3


class FromImage(nn.Conv2d):
    """Images (B, c_in, H, W) → maps (B, c_out, H′, W′), by a square kernel; quick to differentiate by its images."""

    def __init__(self, channels: int, maps: int, kernel: int, *, stride: int, padding: int) -> None:
        super().__init__(channels, maps, kernel, stride, padding)
        self._geometry = kernel, stride, padding

    def forward(self, images: Tensor) -> Tensor:
        if not images.requires_grad or not _by_products(images, self.in_channels):
            return super().forward(images)
        kernel, stride, padding = self._geometry
        size = tuple((side + 2 * padding - kernel) // stride + 1 for side in images.shape[2:])
        parts = F.unfold(images, kernel, padding=padding, stride=stride)
        assert self.bias is not None
        maps = torch.baddbmm(self.bias[:, None], _for_each(images, self.weight.flatten(1)), parts)
        return maps.unflatten(2, size)


class ToImage(nn.ConvTranspose2d):
    """Maps (B, c_in, H, W) → images (B, c_out, H′, W′), by a square kernel; leaves out `padding` pixels around them."""

    def __init__(self, maps: int, channels: int, kernel: int, *, stride: int, padding: int) -> None:
        super().__init__(maps, channels, kernel, stride, padding)
        self._geometry = kernel, stride, padding

    def forward(self, maps: Tensor, output_size: list[int] | None = None) -> Tensor:
        if output_size is not None or not _by_products(maps, self.out_channels):
            return super().forward(maps, output_size)
        kernel, stride, padding = self._geometry
        size = tuple((side - 1) * stride - 2 * padding + kernel for side in maps.shape[2:])
        parts = torch.bmm(_for_each(maps, self.weight.flatten(1).t()), maps.flatten(2))
        assert self.bias is not None
        return F.fold(parts, size, kernel, padding=padding, stride=stride) + self.bias[:, None, None]


def _by_products(values: Tensor, channels: int) -> bool:
    """Whether that is faster, and no program is being made of it that others shall read."""
    return (
        channels <= _MOST_CHANNELS
        and values.device.type == "cpu"
        and values.dtype is torch.float32
        and not torch.is_autocast_enabled("cpu")
        and not torch.compiler.is_compiling()
    )


def _for_each(values: Tensor, matrix: Tensor) -> Tensor:
    """The matrix once for each example, without a copy: a product with a batch of one is slower."""
    return matrix.expand(len(values), *matrix.shape)

"""Between tensors in −1…1 and bytes on the screen."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def marked(images: Tensor) -> Tensor:
    """Images, shape (n, C, H, W), in which what is no finite number is a chequerboard of black and white.

    Nobody takes it for what a model has learned, as they might take black.
    """
    height, width = images.shape[-2:]
    rows, columns = (torch.arange(length, device=images.device) for length in (height, width))
    board = 2.0 * ((rows[:, None] + columns) % 2).to(images.dtype) - 1
    return torch.where(images.isfinite(), images, board)


def to_pixels(images: Tensor) -> NDArray[np.uint8]:
    """Images in −1…1, shape (n, C, H, W), clipped and `marked`, as uint8, shape (n, H, W, C), read-only, to be seen."""
    pixels = marked(images.detach()).add(1).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)
    array: NDArray[np.uint8] = pixels.permute(0, 2, 3, 1).contiguous().cpu().numpy()
    array.flags.writeable = False
    return array


def to_array(values: Tensor) -> NDArray[np.float64]:
    """Values of any shape as one row of float64 on the CPU, read-only."""
    array: NDArray[np.float64] = values.detach().flatten().double().cpu().numpy()
    array.flags.writeable = False
    return array

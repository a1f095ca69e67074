"""What a model shows of itself beside its samples: pictures and curves for whoever watches, fields and flows of the
plane, and the part of it that other programs can use. Training needs none of it, and a model need not have any.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from studio.models.diagnostic import Diagnostic
from studio.models.exportable import ExportableModel
from studio.models.plane import PlaneView


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Real examples in −1…1 on which a model may look at itself; never trained on from here.

    Training uses those `seen`, shape (n, C, H, W), and not those `held_out`, shape (m, C, H, W), m possibly 0. Their
    labels, shapes (n,) and (m,), are there for a model that has learned what a label means.
    """

    seen: Tensor
    held_out: Tensor
    seen_labels: Tensor | None = None
    held_out_labels: Tensor | None = None


class ModelViews:
    """Nothing; a family shows what it has. Called in eval mode and without gradients, which may be enabled within."""

    def diagnostics(self, probe: Probe, rng: torch.Generator) -> tuple[Diagnostic, ...]:
        """Pictures, histograms and curves of its inner life, asked for now and then."""
        return ()

    def on_plane(self, points: Tensor, labels: Tensor, rng: torch.Generator) -> tuple[PlaneView, ...]:
        """What a model of points shows beside some of its samples, shape (n, 2, 1, 1), in each frame of the window.

        A model that is told classes is told the most probable one of each of these, shape (n,).
        """
        return ()

    def on_plane_at_leisure(self, points: Tensor, rng: torch.Generator) -> tuple[PlaneView, ...]:
        """What of `on_plane` takes too long for every frame; called so often that it keeps to a share of the time."""
        return ()

    def wasserstein_scores(self, points: Tensor) -> Tensor | None:
        """D(x) of points (n, 2, 1, 1), shape (n,), of a critic whose gap stands for W₁; None of a model without one."""
        return None

    def exportable(self) -> ExportableModel | None:
        """What of it other programs can use without the studio; None if there is nothing."""
        return None


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

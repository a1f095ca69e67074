"""What a model shows of itself beside its samples: pictures and curves for whoever watches, fields and flows of the
plane, and the part of it that other programs can use. Training needs none of it, and a model need not have any.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from studio.models.diagnostic import Diagnostic
from studio.models.exportable import ExportableModel
from studio.models.plane import PlaneView


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Real examples in −1…1 on which a model may look at itself; never trained on from here.

    Training uses those `seen`, shape (n, C, H, W), and not those `held_out`, shape (m, C, H, W), m possibly 0.
    """

    seen: Tensor
    held_out: Tensor


class ModelViews:
    """Nothing; a family shows what it has. Called in eval mode and without gradients, which may be enabled within."""

    def diagnostics(self, probe: Probe, rng: torch.Generator) -> tuple[Diagnostic, ...]:
        """Pictures, histograms and curves of its inner life, asked for now and then."""
        return ()

    def on_plane(self, points: Tensor, rng: torch.Generator) -> tuple[PlaneView, ...]:
        """What a model of points shows beside some of its samples, shape (n, 2, 1, 1), in each frame of the window."""
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

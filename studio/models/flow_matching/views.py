"""What flow matching shows: loss against time, samples on their way out of the noise, and the flow of the plane."""

from __future__ import annotations

import torch
from torch import Tensor

from studio.models.diagnostic import Diagnostic, Profile
from studio.models.diffusion.views import COLUMNS, mean_losses, stage_pictures
from studio.models.exportable import IMAGES, Argument, ExportableModel, image_argument, label_argument
from studio.models.flow_matching.model import FlowMatching
from studio.models.plane import PlaneView
from studio.models.plane_views import PARTICLES, arrows, flow, grid, log_density_field
from studio.models.views import ModelViews, Probe, to_array

_LEVELS = 12
_LATE = 0.9


class FlowMatchingViews(ModelViews):
    """Of a velocity."""

    def __init__(self, model: FlowMatching) -> None:
        self._model = model

    def diagnostics(self, probe: Probe, rng: torch.Generator) -> tuple[Diagnostic, ...]:
        model = self._model
        times = (torch.arange(_LEVELS, dtype=probe.seen.dtype) + 0.5) / _LEVELS
        profile = Profile(
            name="loss_by_time",
            title="Loss against time",
            tip="At which times the velocity is still bad; a gap between training and held-out is overfitting. "
            "Mean of (said − (α̇·x + σ̇·z))² per pixel at t.",
            axes=("time t, 0 is noise", "loss per pixel"),
            at=to_array(times),
            series=mean_losses(model.matching_loss, times, probe, rng),
        )
        stages = [
            (f"t = {time:.2f}", image, model.mixture(image.new_full((1,), time)).image(image, velocity))
            for time, image, velocity in model.way(*model.parted(model.draw_latents(COLUMNS, rng)))
        ]
        return profile, stage_pictures(stages, "x_t and x̂(x_t, v) as t grows from 0 to 1.")

    def exportable(self) -> ExportableModel:
        return ExportableModel(
            title="velocity",
            network=self._model.velocity,
            takes={
                "image": image_argument(self._model.image_shape),
                "time": Argument(
                    says="t in 0…1, float32, shape (B,)", draw=lambda count, rng: torch.rand(count, generator=rng)
                ),
                **label_argument(self._model.classes, self._model.guidance),
            },
            gives={"velocity": f"dx_t/dt, to be followed from noise at t = 0 to t = 1: {IMAGES.partition(',')[0]}"},
        )

    def on_plane(self, points: Tensor, labels: Tensor, rng: torch.Generator) -> tuple[PlaneView, ...]:
        model = self._model
        ways = flow(
            "How particles come out of the noise, as samples do: dx/dt = v(x, t) as t grows from 0 to 1.",
            [stage.image for stage in model.way(*model.parted(model.draw_latents(PARTICLES, rng)))],
        )
        pull = arrows(
            "velocity",
            "Velocity",
            f"Where each sample would be carried, were it at t = {_LATE}. v(x, t)",
            points,
            model.guided_velocity(points, _LATE, model.heard(labels)),
        )
        return pull, ways

    def on_plane_at_leisure(self, points: Tensor, rng: torch.Generator) -> tuple[PlaneView, ...]:
        tip = (
            "How densely samples lie, from where their noise would be; it is brought up to date every second or so. "
            "log q(x) = log N(z; 0, 1) − ∫ ∇·v dt along the way back to noise z."
        )
        return (log_density_field(self._model.log_density(grid(points)), tip),)

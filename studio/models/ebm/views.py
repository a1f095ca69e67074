"""What an energy-based model shows of itself: where its samples come from, its energies, and Langevin dynamics."""

from __future__ import annotations

import torch
from torch import Tensor

from studio.models.diagnostic import Diagnostic, Histogram, Pictures
from studio.models.ebm.model import Ebm
from studio.models.exportable import ExportableModel, image_argument
from studio.models.plane import PlaneView
from studio.models.plane_views import anywhere, field, grid, log_density_field, repeated, slope_arrows
from studio.models.views import ModelViews, Probe, to_array, to_pixels

_ENERGY_TIP = "How improbable the model finds each place; points roll downhill. E(x), with p(x) ∝ exp(−E(x)/T)."
_FORCE_TIP = "Where a Langevin step takes each sample. −∇E(x)."
_FLOW_TIP = "Where Langevin dynamics takes particles from anywhere, step by step. x ← x − s·∇E(x) + σ·ξ, ξ ~ N(0, 1)."
_COLUMNS = 16


class EbmViews(ModelViews):
    """Of an energy and its replay buffer."""

    def __init__(self, model: Ebm) -> None:
        self._model = model

    def exportable(self) -> ExportableModel:
        return ExportableModel(
            title="energy",
            network=self._model.energy,
            takes={"images": image_argument(self._model.image_shape)},
            gives={"energy": "E(x) with p(x) ∝ exp(−E(x)/T), float32, shape (B,)"},
        )

    def on_plane(self, points: Tensor, labels: Tensor, rng: torch.Generator) -> tuple[PlaneView, ...]:
        energy = self._model.energy(grid(points))
        views: list[PlaneView] = [
            field("energy", "Energy", _ENERGY_TIP, energy),
            slope_arrows("pull", "Force on samples", _FORCE_TIP, self._model.energy, points),
        ]
        if self._model.config.noise:
            temperature = self._model.config.noise**2 / (2 * self._model.config.step_size)
            tip = "What Langevin dynamics samples. log q(x) = −E(x)/T − log Z with T = σ²/(2·step size), Z by the grid."
            views.append(log_density_field(-energy / temperature, tip))

        def moved(at: Tensor) -> Tensor:
            return self._model.langevin.run(self._model.energy, at, 1, rng)

        views.append(repeated(_FLOW_TIP, moved, anywhere(points, rng)))
        return tuple(views)

    def diagnostics(self, probe: Probe, rng: torch.Generator) -> tuple[Diagnostic, ...]:
        count = min(_COLUMNS, len(self._model.buffer))
        start = self._model.noise_images(count, rng)
        steps = self._model.config.langevin_steps
        fresh, long = self._model.moved(start, steps, rng), self._model.moved(start, 5 * steps, rng)
        kept = self._model.sample(max(count, min(len(probe.seen), len(self._model.buffer))), rng)
        energies = {"trained on": probe.seen, "held out": probe.held_out, "buffer": kept, "fresh noise": long}
        return (
            Pictures(
                name="origins",
                title="From the buffer and from noise",
                tip="Whether the energy can lead noise to an image, or only polishes what the buffer holds. "
                "Rows: buffer, noise after n Langevin steps, noise after 5·n.",
                images=to_pixels(torch.cat((kept[:count], fresh, long))),
                columns=count,
                rows=("from the buffer", f"from noise, {steps} steps", f"from noise, {5 * steps} steps"),
            ),
            Histogram(
                name="energies",
                title="Energies",
                tip="How probable the model finds images; where real and sampled overlap, they look alike to it. "
                "E(x), with p(x) ∝ exp(−E(x)).",
                axis="energy E",
                series={name: to_array(self._model.energy(images)) for name, images in energies.items() if len(images)},
            ),
        )

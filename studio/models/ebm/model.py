"""Energy-based model p(x) ∝ exp(−E(x)), its negative phase by Langevin dynamics from a replay buffer.

    data_j = E(x_j) + α·E(x_j)²,     model = −⟨E(x⁻)⟩ + α·⟨E(x⁻)²⟩

Samples x⁻ start from the buffer, a few of them from noise, move by Langevin dynamics, and go back to the buffer. The
buffer is memory: it belongs to the model and carries no weights. Source: Y. Du, I. Mordatch, arXiv:1903.08689 (2019).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor

from studio.errors import UserError
from studio.models.base import Batch, GenerativeModel, LossTerms, Phase, Probe, chosen_in_turn
from studio.models.diagnostic import Diagnostic, Histogram, Pictures
from studio.models.ebm.config import EbmConfig
from studio.models.ebm.langevin import Langevin
from studio.models.ebm.network import Energy
from studio.models.exportable import ExportableModel, image_argument
from studio.models.nets import Shape
from studio.models.pixels import to_array, to_pixels
from studio.models.plane import PlaneView
from studio.models.plane_views import anywhere, field, grid, log_density_field, repeated, slope_arrows

_ENERGY_TIP = "How improbable the model finds each place; points roll downhill. E(x), with p(x) ∝ exp(−E(x)/T)."
_FORCE_TIP = "Where a Langevin step takes each sample. −∇E(x)."
_FLOW_TIP = "Where Langevin dynamics takes particles from anywhere, step by step. x ← x − s·∇E(x) + σ·ξ, ξ ~ N(0, 1)."
_CHUNK = 500
_COLUMNS = 16
_CHECK_EVERY = 50
_RUNAWAY = 1e3
"""Energies of this size are far beyond what the penalty leaves to a model that is well (below 10)."""


class Ebm(GenerativeModel):
    """Energy and replay buffer.

    Attributes:
        buffer: samples, half precision, shape (N, C, H, W).
    """

    memory = ("buffer",)
    takes_bfloat16 = True
    buffer: Tensor

    def __init__(self, config: EbmConfig, shape: Shape) -> None:
        super().__init__()
        self._config = config
        self._shape = shape
        self.energy = Energy(shape, architecture=config.architecture, width=config.width)
        self._langevin = Langevin(step_size=config.step_size, noise=config.noise, slope_limit=config.slope_limit)
        buffer = torch.empty(config.buffer_size, *shape).uniform_(-1, 1)
        self.register_buffer("buffer", buffer.half())

    @property
    def image_shape(self) -> Shape:
        return self._shape

    def phases(self) -> Sequence[Phase]:
        return (Phase(network="energy"),)

    def losses(self, phase: Phase, batch: Batch, rng: torch.Generator) -> LossTerms:
        real = batch.images
        real = real + self._config.data_noise * torch.randn(
            real.shape, generator=rng, device=real.device, dtype=real.dtype
        )
        sampled = self._negatives(len(batch), real.dtype, rng)
        positive, negative = self.energy(torch.cat((real, sampled))).chunk(2)
        if batch.step % _CHECK_EVERY == 0:
            _refuse_runaway(positive.detach(), negative.detach())
        alpha = self._config.energy_penalty
        return LossTerms(
            data=positive + alpha * positive.square(),
            model=-negative.mean() + alpha * negative.square().mean(),
            metrics={"energy_sampled": negative.detach().mean()},
            example_metrics={
                "energy_real": positive.detach(),
                "energy_gap": (positive - negative.mean()).detach(),
            },
        )

    @torch.no_grad()
    def _negatives(self, count: int, dtype: torch.dtype, rng: torch.Generator) -> Tensor:
        """Samples for the negative phase, shape (count, C, H, W), which also go back to the buffer."""
        device = self.buffer.device
        places = torch.randint(len(self.buffer), (count,), generator=rng, device=device)
        start = self.buffer[places].to(dtype)
        fresh = torch.rand(count, 1, 1, 1, generator=rng, device=device) < self._config.restart_rate
        start = torch.where(fresh, self._noise(count, dtype, rng), start)
        sampled = self._langevin.run(self.energy, start, self._config.langevin_steps, rng)
        self.buffer[places] = sampled.to(self.buffer.dtype)
        return sampled

    def _noise(self, count: int, dtype: torch.dtype, rng: torch.Generator) -> Tensor:
        """U(−1, 1), shape (count, C, H, W)."""
        return 2 * torch.rand(count, *self._shape, generator=rng, device=self.buffer.device, dtype=dtype) - 1

    @property
    def independent_samples(self) -> int:
        """Those of the buffer: some Langevin steps leave an image what it is (99 % keep their class over 20)."""
        return len(self.buffer)

    def sample_parts(self, counts: Iterable[int], rng: torch.Generator) -> Iterator[Tensor]:
        """Images of the buffer chosen by `rng`, some Langevin steps further."""
        for chosen in chosen_in_turn(len(self.buffer), counts, rng):
            yield self._moved(self.buffer[chosen].to(self._dtype), self._config.sample_steps, rng)

    def _moved(self, start: Tensor, steps: int, rng: torch.Generator) -> Tensor:
        """Langevin dynamics a few hundred images at a time, without slopes of the weights."""
        chunks = [self._langevin.run(self.energy, part, steps, rng) for part in start.split(_CHUNK)]
        return torch.cat(chunks)

    @property
    def _dtype(self) -> torch.dtype:
        return next(self.energy.parameters()).dtype

    def portable(self) -> ExportableModel:
        return ExportableModel(
            title="energy",
            network=self.energy,
            takes={"images": image_argument(self._shape)},
            gives={"energy": "E(x) with p(x) ∝ exp(−E(x)/T), float32, shape (B,)"},
        )

    def on_plane(self, points: Tensor, rng: torch.Generator) -> tuple[PlaneView, ...]:
        energy = self.energy(grid(points))
        views: list[PlaneView] = [
            field("energy", "Energy", _ENERGY_TIP, energy),
            slope_arrows("pull", "Force on samples", _FORCE_TIP, self.energy, points),
        ]
        if self._config.noise:
            temperature = self._config.noise**2 / (2 * self._config.step_size)
            tip = "What Langevin dynamics samples. log q(x) = −E(x)/T − log Z with T = σ²/(2·step size), Z by the grid."
            views.append(log_density_field(-energy / temperature, tip))
        views.append(repeated(_FLOW_TIP, lambda at: self._langevin.run(self.energy, at, 1, rng), anywhere(points, rng)))
        return tuple(views)

    def diagnostics(self, probe: Probe, rng: torch.Generator) -> tuple[Diagnostic, ...]:
        count = min(_COLUMNS, len(self.buffer))
        start = self._noise(count, self._dtype, rng)
        steps = self._config.langevin_steps
        fresh, long = self._moved(start, steps, rng), self._moved(start, 5 * steps, rng)
        kept = self.sample(max(count, min(len(probe.seen), len(self.buffer))), rng)
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
                series={name: to_array(self.energy(images)) for name, images in energies.items() if len(images)},
            ),
        )


def _refuse_runaway(positive: Tensor, negative: Tensor) -> None:
    """Stop a training whose energies have left all bounds.

    Raises:
        UserError: they have; the run's last good state was well.
    """
    largest = torch.cat((positive, negative)).abs().max().item()
    if not largest < _RUNAWAY:
        raise UserError(
            "Langevin training has diverged",
            f"An energy has reached {largest:.3g}.",
            "Go back to the last good state; lower the learning rate or the step size, or raise the energy penalty.",
            field="model.step_size",
        )

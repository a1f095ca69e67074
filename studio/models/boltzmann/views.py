"""What a restricted Boltzmann machine shows of itself: filters, activity, free energies, chains."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from studio.models.boltzmann.energy import Machine
from studio.models.boltzmann.gibbs import ladder
from studio.models.boltzmann.model import BoltzmannModel
from studio.models.boltzmann.partition import exact_log_partition
from studio.models.diagnostic import Diagnostic, Histogram, Pictures, Reference
from studio.models.exportable import ExportableModel, image_argument
from studio.models.nets import Shape
from studio.models.plane import PlaneView
from studio.models.plane_views import anywhere, descent, field, grid, log_density_field, slope_arrows
from studio.models.views import ModelViews, Probe, to_array, to_pixels

DENSITY_TIP = "What the machine believes, its hidden units summed out. log q(v) = −F(v) − log Z, Z by the grid."
ENERGY_TIP = "How improbable the machine finds each place. F(v) = −log Σ_h e^(−E(v, h))."
FORCE_TIP = "Which way the machine finds more probable at each sample. −∇F(v)."
FLOW_TIP = "Where particles from anywhere go that look for what the machine finds probable. x ← x − h·∇F/(1 + ‖∇F‖)."
_LIVE_EXACT = 12
"""Hidden units up to which likelihoods are shown while it trains; 2^12 states take some milliseconds."""

_FILTERS = 64
_COLUMNS = 16
_ROWS = 6


class FreeEnergy(nn.Module):
    """F of images (B, C, H, W), shape (B,), in nats."""

    def __init__(self, machine: Machine, mean_values: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.machine = machine
        self._mean_values = mean_values

    def forward(self, images: Tensor) -> Tensor:
        return self.machine.free_energy(self._mean_values(images))


class BoltzmannViews(ModelViews):
    """Of a machine and its chains."""

    def __init__(self, model: BoltzmannModel) -> None:
        self._model = model

    def diagnostics(self, probe: Probe, rng: torch.Generator) -> tuple[Diagnostic, ...]:
        seen = self._model.visible_values(probe.seen, rng)
        held_out = self._model.visible_values(probe.held_out, rng)
        chains = self._model.chains[0, : len(seen)]
        exact = exact_log_partition(self._model.machine) if self._model.machine.hidden <= _LIVE_EXACT else None
        return (
            filters(self._model.machine, self._model.image_shape),
            hidden_activity(self._model.machine, seen, chains),
            free_energies(self._model.machine, seen, held_out, chains, exact),
            chain_pictures(self._model.machine, self._model.chains, self._model.config.hottest, self._model.images),
        )

    def exportable(self) -> ExportableModel:
        return ExportableModel(
            title="free energy",
            network=FreeEnergy(self._model.machine, self._model.mean_values),
            takes={"images": image_argument(self._model.image_shape)},
            gives={"free_energy": "F(v) with p(v) = exp(−F(v))/Z, nats, float32, shape (B,)"},
        )

    def on_plane(self, points: Tensor, labels: Tensor, rng: torch.Generator) -> tuple[PlaneView, ...]:
        def energy(at: Tensor) -> Tensor:
            return self._model.machine.free_energy(self._model.visible_values(at, rng))

        free = energy(grid(points))
        return (
            log_density_field(-free, DENSITY_TIP),
            field("energy", "Free energy", ENERGY_TIP, free, "nats"),
            slope_arrows("pull", "Force on samples", FORCE_TIP, energy, points),
            descent(FLOW_TIP, energy, anywhere(points, rng)),
        )


def filters(machine: Machine, shape: Shape) -> Pictures:
    """The columns of W, each scaled to its largest entry."""
    columns = machine.weight.T[:_FILTERS]
    columns = columns / columns.abs().amax(1, keepdim=True).clamp(min=1e-12)
    return Pictures(
        name="filters",
        title="Filters",
        tip="What each hidden unit looks for: white where it wants light, black where dark. Columns of W, each scaled.",
        images=to_pixels(columns.reshape(-1, *shape)),
        columns=_COLUMNS,
    )


def hidden_activity(machine: Machine, seen: Tensor, chains: Tensor) -> Histogram:
    """How often each hidden unit is on; visible values of shape (n, D)."""
    series = {"examples": seen, "chains": chains}
    return Histogram(
        name="hidden_activity",
        title="Activity of hidden units",
        tip="How often each hidden unit is on; at 0 or 1 it says nothing. Mean of p(h = 1|v) over examples or chains.",
        axis="share of the time it is on",
        series={name: to_array(machine.hidden_input(v).sigmoid().mean(0)) for name, v in series.items()},
    )


def free_energies(
    machine: Machine, seen: Tensor, held_out: Tensor, chains: Tensor, log_partition: Tensor | None
) -> Histogram:
    """F of examples trained on, held-out examples and chains, each of shape (n, D); −log p if log Z is known."""
    parts = {"trained on": seen, "held out": held_out, "chains": chains}
    energies = {name: machine.free_energy(v) for name, v in parts.items() if len(v)}
    what, formula, axis = "Free energy", "F(v) = −log Σ_h e^(−E(v, h))", "free energy F in nats"
    if log_partition is not None:
        energies = {name: energy + log_partition for name, energy in energies.items()}
        what, formula, axis = "Negative log-likelihood", "−log p(v) = F(v) + log Z, Z exact", "−log p in nats"
    gap = ""
    if "held out" in energies:
        gap = f", gap {(energies['held out'].mean() - energies['trained on'].mean()).item():.1f} nats"
    return Histogram(
        name="free_energy",
        title=what + gap,
        tip=f"How improbable images are; the gap, held-out − trained-on, grows as it overfits. {formula}.",
        axis=axis,
        series={name: to_array(energy) for name, energy in energies.items()},
        references=tuple(
            Reference(value=energy.mean().item(), title=f"mean {name}") for name, energy in energies.items()
        ),
    )


def chain_pictures(machine: Machine, chains: Tensor, hottest: float, images: Callable[[Tensor], Tensor]) -> Pictures:
    """The first chains, shape (M, R, D), at up to six of M inverse temperatures down to `hottest`, as images of what
    they came from.

    That is the mean of their visible units; `images` makes images of visible values, shape (n, D).
    """
    betas = ladder(len(chains), hottest, chains)
    rows = torch.linspace(0, len(chains) - 1, min(len(chains), _ROWS)).round().long().tolist()
    count = 4 * _COLUMNS if len(chains) == 1 else _COLUMNS
    pictures, names = [], []
    for row in rows:
        v = chains[row, :count]
        beta = betas[row].item()
        mean = machine.visible_mean(machine.visible_field(machine.hidden_input(v).mul(beta).sigmoid(), beta))
        pictures.append(images(mean))
        names.append(f"β = {beta:.2f}")
    return Pictures(
        name="chains",
        title="Chains",
        tip="Where the chains of the negative phase are; at a lower β they move more freely. Mean ⟨v⟩ given p(h|v).",
        images=to_pixels(torch.cat(pictures)),
        columns=min(_COLUMNS, count, chains.shape[1]),
        rows=tuple(names) if len(names) > 1 else (),
    )

"""What learns from a batch: a model, the optimiser of each of its networks, and the average of its weights.

Where digits are not missed networks compute in bfloat16; weights, losses and updates stay in float32. Source: P.
Micikevicius et al., arXiv:1710.03740 (2017); bfloat16: D. Kalamkar et al., arXiv:1905.12322 (2019).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from studio.models.base import Batch, GenerativeModel, Phase
from studio.models.catalog import model_spec
from studio.models.config import ModelConfig
from studio.models.nets import has_convolutions
from studio.models.reduce import reduced_metrics, weighted_loss
from studio.perturb.planner import BatchPlan
from studio.training.config.run_config import Precision, RunConfig
from studio.training.engine.averaging import WeightAverage
from studio.training.engine.optimisers import NetworkOptimiser
from studio.training.engine.trainer_state import Held, TrainerState, copied, ensure_alike, wrong_state

_ONE_AT_A_TIME = threading.Lock()
"""A run may begin while another's model is built from its folder: neither may draw from what the other has seeded."""


def build_model(config: ModelConfig, shape: tuple[int, int, int], seed: int, classes: int = 0) -> GenerativeModel:
    """An untrained model of examples (C, H, W) of so many classes, its weights by a seed, on the CPU; the global stream
    stays as it is.
    """
    with _ONE_AT_A_TIME, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return model_spec(config.kind).build(config, shape, classes)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepReport:
    """What one step did: the batch, and what was last measured of each phase, scalars that stay on the device."""

    plan: BatchPlan
    scalars: Mapping[str, Tensor]

    def values(self) -> dict[str, float]:
        """Everything as plain numbers: one transfer from the device."""
        plan = self.plan
        batch = {
            "batch_size": float(len(plan.indices)),
            "adjusted_size": plan.adjusted_size,
            "average_size": plan.average_size,
            "ess": plan.effective_size,
            "err": plan.err,
        }
        numbers = torch.stack([scalar.float() for scalar in self.scalars.values()]).tolist() if self.scalars else []
        return batch | dict(zip(self.scalars, numbers, strict=True))


class Learner:
    """A model of examples (C, H, W) of so many classes on a device; `rng` is the stream of its own draws there."""

    def __init__(
        self, config: RunConfig, shape: tuple[int, int, int], classes: int, device: torch.device, rng: torch.Generator
    ) -> None:
        self._device, self._rng, self._log_every = device, rng, config.cadence.log_every
        self.model = build_model(config.model, shape, config.seed, classes).to(device).train()
        self.average = WeightAverage(self.model, config.ema_decay)
        self.step_count = 0
        self._phases = tuple(self.model.phases())
        self._parameters = {p.network: tuple(self.model.network_parameters(p.network)) for p in self._phases}
        self.optimisers = {
            network: NetworkOptimiser(config.model.optimiser(network), parameters, rng)
            for network, parameters in self._parameters.items()
        }
        self.autocast = autocast(config.precision, device, self.model)
        self._scalars: dict[str, Tensor] = {}

    def step(self, batch: Batch, average_size: float, network: str = "") -> Mapping[str, Tensor]:
        """Learn from a batch, one network alone or whatever is due; losses and metrics by name, as last measured."""
        for phase in self._phases:
            if phase.network == network if network else phase.due(self.step_count):
                self._run_phase(phase, batch, average_size)
        self.average.update()
        self.step_count += 1
        return dict(self._scalars)

    def _run_phase(self, phase: Phase, batch: Batch, average_size: float) -> None:
        network, measured = phase.network, self._measures(phase)
        with self.autocast:
            terms = self.model.losses(phase, replace(batch, measured=measured), self._rng)
        loss = weighted_loss(terms, batch.weights, average_size)
        # Gradients of this network alone: a generator's step then spends nothing on the critic's weights.
        gradients = torch.autograd.grad(loss, self._parameters[network])
        if measured:
            norm, ratio = self.optimisers[network].measured_step(gradients)
            self._scalars |= {
                f"loss_{network}": loss.detach(),
                f"gradient_{network}": norm,
                f"update_{network}": ratio,
                **reduced_metrics(terms, batch.weights),
            }
        else:
            self.optimisers[network].step(gradients)
        self.model.after_step(network)

    def _measures(self, phase: Phase) -> bool:
        """Whether this is the phase's last turn before the next log point, which alone is seen; an update costs a copy
        to measure, and metrics cost a small model's step a fiftieth.
        """
        return self.step_count % self._log_every >= self._log_every - phase.every

    @property
    def rates(self) -> dict[str, float]:
        """Learning rate of each network, before it falls."""
        return {network: optimiser.config.learning_rate for network, optimiser in self.optimisers.items()}

    @property
    def taken(self) -> dict[str, int]:
        """Steps that each network's optimiser has taken."""
        return {network: optimiser.taken for network, optimiser in self.optimisers.items()}

    def state(self, held: Held) -> TrainerState:
        """A copy of what training has made so far, and of what is corrected meanwhile."""
        return TrainerState(
            step=self.step_count,
            model=copied(self.model.state_dict()),
            average=copied(self.average.model.state_dict()),
            updates=self.average.updates,
            optimisers={network: optimiser.state() for network, optimiser in self.optimisers.items()},
            scalars={name: scalar.float() for name, scalar in self._scalars.items()},
            held=held,
        )

    def restore(self, state: TrainerState, rates: Mapping[str, float], taken: Mapping[str, int]) -> None:
        """Be as in a state, and step with these rates as after so many steps."""
        self.model.load_state_dict(state.model)
        self.average.restore(state.average, state.updates)
        for network, kept in state.optimisers.items():
            self.optimisers[network].restore(kept)
            self.optimisers[network].go_on(rates[network], taken[network])
        self._scalars = {name: scalar.to(self._device) for name, scalar in state.scalars.items()}
        self.step_count = state.step

    def ensure_fits(self, state: TrainerState, rates: Mapping[str, float], taken: Mapping[str, int]) -> None:
        """Raises UserError if that is the state of another model."""
        ensure_alike("The model", state.model, self.model.state_dict())
        ensure_alike("The average", state.average, self.average.model.state_dict())
        ensure_alike("The metrics", state.scalars, {name: torch.zeros(()) for name in state.scalars})
        for given in (state.optimisers, rates, taken):
            if given.keys() != self.optimisers.keys():
                raise wrong_state(f"It has optimisers of {', '.join(given)}.")
        for network, optimiser in self.optimisers.items():
            if state.optimisers[network] or taken[network]:
                ensure_alike(f"The {network}'s optimiser", state.optimisers[network], optimiser.full_state())


def autocast(precision: Precision, device: torch.device, model: GenerativeModel) -> torch.autocast:
    """Under which a model's losses are computed, gradients outside. A model that needs all its digits gets them."""
    if precision is Precision.AUTO:
        # On a processor only convolutions gain: a small product takes less time than rounding what goes into it.
        wanted = native_bfloat16(device) and (device.type != "cpu" or has_convolutions(model))
    else:
        wanted = precision is Precision.BFLOAT16
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=wanted and model.takes_bfloat16)


def native_bfloat16(device: torch.device) -> bool:
    """Whether the device multiplies in bfloat16 itself, so that it is faster and not only shorter."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type != "cpu" or not hasattr(torch.cpu, "get_capabilities"):  # older releases of torch do not tell
        return False
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name) for name in ("amx_bf16", "avx512_bf16", "bf16"))

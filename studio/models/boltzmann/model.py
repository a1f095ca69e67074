"""Training of a restricted Boltzmann machine by contrastive divergence or by persistent chains.

    CD-k    data_j = F(v_j) − F(v_j⁽ᵏ⁾),  the chain's end v⁽ᵏ⁾ held fixed, so that ∇ is ⟨·⟩_data − ⟨·⟩_recon
    PCD-k   data_j = F(v_j),   model = −⟨F⟩ over the persistent chains, after k more sweeps

Both ends of a CD chain belong to the example and carry its weight; persistent chains are the model's and carry none.
Chains are memory. CD keeps them too, at one sweep a step, so that there is something to sample from.

Persistent chains follow the model only if it changes more slowly than they mix. Otherwise learning itself pushes them
from class to class, and the shares they show are not the model's own: hence the falling learning rate.
Sources: G. Hinton, Neural Comput. 14 (2002); T. Tieleman, ICML (2008); L. Younes, Stochastics 65 (1999).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor

from studio.models.base import Batch, GenerativeModel, LossTerms, Phase, chosen_in_turn
from studio.models.boltzmann.config import Binarisation, BoltzmannConfig, GaussianRbmConfig, NegativePhase, RbmConfig
from studio.models.boltzmann.energy import BernoulliMachine, GaussianMachine, Machine, bernoulli
from studio.models.boltzmann.gibbs import gibbs, ladder, tempered_sweep
from studio.models.boltzmann.partition import LARGEST_EXACT, LogPartition, exact_log_partition, forward_ais, reverse_ais
from studio.models.nets import Shape

_CHUNK = 2_000

_WATCHED = 64
"""Chains that curves and offsets look at."""


class BoltzmannModel(GenerativeModel):
    """A machine of D = C·H·W visible units, the energy of images (C, H, W), and its chains.

    `chains` are visible values at each temperature, the first at β = 1, shape (temperatures, chains, D).
    """

    memory = ("chains", "sweeps")
    chains: Tensor
    sweeps: Tensor

    def __init__(self, config: BoltzmannConfig, shape: Shape, machine: Machine) -> None:
        super().__init__(shape)
        self.config = config
        self.machine = machine
        start = torch.Generator().manual_seed(int(torch.randint(2**31, ())))
        empty = torch.empty(config.temperatures, config.chains, machine.visible)
        self.register_buffer("chains", machine.scatter(empty, start).detach())
        self.register_buffer("sweeps", torch.zeros((), dtype=torch.long))
        self._means: tuple[Tensor, Tensor] | None = None
        self._first = False

    def phases(self) -> Sequence[Phase]:
        return (Phase(network="machine"),)

    @abstractmethod
    def visible_values(self, images: Tensor, rng: torch.Generator) -> Tensor:
        """Images in −1…1, shape (B, C, H, W), as values of the visible units, shape (B, D)."""

    @abstractmethod
    def mean_values(self, images: Tensor) -> Tensor:
        """The mean of `visible_values` over its random draws; shapes as there."""

    @abstractmethod
    def images(self, v: Tensor) -> Tensor:
        """Visible values, shape (n, D), as images in −1…1, shape (n, C, H, W)."""

    def losses(self, phase: Phase, batch: Batch, rng: torch.Generator) -> LossTerms:
        v = self.visible_values(batch.images, rng)
        self._first = batch.step == 0
        positive = self.machine.free_energy(v)
        contrastive = self.config.negative_phase is NegativePhase.CONTRASTIVE
        end = gibbs(self.machine, v, self.config.gibbs_steps, rng) if contrastive else None
        metrics = self._advance(1 if contrastive else self.config.gibbs_steps, rng, measured=batch.measured)
        example_metrics = self._look_at(v, measured=batch.measured)
        if end is not None:
            data = positive - self.machine.free_energy(end)
            return LossTerms(data=data, metrics=metrics, example_metrics=example_metrics)
        negative = self.machine.free_energy(self.chains[0]).mean()
        return LossTerms(data=positive, model=-negative, metrics=metrics, example_metrics=example_metrics)

    @torch.no_grad()
    def _advance(self, count: int, rng: torch.Generator, *, measured: bool) -> dict[str, Tensor]:
        """Move the chains by `count` sweeps, and say how far one takes them if that is `measured`."""
        chains, beta, metrics = self.chains, ladder(len(self.chains), self.config.hottest, self.chains), {}
        before = self._activity(chains) if measured else None
        for _ in range(count):
            odd = len(chains) > 1 and bool(self.sweeps % 2)
            chains, accepted = tempered_sweep(self.machine, chains, beta, odd, rng)
            self.sweeps += 1
        if len(chains) > 1:
            metrics["swap_rate"] = accepted
        if before is not None:
            metrics["chain_motion"] = (self._activity(chains) - before).abs().mean() / count
        self.chains.copy_(chains)
        return metrics

    def _activity(self, chains: Tensor) -> Tensor:
        """Of the hidden units in the first of the chains, which are watched, shape (n, H)."""
        return self.machine.hidden_input(chains[0, :_WATCHED]).sigmoid()

    @torch.no_grad()
    def _look_at(self, v: Tensor, *, measured: bool) -> dict[str, Tensor]:
        """What one mean-field pass down and up again shows of each example if that is `measured`; remembers where the
        offsets should go.
        """
        machine = self.machine
        hidden = machine.hidden_input(v).sigmoid()
        self._means = v.mean(0), (hidden.mean(0) + self._activity(self.chains).mean(0)) / 2
        if not measured:
            return {}
        again = machine.visible_mean(machine.visible_field(hidden))
        return {"reconstruction": (again - v).square().mean(1).sqrt(), "hidden_activity": hidden.mean(1)}

    @torch.no_grad()
    def after_step(self, network: str) -> None:
        """Let the offsets follow the activities; the distribution stays as it is. The first step begins there."""
        if self._means is None:
            return
        if self._first:
            self.machine.begin(self._means[0], centred=self.config.centring > 0)
        elif self.config.centring:
            self.machine.recentre(*self._means, self.config.centring)

    @property
    def independent_samples(self) -> int:
        """One of each chain: on MNIST two samples of one share a class in 78 % of cases, where chance gives 16 %."""
        return self.chains.shape[1]

    def sample_parts(self, counts: Iterable[int], rng: torch.Generator) -> Iterator[Tensor]:
        """Chains chosen by `rng`, some sweeps further; the last one may show the mean of the visible units."""
        for chosen in chosen_in_turn(self.independent_samples, counts, rng):
            yield torch.cat([self._moved(v, rng) for v in self.chains[0, chosen].split(_CHUNK)])

    def _moved(self, v: Tensor, rng: torch.Generator) -> Tensor:
        """Images of visible values some sweeps after `v`, shape (n, C, H, W)."""
        v = gibbs(self.machine, v, self.config.sample_steps - 1, rng)
        field = self.machine.visible_field(self.machine.draw_hidden(v, rng))
        drawn = self.config.draw_pixels
        v = self.machine.draw_visible(field, rng) if drawn else self.machine.visible_mean(field)
        return self.images(v).clamp(-1, 1)

    def chain_states(self, count: int, rng: torch.Generator) -> Tensor:
        """Visible values of the chains, shape (count, D); hidden ones, (count, H), if images are means given these."""
        v = self.chains[0, next(chosen_in_turn(self.independent_samples, (count,), rng))]
        v = gibbs(self.machine, v, self.config.sample_steps - 1, rng)
        return v if self.config.draw_pixels else self.machine.draw_hidden(v, rng)

    def chain_moves(self, states: Tensor, rng: torch.Generator) -> Tensor:
        """A sweep of each."""
        if self.config.draw_pixels:
            return gibbs(self.machine, states, 1, rng)
        v = self.machine.draw_visible(self.machine.visible_field(states), rng)
        return self.machine.draw_hidden(v, rng)

    def chain_images(self, states: Tensor) -> Tensor:
        v = states if self.config.draw_pixels else self.machine.visible_mean(self.machine.visible_field(states))
        return self.images(v).clamp(-1, 1)

    def fantasies(self, count: int, rng: torch.Generator) -> Tensor:
        """Visible values of the chains, and of the same chains further on, shape (count, D)."""
        v, found = self.chains[0], []
        for _ in range(0, count, len(v)):
            v = gibbs(self.machine, v, self.config.sample_steps, rng)
            found.append(v)
        return torch.cat(found)[:count]

    def free_energy(self, v: Tensor) -> Tensor:
        """F(v) in nats, shape (B,), for v of shape (B, D)."""
        return self.machine.free_energy(v)

    def shown(self, v: Tensor, rng: torch.Generator) -> Tensor:
        """v itself or, where samples are means, the mean given a draw of the hidden units; shape (B, C, H, W)."""
        return self.chain_images(v if self.config.draw_pixels else self.machine.draw_hidden(v, rng))

    def log_partition(self, rng: torch.Generator, *, runs: int = 100, steps: int = 10_000) -> tuple[Tensor, Tensor]:
        """Lower and upper estimate of log Z in nats; equal if it is exact, for up to 20 hidden units.

        By `runs` of annealed importance sampling through `steps` temperatures each way, the reverse ones from as many
        chains.
        """
        if self.machine.hidden <= LARGEST_EXACT:
            exact = exact_log_partition(self.machine)
            return exact, exact
        lower: LogPartition = forward_ais(self.machine, runs, steps, rng)
        upper: LogPartition = reverse_ais(self.machine, self.chains[0, :runs], steps, rng)
        return lower.value, upper.value


class Rbm(BoltzmannModel):
    """E(v, h) = −b·v − c·h − vᵀWh, v ∈ {0, 1}^D, h ∈ {0, 1}^H, with p = (x + 1)/2 of being white.

    Centred, see `studio.models.boltzmann.energy`. Source: G. Hinton, R. Salakhutdinov, Science 313 (2006).
    """

    def __init__(self, config: RbmConfig, shape: Shape) -> None:
        super().__init__(config, shape, BernoulliMachine(shape[0] * shape[1] * shape[2], config.hidden_units))
        self._binarisation = config.binarisation

    def visible_values(self, images: Tensor, rng: torch.Generator) -> Tensor:
        mean = self.mean_values(images)
        return bernoulli(mean, rng) if self._binarisation is Binarisation.STOCHASTIC else mean

    def mean_values(self, images: Tensor) -> Tensor:
        brightness = (images.flatten(1) + 1) / 2
        black_or_white = self._binarisation is Binarisation.THRESHOLD
        return (brightness >= 0.5).to(brightness.dtype) if black_or_white else brightness

    def images(self, v: Tensor) -> Tensor:
        return (2 * v - 1).unflatten(1, self.image_shape)


class GaussianRbm(BoltzmannModel):
    """E(v, h) = ½‖v − b‖²/σ² − c·h − vᵀWh/σ, p(v|h) = N(b + σ·Wh, σ²), one learned σ for all pixels.

    Source: K. Cho, A. Ilin, T. Raiko, ICANN (2011).
    """

    def __init__(self, config: GaussianRbmConfig, shape: Shape) -> None:
        machine = GaussianMachine(
            shape[0] * shape[1] * shape[2],
            config.hidden_units,
            width=max(config.width, config.least_width),
            least_width=config.least_width,
        )
        super().__init__(config, shape, machine)

    def visible_values(self, images: Tensor, rng: torch.Generator) -> Tensor:
        return self.mean_values(images)

    def mean_values(self, images: Tensor) -> Tensor:
        return images.flatten(1)

    def images(self, v: Tensor) -> Tensor:
        return v.unflatten(1, self.image_shape)

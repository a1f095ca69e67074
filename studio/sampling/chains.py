"""Chains: a model's own chains, led from its energy E to E − log W in steps, by its own moves.

    w ← w·W(x)^{β′ − β}   and then moves x → x′ of the model, each taken with probability min(1, [W(x′)/W(x)]^{β′})

for β from 0 to 1, each step as long as leaves nine tenths of the particles in effect. A move in detailed balance
with the model's law p leaves p·W^β as it is: Gibbs sweeps are exactly, Langevin steps as far as they are short.

Sources: R. Neal, Stat. Comput. 11, 125 (2001); P. Del Moral et al., J. R. Stat. Soc. B 68, 411 (2006).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from studio.perturb.arrays import Floats
from studio.progress import Progress
from studio.sampling.base import Tilted, effective_size
from studio.sampling.particles import LEAST, Population, Weights, finished
from studio.sampling.pool import Pool
from studio.sampling.tilt import Tilt

_IN_EFFECT = 0.9
_SHORTEST = 0.01
"""Step of β, so that a hundred are enough."""
_LONGEST = 0.1
_MOVES = 5
"""After each step."""


@runtime_checkable
class Chained(Protocol):
    """Has chains, and moves that leave the model's distribution as it is."""

    def chain_states(self, count: int, rng: torch.Generator) -> Tensor:
        """Where its chains are, each as often as the others, shape (count, …)."""

    def chain_moves(self, states: Tensor, rng: torch.Generator) -> Tensor:
        """A move of each, shape (n, …), which is as likely as the way back where the model's law is in balance."""

    def chain_images(self, states: Tensor) -> Tensor:
        """The image that each shows, in −1…1, shape (n, C, H, W)."""


@dataclass(frozen=True, kw_only=True)
class Chains(Population):
    """Of a model that has chains; each of their images is looked at after every move."""

    dearer = 10.0
    led = "of the model's chains are led to the target"
    model: Chained
    name: str = "chains"

    @torch.no_grad()
    def sample(self, pool: Pool, tilt: Tilt, count: int, rng: np.random.Generator, progress: Progress) -> Tilted:
        """See `TiltedSampler`."""
        pool.prepare(count, progress)
        begun, own = time.perf_counter(), pool.own
        noise = torch.Generator(self.device).manual_seed(int(rng.integers(2**62)))

        def weigh(states: Tensor) -> Floats:
            images = self.model.chain_images(states).float().cpu().numpy()
            return tilt.log_weights(self.look(self.scale.stored(images)), own)

        states = self.model.chain_states(max(count, LEAST), noise)
        logs, weights, done = weigh(states), Weights(len(states), rng), 0.0
        while done < 1:
            progress.report("Leading the chains to the target", done)
            step = _step(logs, min(_LONGEST, 1 - done))
            done = 1.0 if done + step > 1 - 1e-9 else done + step
            weights.multiply(step * logs)
            chosen = weights.chosen()
            if chosen is not None:
                states, logs = states[torch.from_numpy(chosen).to(self.device)], logs[chosen]
            for _ in range(_MOVES):
                moved = self.model.chain_moves(states, noise)
                there = weigh(moved)
                with np.errstate(over="ignore"):
                    taken = rng.random(len(logs)) < np.exp(done * (there - logs))
                where = torch.from_numpy(taken).to(self.device).view(-1, *[1] * (states.ndim - 1))
                states, logs = torch.where(where, moved, states), np.where(taken, there, logs)
        values = self.scale.stored(self.model.chain_images(states).float().cpu().numpy())
        return finished(self.name, values, weights, count, time.perf_counter() - begun, rng)


def _step(logs: Floats, longest: float) -> float:
    """How far β may go on."""
    step = longest
    while step > _SHORTEST:
        if effective_size(np.exp(step * (logs - logs.max()))) >= _IN_EFFECT * len(logs):
            return step
        step /= 2
    return min(longest, _SHORTEST)

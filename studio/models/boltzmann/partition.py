"""The partition function Z of a restricted Boltzmann machine, and likelihoods by it.

exact      log Z = log Σ_h exp[(h − λ)·c + log ∫ exp(t·u − base) dv],   t = b + W(h − λ): 2^H terms
forward    β from 0 to 1: log w = Σ_k F_{β_{k−1}}(v_{k−1}) − F_{β_k}(v_{k−1}),  v_k ~ T_k(·|v_{k−1});  ⟨w⟩ = Z/Z₀
reverse    β from 1 to 0, from samples of the model: ⟨w′⟩ = Z₀/Z

Since the logarithm is concave, the mean of the forward estimate lies below log Z and that of the reverse one above:
together they bracket it. The reverse one is only as good as the samples it starts from. Sources: R. Neal, Stat. Comput.
11 (2001); R. Salakhutdinov, I. Murray, ICML (2008); Y. Burda, R. Grosse, R. Salakhutdinov, AISTATS (2015).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from studio.models.boltzmann.energy import Beta, Machine, bernoulli

LARGEST_EXACT = 20
"""Hidden units up to which the 2^H terms are summed."""

_CHUNK = 1 << 12


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPartition:
    """An estimate of log Z in nats, scalar, by log weights of each run, shape (n,).

    `error` is its standard error by the spread of the weights, scalar; too small where few weights dominate.
    """

    value: Tensor
    error: Tensor
    log_weights: Tensor


@torch.no_grad()
def exact_log_partition(machine: Machine) -> Tensor:
    """log Z in nats, scalar, by enumeration of the hidden units; raises ValueError if there are more than 20."""
    if machine.hidden > LARGEST_EXACT:
        raise ValueError(f"2^{machine.hidden} hidden states are too many to sum; at most 2^{LARGEST_EXACT}")
    like = machine.hidden_bias
    terms = []
    for codes in torch.arange(2**machine.hidden, device=like.device).split(_CHUNK):
        bits = torch.arange(machine.hidden, device=like.device)
        h = (codes[:, None] >> bits & 1).to(like.dtype)
        bias = (h - machine.hidden_offset) @ machine.hidden_bias
        terms.append(bias + machine.log_normaliser(machine.visible_field(h)))
    return torch.cat(terms).logsumexp(0)


@torch.no_grad()
def forward_ais(machine: Machine, runs: int, steps: int, rng: torch.Generator) -> LogPartition:
    """Annealed importance sampling from β = 0 to 1, in equal steps; the mean of the estimate lies below log Z."""
    field = machine.visible_bias.expand(runs, -1)
    v = machine.draw_visible(field, rng)
    log_weights = v.new_zeros(runs)
    for step in range(steps):
        a = machine.hidden_input(v)
        now, then = step / steps, (step + 1) / steps
        log_weights += machine.hidden_part(a, now) - machine.hidden_part(a, then)
        v = _visible_after(machine, a, then, rng)
    return _estimate(_log_base(machine), log_weights, sign=1)


@torch.no_grad()
def reverse_ais(machine: Machine, samples: Tensor, steps: int, rng: torch.Generator) -> LogPartition:
    """Annealed importance sampling from β = 1, at each sample (n, D) of the machine, to 0; its mean is too high."""
    v = samples
    log_weights = v.new_zeros(len(v))
    a = machine.hidden_input(v)
    for step in range(steps, 0, -1):
        now, then = step / steps, (step - 1) / steps
        v = _visible_after(machine, a, now, rng)
        a = machine.hidden_input(v)
        log_weights += machine.hidden_part(a, now) - machine.hidden_part(a, then)
    return _estimate(_log_base(machine), log_weights, sign=-1)


def log_likelihood(machine: Machine, v: Tensor, log_partition: Tensor) -> Tensor:
    """log p(v) = −F(v) − log Z in nats, shape (…,), for v of shape (…, D)."""
    return -machine.free_energy(v) - log_partition


def _visible_after(machine: Machine, a: Tensor, beta: Beta, rng: torch.Generator) -> Tensor:
    """One Gibbs step at β from visible values with hidden inputs a, shape (n, H) → (n, D)."""
    h = bernoulli((beta * a).sigmoid(), rng)
    return machine.draw_visible(machine.visible_field(h, beta), rng)


def _log_base(machine: Machine) -> Tensor:
    """log Z₀ = H·log 2 + log ∫ exp(b·u − base) dv, scalar."""
    return machine.hidden * math.log(2) + machine.log_normaliser(machine.visible_bias)


def _estimate(log_base: Tensor, log_weights: Tensor, sign: int) -> LogPartition:
    """log Z₀ ± log⟨w⟩, with the standard error of log⟨w⟩, the relative one of ⟨w⟩."""
    count = len(log_weights)
    mean = log_weights.logsumexp(0) - math.log(count)
    spread = (log_weights - mean).exp().std() / math.sqrt(count) if count > 1 else mean.new_tensor(math.inf)
    return LogPartition(value=log_base + sign * mean, error=spread, log_weights=log_weights)

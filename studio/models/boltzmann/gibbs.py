"""Block Gibbs sampling of a restricted Boltzmann machine, at one temperature or at several that exchange places.

    h ~ p_β(h|v),  v ~ p_β(v|h)
    exchange of neighbours i, j with probability min(1, exp[G_i(a_i) + G_j(a_j) − G_i(a_j) − G_j(a_i)])

G_β(a) = β·λ·a − Σ log(1 + e^{β·a}) is all of the free energy that β changes. Sources: A. Smith (1993); parallel
tempering: G. Desjardins et al., AISTATS (2010); K. Cho et al., IJCNN (2010).
"""

from __future__ import annotations

import torch
from torch import Tensor

from studio.models.boltzmann.energy import Beta, Machine, bernoulli


@torch.no_grad()
def gibbs(machine: Machine, v: Tensor, steps: int, rng: torch.Generator, beta: Beta = 1.0) -> Tensor:
    """v, shape (…, D), after `steps` times h ~ p_β(h|v), v ~ p_β(v|h), by `rng` alone.

    `beta` is the inverse temperature, a number or of shape (…, 1).
    """
    for _ in range(steps):
        h = machine.draw_hidden(v, rng, beta)
        v = machine.draw_visible(machine.visible_field(h, beta), rng)
    return v


def ladder(count: int, hottest: float, like: Tensor) -> Tensor:
    """Inverse temperatures from 1 down to `hottest` in equal steps, shape (count, 1, 1); one alone is 1."""
    if count == 1:
        return like.new_ones(1, 1, 1)
    return torch.linspace(1, hottest, count, device=like.device, dtype=like.dtype).view(-1, 1, 1)


@torch.no_grad()
def tempered_sweep(
    machine: Machine, chains: Tensor, beta: Tensor, odd: bool, rng: torch.Generator
) -> tuple[Tensor, Tensor]:
    """One Gibbs step at every temperature, then an exchange of every second pair of neighbours, by `rng` alone.

    `chains` are v of R replicas at each of M temperatures, shape (M, R, D), of inverse temperatures `beta` (M, 1, 1).
    `odd` exchanges temperatures (1, 2), (3, 4), … instead of (0, 1), (2, 3), …; alternate. Returns the new chains and
    the share of exchanges accepted, scalar (1 where there was no pair).
    """
    chains = gibbs(machine, chains, 1, rng, beta)
    first = int(odd)
    pairs = (len(chains) - first) // 2
    if pairs == 0:
        return chains, chains.new_ones(())
    block = chains[first : first + 2 * pairs]
    inputs = machine.hidden_input(block)
    cold, hot = inputs[0::2], inputs[1::2]
    cold_beta, hot_beta = beta[first : first + 2 * pairs : 2], beta[first + 1 : first + 2 * pairs : 2]
    stay = machine.hidden_part(cold, cold_beta) + machine.hidden_part(hot, hot_beta)
    exchange = machine.hidden_part(hot, cold_beta) + machine.hidden_part(cold, hot_beta)
    accepted = bernoulli((stay - exchange).clamp(max=0).exp(), rng).bool().unsqueeze(-1)
    moved = chains.clone()
    moved[first : first + 2 * pairs : 2] = torch.where(accepted, block[1::2], block[0::2])
    moved[first + 1 : first + 2 * pairs : 2] = torch.where(accepted, block[0::2], block[1::2])
    return moved, accepted.to(chains.dtype).mean()

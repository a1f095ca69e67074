"""How much of an image and how much noise there is at each time t = 0…T of a diffusion.

    q(x_t|x_0)      = N(√ᾱ_t·x_0, 1 − ᾱ_t),   ᾱ_t = Π_{s≤t} (1 − β_s),   ᾱ_0 = 1
    linear          β_t from 10⁻⁴ to 0.02 for T = 1000, times 1000/T for others
    cosine          ᾱ_t = f(t)/f(0),   f(t) = cos²(½π·(t/T + 0.008)/1.008),   β_t ≤ 0.999
    learned         the same, but t is drawn as `LearnedSchedule` says
    q(x_s|x_t, x_0) = N(a·x_0 + b·x_t, σ²) for s < t, with β = 1 − ᾱ_t/ᾱ_s:
                      a = √ᾱ_s·β/(1 − ᾱ_t),   b = √(ᾱ_t/ᾱ_s)·(1 − ᾱ_s)/(1 − ᾱ_t),   σ² = β·(1 − ᾱ_s)/(1 − ᾱ_t)

Sources: J. Ho et al., arXiv:2006.11239 (2020); cosine: A. Nichol, P. Dhariwal, arXiv:2102.09672 (2021).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from studio.models.diffusion.config import NoiseSchedule

_CROWDING = 1.5
"""How much sampling times crowd towards 0; 1 is evenly spaced."""
_HIDDEN = 16
_EVEN = 0.5
"""ε: no level counts for more than 1/ε as much as it is drawn. Least variance of the loss is not that of its slope, and
with ε = 0.1 the denoiser hardly learned what is under much noise."""
_PULL = 1e-4
"""Of the slope that lowers the variance, so that the norm that is clipped is the denoiser's own: whole, it is 30 to 130
on MNIST, and Adam's steps are the same at any size."""


class Posterior(NamedTuple):
    """q(x_s|x_t, x_0) = N(clean·x_0 + noisy·x_t, width²)."""

    clean: float
    noisy: float
    width: float


@dataclass(frozen=True, slots=True)
class Schedule:
    """Amplitudes of image and noise, float64, on the CPU: √ᾱ_t, falling from 1, and √(1 − ᾱ_t), shape (T + 1,)."""

    signal: Tensor
    noise: Tensor

    @property
    def steps(self) -> int:
        return len(self.signal) - 1

    def posterior(self, earlier: int, later: int) -> Posterior:
        """q(x_s|x_t, x_0) for s = `earlier` < t = `later`."""
        signal, signal_t = self.signal[earlier].item(), self.signal[later].item()
        noise, noise_t = self.noise[earlier].item(), self.noise[later].item()
        ratio = signal_t / signal
        beta = noise_t**2 - (ratio * noise) ** 2
        return Posterior(signal * beta / noise_t**2, ratio * noise**2 / noise_t**2, math.sqrt(beta) * noise / noise_t)

    def log_ratio(self, time: int) -> float:
        """λ_t = log(√ᾱ_t/√(1 − ᾱ_t)) for t > 0."""
        return math.log(self.signal[time].item() / self.noise[time].item())

    def bound_weights(self) -> Tensor:
        """½·(ᾱ_{t−1}/(1 − ᾱ_{t−1}) − ᾱ_t/(1 − ᾱ_t)), by t, shape (T + 1,); 0 for t < 2, where it has no meaning.

        The KL of q(x_{t−1}|x_t, x_0) to the model's step with the guess x̂_0 is this times ‖x_0 − x̂_0‖².
        """
        ratio = (self.signal[1:] / self.noise[1:]).square()
        return torch.cat((torch.zeros(2, dtype=ratio.dtype), 0.5 * (ratio[:-1] - ratio[1:])))

    def bound_probabilities(self) -> Tensor:
        """p_t ∝ `bound_weights`·(1 − ᾱ_t), about how much each t adds to the bound, shape (T + 1,)."""
        share = self.bound_weights() * self.noise.square()
        return share / share.sum()

    def times(self, count: int) -> list[int]:
        """`count` + 1 times from T down to 0, about T·(i/count)^1.5; fewer when T is smaller.

        Little noise, where pixels are decided, gets shorter steps: of N(0, 0.1²) 20 even steps of DDIM leave 70 % of
        the width, these 86 %.
        """
        count = min(count, self.steps)
        rising = [max(round(self.steps * (step / count) ** _CROWDING), step) for step in range(count + 1)]
        return rising[::-1]


def noise_schedule(kind: NoiseSchedule, steps: int) -> Schedule:
    """The schedule of T = `steps` noise levels."""
    if kind is NoiseSchedule.LINEAR:
        betas = torch.linspace(1e-4, 0.02, steps, dtype=torch.float64) * (1000 / steps)
    else:
        time = torch.linspace(0, 1, steps + 1, dtype=torch.float64)
        level = torch.cos(0.5 * math.pi * (time + 0.008) / 1.008).square()
        betas = 1 - level[1:] / level[:-1]
    # In logarithms, so that 1 − ᾱ_t keeps all its digits where ᾱ_t is nearly 1.
    log_level = torch.cat((torch.zeros(1, dtype=torch.float64), torch.log1p(-betas.clamp(max=0.999)).cumsum(0)))
    return Schedule((0.5 * log_level).exp(), (-torch.expm1(log_level)).sqrt())


def spread(like: Tensor, rng: torch.Generator) -> Tensor:
    """u_j = (u + j/B) mod 1, u ~ U(0, 1), for each entry of `like` (B, …), of its type and on its device, shape (B,).

    Each is uniform by itself, and the mean of a function of them varies less than over independent ones: a batch sees
    low and high noise in each step. Source: D. Kingma et al., arXiv:2107.00630 (2021), I.1.
    """
    start = torch.rand((1,), generator=rng, device=like.device, dtype=like.dtype)
    places = torch.arange(len(like), device=like.device, dtype=like.dtype)
    return places.div_(len(like)).add_(start).remainder_(1)


def faded(share: float, noisiness: Tensor) -> Tensor | None:
    """λ = min(1, (1 − u)/f): how much of their tilt examples keep at u = `noisiness`, from 0 to 1 for noise alone.

    Weights fade to 1 over the noisiest `share` f of the times; None, for 1 throughout, where f = 0. With weights of
    mean 1 the minimum at u is the denoiser of the noised (1 − λ)·p + λ·p′. That is p′'s where λ = 1, and nearly so
    where noise makes p and p′ alike, which is where E[w|x_t] is nearly 1. Y. Kim et al., arXiv:2403.01189 (2024), take
    E[w|x_t] itself for the weight, whose bias its slope corrects; here nothing is estimated, nor corrected.
    """
    return ((1 - noisiness) / share).clamp(max=1) if share else None


class LearnedSchedule(nn.Module):
    """How often each t of 1…T is drawn, about evenly at first: the cosine's schedule, run through at another pace.

        u(t) = ε·t/T + (1 − ε)·(f(t/T) − f(0))/(f(1) − f(0)),   f(s) = Σ_k a_k·σ(b_k·(s − c_k)),   a, b > 0
        p_t  = u(t) − u(t − 1),   loss = L_t/(T·p_t)

    u is uniform in 0…1, so that noise grows with u from end to end of the cosine's schedule, monotonically. On average
    over u the loss is that of the cosine's; its variance is least for p_t ∝ √⟨L_t²⟩, and is gone down by
    −loss²·∇log p_t, the slope of ⟨loss²⟩ on average over the t that were drawn. ε keeps any noise level from being
    forgotten. Sources: D. P. Kingma et al., arXiv:2107.00630 (2021), where L_t is a term of the bound; of any L_t: D.
    P. Kingma, R. Gao, arXiv:2303.00848 (2023).
    """

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps
        self.heights = nn.Parameter(torch.zeros(_HIDDEN))
        self.slopes = nn.Parameter(torch.full((_HIDDEN,), float(_HIDDEN)))
        self.centres = nn.Parameter(torch.linspace(-0.1, 1.1, _HIDDEN))

    def forward(self) -> Tensor:
        """u at t = 0…T, shape (T + 1,)."""
        even = torch.linspace(0, 1, self.steps + 1, device=self.centres.device, dtype=self.centres.dtype)
        risen = torch.sigmoid(F.softplus(self.slopes) * (even[:, None] - self.centres)) @ F.softplus(self.heights)
        return _EVEN * even + (1 - _EVEN) * (risen - risen[0]) / (risen[-1] - risen[0])

    @torch.no_grad()
    def times(self, share: Tensor) -> Tensor:
        """t of u = `share`, both (B,)."""
        return torch.searchsorted(self()[1:], share.to(self.centres.dtype), right=True).clamp(max=self.steps - 1) + 1

    def loss(self, losses: Tensor, times: Tensor) -> Tensor:
        """L_t/(T·p_t) of L_t = `losses` at t = `times`, all (B,), with 1e-4 of a slope that lowers its variance."""
        log_rate = self._log_rates(times)
        found = losses * (-log_rate.detach()).exp()
        pull = -_PULL * found.detach().square() * log_rate
        return found + pull - pull.detach()

    def factors(self, times: Tensor) -> Tensor:
        """1/(T·p_t), held, shape (B,)."""
        return (-self._log_rates(times).detach()).exp()

    def _log_rates(self, times: Tensor) -> Tensor:
        """log(T·p_t)."""
        return (self.steps * self().diff())[times - 1].log()

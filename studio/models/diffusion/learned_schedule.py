"""A noise schedule that is learned: that of the cosine, run through at another pace.

    u(t) = ε·t/T + (1 − ε)·(f(t/T) − f(0))/(f(1) − f(0)),   f(s) = Σ_k a_k·σ(b_k·(s − c_k)),   a, b > 0
    p_t  = u(t) − u(t − 1),   loss = L_t/(T·p_t)

u is uniform in 0…1, so that noise grows with u from end to end of the cosine's schedule, monotonically. On average over
u the loss is that of the cosine's; its variance is least for p_t ∝ √⟨L_t²⟩, and is gone down by −loss²·∇log p_t, the
slope of ⟨loss²⟩ on average over the t that were drawn. ε keeps any noise level from being forgotten.
Sources: D. P. Kingma et al., arXiv:2107.00630 (2021), where L_t is a term of the bound; of any L_t: D. P. Kingma, R.
Gao, arXiv:2303.00848 (2023).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_HIDDEN = 16
_EVEN = 0.1
"""ε."""


class LearnedSchedule(nn.Module):
    """How often each t of 1…T is drawn; about evenly at first."""

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
        """L_t/(T·p_t) of L_t = `losses` at t = `times`, all (B,), with a slope that lowers its variance."""
        log_rate = self._log_rates(times)
        found = losses * (-log_rate.detach()).exp()
        pull = -found.detach().square() * log_rate
        return found + pull - pull.detach()

    def factors(self, times: Tensor) -> Tensor:
        """1/(T·p_t), held, shape (B,)."""
        return (-self._log_rates(times).detach()).exp()

    def _log_rates(self, times: Tensor) -> Tensor:
        """log(T·p_t)."""
        return (self.steps * self().diff())[times - 1].log()

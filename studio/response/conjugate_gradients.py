"""(A + λD)·x = b by preconditioned conjugate gradients, for A = Aᵀ ≥ 0 known by its products and D > 0 diagonal.

More damping costs no further products, for the residuals of any λ′ > λ are multiples of those of λ.
Sources: M. Hestenes, E. Stiefel, J. Res. Natl. Bur. Stand. 49, 409 (1952); damped, and with a diagonal of squared
gradients, for networks: J. Martens, Deep learning via Hessian-free optimization, ICML (2010); several λ at once: B.
Jegerlehner, arXiv:hep-lat/9612014 (1996).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from studio.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """x of λ and of λ′, shape (P,), what is left of |b − (A + λD)x|/|b| in the norm of D⁻¹, and how many products it
    took.
    """

    x: Tensor
    more_damped: Tensor
    residual: float
    iterations: int


class _MoreDamped:
    """x of λ′ = λ + `apart`, one step after each of λ; `ratio` is that of the residuals."""

    def __init__(self, apart: float, direction: Tensor) -> None:
        self._apart, self._direction = apart, direction.clone()
        self.x = direction.new_zeros(direction.shape)
        self._ratio = self._ratio_before = self._step_before = 1.0
        self._grown_before = 0.0

    def step(self, step: float, ahead: Tensor, grown: float) -> None:
        """After a step of that length, which left D·ahead, with a square that has grown by that factor."""
        kept = self._ratio_before * self._step_before
        turned = step * self._grown_before * (self._ratio_before - self._ratio)
        ratio = self._ratio * kept / (turned + kept * (1 + self._apart * step))
        by = ratio / self._ratio
        self.x += step * by * self._direction
        self._direction = ratio * ahead + grown * by**2 * self._direction
        self._ratio_before, self._ratio = self._ratio, ratio
        self._step_before, self._grown_before = step, grown


def conjugate_gradients(
    product: Callable[[Tensor], Tensor],
    right: Tensor,
    metric: Tensor,
    *,
    damping: float,
    more: float,
    tolerance: float,
    iterations: int,
    progress: Progress,
) -> Solution:
    """Solve for x from x = 0 on, until the residual is below the tolerance or so many iterations are done.

    Args:
        product: v to A·v, both of shape (P,).
        right: b, shape (P,).
        metric: D, shape (P,).
        damping: λ ≥ 0.
        more: λ′ ≥ λ.
    """
    x, left = right.new_zeros(right.shape), right.clone()
    direction = left / metric
    further = _MoreDamped(more - damping, direction)
    whole = square = float(left @ direction)
    done = 0
    while done < iterations and square > tolerance**2 * whole:
        progress.report("Solving for the response", done / iterations)
        image = product(direction) + damping * metric * direction
        step = square / float(direction @ image)
        x += step * direction
        left -= step * image
        ahead = left / metric
        before, square = square, float(left @ ahead)
        further.step(step, ahead, square / before)
        direction = ahead + square / before * direction
        done += 1
    residual = (square / whole) ** 0.5 if whole else 0.0
    return Solution(x=x, more_damped=further.x, residual=residual, iterations=done)

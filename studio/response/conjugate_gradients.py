"""(A + λD)·x = b by preconditioned conjugate gradients, for A = Aᵀ ≥ 0 known by its products and D > 0 diagonal.

Sources: M. Hestenes, E. Stiefel, J. Res. Natl. Bur. Stand. 49, 409 (1952); damped, and with a diagonal of squared
gradients, for networks: J. Martens, Deep learning via Hessian-free optimization, ICML (2010).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from studio.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """x, shape (P,), what is left of |b − (A + λD)x|/|b| in the norm of D⁻¹, and how many products it took."""

    x: Tensor
    residual: float
    iterations: int


def conjugate_gradients(
    product: Callable[[Tensor], Tensor],
    right: Tensor,
    metric: Tensor,
    *,
    damping: float,
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
    """
    x, left = right.new_zeros(right.shape), right.clone()
    direction = left / metric
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
        direction = ahead + square / before * direction
        done += 1
    return Solution(x=x, residual=(square / whole) ** 0.5 if whole else 0.0, iterations=done)

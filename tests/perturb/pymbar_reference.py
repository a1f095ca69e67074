"""Free energies and errors of some ladders by pymbar, against which ours are tested.

    uv run --with pymbar==4.0.3 python -m tests.perturb.pymbar_reference

`BAR` is its Bennett acceptance ratio from rung to rung, summed; `MBAR` weighs the draws of all rungs at once.
Source: M. Shirts, J. Chodera, J. Chem. Phys. 129, 124105 (2008).
"""

import importlib
from dataclasses import dataclass

import numpy as np

from studio.perturb.arrays import Floats

_DRAWS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """ΔH of n draws of each scale s, shapes (k, n) and (k,), and the exact −log Z of the last."""

    energies: Floats
    scales: Floats
    exact: float


def gaussian() -> Draws:
    """N(0, 1) under sΔH = s·x is N(−s, 1)."""
    rng, scales = np.random.default_rng(3), np.array([0.0, 1.0, 2.2, 3.0])
    return Draws(energies=rng.normal(-scales[:, None], size=(len(scales), _DRAWS)), scales=scales, exact=-4.5)


def planar() -> Draws:
    """Three heaps of points under ΔH = x + cos 2y."""
    rng = np.random.default_rng(4)
    points = rng.normal(scale=0.4, size=(3000, 2)) + rng.choice([[-2.0, 0.0], [2.0, 0.0], [0.0, 1.5]], 3000)
    return _of(points[:, 0] + np.cos(2 * points[:, 1]), np.ones(3000), np.array([0.0, 0.8, 2.0]), rng)


def one_class() -> Draws:
    """A tenth of the data under ΔH = −4."""
    return _of(np.array([0.0, -4.0]), np.array([900, 100]), np.array([0.0, 0.5, 1.0]), np.random.default_rng(5))


def _of(energy: Floats, counts: Floats, scales: Floats, rng: np.random.Generator) -> Draws:
    weights = counts * np.exp(-np.outer(scales, energy))
    z = weights.sum(1) / counts.sum()
    drawn = [rng.choice(energy, _DRAWS, p=each / each.sum()) for each in weights]
    return Draws(energies=np.stack(drawn), scales=scales, exact=-float(np.log(z[-1])))


CASES = {"gaussian": gaussian, "planar": planar, "one class": one_class}


def main() -> None:
    """Print −log Z and its standard error, by both."""
    pymbar = importlib.import_module("pymbar")
    bar = importlib.import_module("pymbar.other_estimators").bar
    for name, case in CASES.items():
        draws = case()
        apart = np.diff(draws.scales)[:, None]
        steps = [
            bar(below, -above)
            for below, above in zip(apart * draws.energies[:-1], apart * draws.energies[1:], strict=True)
        ]
        whole = pymbar.MBAR(np.outer(draws.scales, draws.energies), np.full(len(draws.scales), _DRAWS))
        found = whole.compute_free_energy_differences()
        errors = [round(float(step["dDelta_f"]), 6) for step in steps]
        print(name, "BAR", sum(step["Delta_f"] for step in steps), errors)
        print(name, "MBAR", found["Delta_f"][0, -1], found["dDelta_f"][0, -1])


if __name__ == "__main__":
    main()

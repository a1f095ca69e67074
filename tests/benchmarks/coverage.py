"""How often the intervals of corrected shares hold the truth, and how wide they are.

    python -m tests.benchmarks.coverage [--trials 300] [--part 0/4]

Ten classes of which one has the top share, the others the rest evenly, and none is unsure; each class is judged wrong
at a rate, a third of it unsure, the rest spread unevenly over the other classes. In each trial n samples and m held-out
examples of each class are drawn anew. Coverage is that of the top share, of the nine others on average and of the share
that is unsure; the least of the eleven is by some 0.025 too small in 300 trials. Widths are means over the shares,

- **known**: over those of the same intervals from a judge whose confusion is known;
- **informed**: over those of somebody who knows all but how often each class is judged as the share's own, and has
  that from m examples by Wilson's interval, the ends of all of them added in squares (MOVER). What **known** exceeds
  **informed** by is what m examples do not tell anybody.

Source: G. Zou, A. Donner, Statistics in Medicine 27, 1693 (2008), for MOVER.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from studio.evaluation.confusion import sampling_covariance
from studio.evaluation.intervals import wilson
from studio.evaluation.shares import estimate
from tests.benchmarks.options import parser_of

Floats = NDArray[np.float64]

CLASSES = 10
ERRORS = (0.01, 0.05, 0.2)
HELD_OUT = (30, 100, 300, 1000)
SAMPLES = (500, 2000, 10_000)
TOPS = (0.01, 0.1, 0.5, 0.9, 0.99)
_KNOWN_TRIALS = 50
_CERTAIN = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One cell of the grid."""

    error: float
    held_out: int
    samples: int
    top: float

    @property
    def rates(self) -> Floats:
        """P(judged j | truly k), shape (K + 1, K + 1)."""
        rng = np.random.default_rng(3)
        rates = np.zeros((CLASSES + 1, CLASSES + 1))
        for true in range(CLASSES):
            others = [other for other in range(CLASSES) if other != true]
            rates[others, true] = rng.dirichlet(np.full(CLASSES - 1, 0.5)) * self.error * 2 / 3
            rates[true, true], rates[CLASSES, true] = 1 - self.error, self.error / 3
        rates[CLASSES, CLASSES] = 1
        return rates

    @property
    def shares(self) -> Floats:
        """π, shape (K + 1,)."""
        shares = np.full(CLASSES + 1, (1 - self.top) / (CLASSES - 1))
        shares[0], shares[CLASSES] = self.top, 0
        return shares


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of the trials: coverage of each share, shape (K + 1,), mean width, and it over the two others."""

    coverage: Floats
    width: float
    known: float
    informed: float


def tried(setting: Setting, trials: int, seed: int = 0) -> Outcome:
    rng = np.random.default_rng(seed)
    rates, shares = setting.rates, setting.shares
    columns = rates[:, :CLASSES]
    held, width, known = np.zeros(CLASSES + 1), 0.0, 0.0
    for _ in range(trials):
        confusion = np.stack([rng.multinomial(setting.held_out, column) for column in columns.T], axis=1)
        found = estimate(rng.multinomial(setting.samples, rates @ shares), confusion)
        held += (found.low <= shares) & (shares <= found.high)
        width += float((found.high - found.low).mean()) / trials
    for _ in range(_KNOWN_TRIALS):
        found = estimate(rng.multinomial(setting.samples, rates @ shares), columns * _CERTAIN)
        known += float((found.high - found.low).mean()) / _KNOWN_TRIALS
    informed = _informed_width(setting, rng)
    return Outcome(coverage=held / trials, width=width, known=width / known, informed=width / informed)


def _informed_width(setting: Setting, rng: np.random.Generator) -> float:
    """Mean width within 0…1 of intervals whose ends are those of n samples and of the rates C_k of m examples."""
    rates, shares, inverse = setting.rates, setting.shares, np.linalg.inv(setting.rates)
    sampling = sampling_covariance(rates @ shares, setting.samples)
    noise = 1.96 * np.sqrt(np.diag(inverse @ sampling @ inverse.T))
    effect = np.diag(inverse)[:, None] * shares[:CLASSES]
    columns = rates[:, :CLASSES]
    seen = rng.binomial(setting.held_out, columns, (500, *columns.shape)) / setting.held_out
    rarest, most = wilson(seen, setting.held_out)
    found = shares - ((seen - columns) * effect).sum(axis=2) + noise / 1.96 * rng.standard_normal((500, CLASSES + 1))
    below = np.sqrt(noise**2 + (((most - seen) * effect) ** 2).sum(axis=2))
    above = np.sqrt(noise**2 + (((seen - rarest) * effect) ** 2).sum(axis=2))
    found = np.clip(found, 0, 1)
    return float((np.clip(found + above, 0, 1) - np.clip(found - below, 0, 1)).mean())


def grid() -> Iterator[Setting]:
    for error, held_out, samples, top in product(ERRORS, HELD_OUT, SAMPLES, TOPS):
        yield Setting(error=error, held_out=held_out, samples=samples, top=top)


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--trials", type=int, default=300)
    parser.add_argument("--part", default="0/1", help="every so manieth cell: 1/4 is the second of four parts")
    options = parser.parse_args()
    part, of = map(int, options.part.split("/"))
    print("| errors | m | n | top share | top | others | unsure | least | width | known | informed |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for setting in list(grid())[part::of]:
        found = tried(setting, options.trials)
        print(
            f"| {100 * setting.error:.0f} % | {setting.held_out:,} | {setting.samples:,} | {100 * setting.top:.0f} % "
            f"| {found.coverage[0]:.3f} | {found.coverage[1:-1].mean():.3f} | {found.coverage[-1]:.3f} "
            f"| {found.coverage.min():.3f} | {found.width:.4f} "
            f"| {found.known:.2f} | {found.informed:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()

"""Draws of one model, which serve every target that it is asked for: a first few thousand are kept.

So an edit of the target draws nothing again, and of draws by a stream of chance of their own the same ones are taken as
far as the edit allows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import cached_property

import numpy as np

from studio.perturb.arrays import Floats
from studio.progress import Progress
from studio.sampling.own_shares import OwnShares
from studio.sampling.tilt import Drawn, Tilt

KEPT = 4096
"""Draws that are kept."""

PIECE = 100
"""Draws made at once."""

_LEAST = 400
"""Draws from which is told what a model makes."""


class Pool:
    """Draws of one model.

    Args:
        draw: makes so many more, and looks at them.
        prior: class shares of the data, shape (K,).
        meant: those that the model was trained for, shape (K,).
        seed: of what decides whether a draw is taken.
        independent: draws that are sure to be independent of each other; None for all.
    """

    def __init__(
        self, draw: Callable[[int], Drawn], *, prior: Floats, meant: Floats, seed: int, independent: int | None = None
    ) -> None:
        self.prior, self.meant, self.independent = prior, meant, independent
        self._draw = draw
        self._rng = np.random.default_rng(seed)
        self._kept: list[tuple[Drawn, Floats]] = []
        self._made, self._seconds = 0, 0.0

    def __len__(self) -> int:
        """Draws that are kept."""
        return sum(len(drawn) for drawn, _ in self._kept)

    @property
    def seconds_per_draw(self) -> float:
        """Of drawing and looking, on average."""
        return self._seconds / max(1, self._made)

    def blocks(self) -> Iterator[tuple[Drawn, Floats]]:
        """Draws, and chances in 0…1 of each, shape (n,): those that are kept, then ever new ones."""
        yield from tuple(self._kept)
        while True:
            begun = time.perf_counter()
            block = self._draw(PIECE), self._rng.random(PIECE)
            self._seconds += time.perf_counter() - begun
            self._made += PIECE
            if len(self) < KEPT:
                self._kept.append(block)
                vars(self).pop("own", None)
            yield block

    def prepare(self, count: int, progress: Progress) -> None:
        """Draw as much as tells what a sample of `count` needs to know of the model.

        Raises:
            Cancelled: the person cancelled; what was drawn stays.
        """
        wanted = min(max(2 * count, _LEAST), KEPT)
        blocks, seen = self.blocks(), 0
        while seen < wanted:
            progress.report("Drawing from the model", seen / wanted)
            seen += len(next(blocks)[0])

    def short_of(self, draws: float) -> str:
        """What there is to say of so many draws, a clause, if not all of them would be independent."""
        if self.independent is None or draws <= self.independent:
            return ""
        return f"only {self.independent:,} draws of this model are independent of each other, and it takes {draws:,.0f}"

    @cached_property
    def own(self) -> OwnShares:
        """Which classes it makes, by the draws that are kept."""
        return OwnShares.of(np.concatenate([drawn.probabilities for drawn, _ in self._kept]), self.prior, self.meant)

    def log_weights(self, tilt: Tilt) -> Floats:
        """log W of the draws that are kept, shape (n,)."""
        return np.concatenate([tilt.log_weights(drawn, self.own) for drawn, _ in self._kept])

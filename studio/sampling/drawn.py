"""What a model drew, with what is known of each of it."""

from __future__ import annotations

from dataclasses import dataclass

from studio.data.scale import Values
from studio.perturb.arrays import Floats
from studio.perturb.example_features import ExampleFeatures


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """n draws.

    Attributes:
        values: as the data set stores them, shape (n, H, W, C).
        probabilities: p(c|x) by a classifier that takes classes to be as frequent as in the data, shape (n, K).
        measured: their features, and the log-odds of judges.
    """

    values: Values
    probabilities: Floats
    measured: ExampleFeatures

    def __len__(self) -> int:
        return len(self.values)

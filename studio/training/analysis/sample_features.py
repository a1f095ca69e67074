"""What is known of the samples of a model: their classes by a judge or by the plane, and their features."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from studio.data.example_set import ExampleSet
from studio.data.planar.target import PlaneTarget
from studio.data.scale import Values
from studio.perturb.arrays import Floats
from studio.perturb.example_features import Column, ExampleFeatures
from studio.perturb.perturbation import Perturbation
from studio.perturb.terms import FormulaTerm, checked_energy
from studio.progress import Progress
from studio.sampling.tilt import Drawn
from studio.training.examples.judges import Judges

if TYPE_CHECKING:
    from studio.evaluation.judge import Judge


class _SamplesAsExamples(ExampleFeatures):
    """What a model made, in the role of examples."""

    def describe(self, index: int) -> str:
        return f"what the model generates, taken for “{self.class_names[int(self.labels[index])]}”"


class SampleFeatures:
    """Looks at what models of a data set make, by a `judge`, None until `bring_judge` and where there is none."""

    def __init__(self, examples: ExampleSet, judges: Judges) -> None:
        self._examples, self._judges = examples, judges
        self.judge: Judge | None = None

    def bring_judge(self, progress: Progress) -> None:
        """That of the data set, which may have to be trained first; raises UserError where images cannot be judged."""
        if self.judge is None and self._examples.labelled and self._examples.plane is None:
            self.judge = self._judges.judge("", progress)

    def look(self, values: Values) -> Drawn:
        """At what a model made, shape (n, H, W, C)."""
        rows = values if self._examples.plane is None else values.reshape(len(values), -1)

        def load(source: str, progress: Progress) -> Column:
            name, of = json.loads(source.removeprefix("judge:"))
            return Column(values=self._judges.log_odds(name, of, progress, self._examples.pictures(values)))

        nobody = np.zeros(len(values), np.int64)
        measured = _SamplesAsExamples(rows, nobody, self._examples.class_names, load)
        return Drawn(values=values, probabilities=self._probabilities(values), measured=measured)

    def _probabilities(self, values: Values) -> Floats:
        """p(c|x) where classes are as frequent as in the data, shape (n, K)."""
        names, plane = self._examples.class_names, self._examples.plane
        if plane is not None:
            untilted = Perturbation.zero(len(names))
            exact = PlaneTarget.of(plane, names, self._examples.counts, untilted)
            return exact.class_probabilities(values.reshape(len(values), -1).astype(np.float64))
        if self.judge is None:
            return np.ones((len(values), 1))
        found: Floats = self.judge.weigh(self._examples.pictures(values))
        return found


def each_class(drawn: Drawn, term: FormulaTerm) -> Floats:
    """A formula of each sample as if it were of each class in turn, shape (n, K)."""
    classes = range(drawn.probabilities.shape[1])
    return np.stack([checked_energy(term, drawn.measured.in_class(index)) for index in classes], axis=1)

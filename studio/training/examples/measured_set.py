"""A data set with everything that energies may ask of its examples."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from studio.data.columns import read_column
from studio.data.example_set import ExampleSet
from studio.errors import UserError
from studio.paths import default_data_root
from studio.perturb.arrays import Floats
from studio.perturb.diagnostics import TiltSummary, summarise, summarise_examples
from studio.perturb.example_features import COLUMN, Column, ExampleFeatures
from studio.perturb.perturbation import Perturbation
from studio.progress import Progress
from studio.training.examples.judges import Judges

CSV = f"{COLUMN}csv:"
"""Begins the name of a column that is read from a file."""


def whole_log_weights(perturbation: Perturbation, measured: ExampleFeatures) -> Floats:
    """log w of every example of a data set, shape (N,); raises UserError if the data lack what a term needs."""
    counts = np.bincount(measured.labels, minlength=len(measured.class_names))
    energies = perturbation.example_energies(measured) if perturbation.by_example else None
    return perturbation.example_log_weights(measured.labels, counts, energies)


def whole_tilt(perturbation: Perturbation, measured: ExampleFeatures, average_size: float) -> TiltSummary:
    """What a target costs over a whole set by batches of B_avg; raises UserError if the data lack what it needs."""
    if perturbation.by_example:
        return summarise_examples(perturbation, perturbation.example_energies(measured), measured.labels, average_size)
    counts = np.bincount(measured.labels, minlength=len(measured.class_names))
    return summarise(perturbation, counts, average_size)


def measured_set(examples: ExampleSet, judges: Judges | None = None) -> ExampleFeatures:
    """Features and columns of a data set, none measured yet, by judges, or those of the person's own folder if absent.

    A column's source says how it is loaded: ``csv:PATH``, or ``judge:["NAME", CLASS]`` for a judge's log-odds of a
    class, by its name or number, for which the judge is trained unless it is kept from before.
    """
    asked = judges or Judges(examples, default_data_root())

    def load(source: str, progress: Progress) -> Column:
        kind, _, place = source.partition(":")
        match kind:
            case "csv" if place.strip():
                files, count = examples.listed or examples.files, examples.number_count
                return read_column(Path(place).expanduser(), count, files, progress, present=examples.numbers)
            case "csv":
                raise UserError("No CSV file has been chosen yet", hint="Choose one.", field="perturbation.terms")
            case "judge":
                name, of = json.loads(place)
                values = asked.log_odds(name, of, progress)
                return Column(values=values, origin=asked.fingerprint(name))
            case _:
                raise UserError("There is no such column", f"“{source[:60]}”.", field="perturbation.terms")

    values = examples.values if examples.plane is None else examples.values.reshape(len(examples), -1)
    return ExampleFeatures(values, examples.labels, examples.class_names, load, examples.numbers)

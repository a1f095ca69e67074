"""A data set with everything that energies may ask of its examples."""

from __future__ import annotations

from pathlib import Path

from studio.data.columns import read_column
from studio.data.example_set import ExampleSet
from studio.errors import UserError
from studio.perturb.arrays import Floats
from studio.perturb.measured import Measured
from studio.progress import Progress


def measured_set(examples: ExampleSet) -> Measured:
    """Features and columns of a data set, none measured yet.

    A column's source says how it is loaded: ``csv:PATH``. Another kind of source, such as what a classifier says of
    each example, is another case here.
    """

    def load(source: str, progress: Progress) -> Floats:
        kind, _, place = source.partition(":")
        match kind:
            case "csv" if place.strip():
                return read_column(Path(place).expanduser(), len(examples), examples.files, progress)
            case "csv":
                raise UserError("No CSV file has been chosen yet", hint="Choose one.", field="perturbation.terms")
            case _:
                raise UserError("There is no such column", f"“{source[:60]}”.", field="perturbation.terms")

    values = examples.values if examples.plane is None else examples.values.reshape(len(examples), -1)
    return Measured(values, examples.labels, examples.class_names, load)

"""A data set with everything that energies may ask of its examples."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from studio.data.columns import read_column
from studio.data.example_set import ExampleSet
from studio.data.image_set import ImageSet
from studio.errors import UserError
from studio.perturb.arrays import Floats
from studio.perturb.measured import Measured
from studio.perturb.perturbation import Perturbation
from studio.progress import Progress


def whole_log_weights(perturbation: Perturbation, measured: Measured) -> Floats:
    """log w of every example of a data set, shape (N,).

    Raises:
        UserError: the data lack what a term of the energy needs.
    """
    counts = np.bincount(measured.labels, minlength=len(measured.class_names))
    energies = perturbation.example_energies(measured) if perturbation.by_example else None
    return perturbation.example_log_weights(measured.labels, counts, energies)


def measured_set(examples: ExampleSet) -> Measured:
    """Features and columns of a data set, none measured yet.

    A column's source says how it is loaded: ``csv:PATH``, or ``judge:CLASS`` for the judge's log-odds of a class, for
    which the judge is trained unless it is kept from before.
    """

    def load(source: str, progress: Progress) -> Floats:
        kind, _, place = source.partition(":")
        match kind:
            case "csv" if place.strip():
                return read_column(Path(place).expanduser(), len(examples), examples.files, progress)
            case "csv":
                raise UserError("No CSV file has been chosen yet", hint="Choose one.", field="perturbation.terms")
            case "judge":
                return _log_odds(examples, place, progress)
            case _:
                raise UserError("There is no such column", f"“{source[:60]}”.", field="perturbation.terms")

    values = examples.values if examples.plane is None else examples.values.reshape(len(examples), -1)
    return Measured(values, examples.labels, examples.class_names, load)


def _log_odds(examples: ExampleSet, name: str, progress: Progress) -> Floats:
    """The judge's log-odds of a class for every example, shape (N,)."""
    names = examples.class_names
    if not isinstance(examples, ImageSet):
        raise _no_judge("Only images can be judged", f"{examples.name} has {examples.noun}.", "Use a formula instead.")
    if name not in names:
        known = ", ".join(names[:12]) + ("…" if len(names) > 12 else "")
        raise _no_judge(f"The judge knows no class “{name[:60]}”", f"{examples.name} has {known}.", "Choose one.")
    from studio.evaluation.judge_store import judge_for

    return judge_for(examples, progress).log_odds(names.index(name))


def _no_judge(title: str, message: str, hint: str) -> UserError:
    return UserError(title, message, hint, field="perturbation.terms")

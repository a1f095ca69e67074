"""What tells the data behind a run's target from all others, by hashes: everything that enters log w.

The examples, their labels and the names of their classes have one fingerprint, as `ExampleSet` makes it; each column
that the target asks has one of its values, or of the data set that its judge was trained on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pydantic import Field

from studio.data.example_set import ExampleSet
from studio.errors import UserError
from studio.names import listed
from studio.perturb.energy import Energy
from studio.perturb.example_features import COLUMN, ExampleFeatures
from studio.records import read_record
from studio.settings import Settings

CHANGED = "The data have changed since the run was queued"
_MOST_SHOWN = 3
_HINT = (
    "Bring it back as it was, or say where it lies now (--set dataset.path=FOLDER or --data-root DIR); "
    "other data need a new run."
)


class Fingerprints(Settings):
    """Of one run.

    Attributes:
        data: of the whole data set, held-out examples included.
        classes: examples of each class, by its name, in label order.
        columns: by the name of each column that the target in force asks, in the order of its terms.
    """

    data: str
    classes: dict[str, int]
    columns: dict[str, str] = Field(default_factory=dict)

    @classmethod
    def of(cls, data: ExampleSet) -> Fingerprints:
        """Those of a data set, without columns."""
        counts = data.counts.tolist()
        return cls(data=data.fingerprint(), classes=dict(zip(data.class_names, counts, strict=True)))

    def with_columns(self, measured: ExampleFeatures, energy: Energy) -> Fingerprints:
        """The same with the columns that an energy asks, loaded if need be; raises UserError if one cannot be had."""
        return self.model_copy(update={"columns": _columns(measured, energy)})

    def with_known_columns(self, measured: ExampleFeatures, energy: Energy) -> Fingerprints:
        """The same with the columns that an energy asks, if all of them are loaded by now; else without."""
        return self if measured.missing(_asked(energy)) else self.with_columns(measured, energy)

    def ensure_data(self, found: ExampleSet) -> None:
        """Refuse another data set. Raises UserError if it is one; says what is different."""
        now = Fingerprints.of(found)
        if now.data != self.data:
            raise UserError(
                "The data set is not the one that the run was trained on",
                f"{found.name}: {_difference(self.classes, now.classes, found)}.",
                _HINT,
                field="dataset",
            )

    def ensure_columns(self, measured: ExampleFeatures, energy: Energy) -> None:
        """Refuse columns that are not those of the same terms of this run's target, whose files may lie elsewhere by
        now.

        Raises UserError if one has changed, or cannot be had.
        """
        now = _columns(measured, energy)
        if len(now) != len(self.columns):
            return  # another target, which says so itself
        for (name, fingerprint), before in zip(now.items(), self.columns.values(), strict=True):
            if fingerprint != before:
                raise _changed(name)


def read_noted(path: Path) -> Fingerprints:
    """Those noted in a file when a run was queued; raises UserError if there are none, or they are damaged."""
    title, hint = "What was noted of the data cannot be read", "Queue the run anew."
    noted = read_record(path, Fingerprints, title, hint)
    if noted is None:
        raise UserError(title, f"{path} is not there.", hint)
    return noted


@contextmanager
def since_it_was_queued() -> Iterator[None]:
    """Have a change that is refused within be one since a run that has not begun was queued."""
    try:
        yield
    except UserError as error:
        hint = (
            "Bring them back as they were; “Retry” in the queue, or a sweep with another --out, takes them as they are."
        )
        raise UserError(CHANGED, error.message, hint, field=error.field) from error


def _columns(measured: ExampleFeatures, energy: Energy) -> dict[str, str]:
    return {name: measured.fingerprint(name) for name in _asked(energy)}


def _asked(energy: Energy) -> list[str]:
    return [name for name in energy.names if name.startswith(COLUMN)]


def _difference(then: Mapping[str, int], now: Mapping[str, int], found: ExampleSet) -> str:
    """What is another in a data set, in words."""
    if then.keys() != now.keys():
        return f"its classes are {listed(now)}; the run’s were {listed(then)}"
    changed = [
        f"“{name}” has {now[name]:,} {found.noun} instead of {then[name]:,}" for name in then if now[name] != then[name]
    ]
    if changed:
        return "; ".join(changed[:_MOST_SHOWN]) + ("; and more" if len(changed) > _MOST_SHOWN else "")
    if list(then) != list(now):
        return "its classes are in another order"
    return f"there are as many {found.noun} of each class, but not the same ones, or prepared in another way"


def _changed(name: str) -> UserError:
    kind, _, place = name.removeprefix(COLUMN).partition(":")
    if kind == "csv":
        return UserError(
            "A column of the target has changed since the run was trained",
            f"{place} holds other values for this data set’s examples.",
            "Restore the file, or train a new run with the values as they are now.",
            field="perturbation.terms",
        )
    judge, _ = json.loads(place)
    return UserError(
        "A judge that the target uses has changed since the run was trained",
        f"The data set that it is trained on, {judge}, has changed.",
        "Restore that data set, or train a new run with the judge as it is now.",
        field="perturbation.terms",
    )

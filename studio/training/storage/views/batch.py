"""The examples planned for a step, and what its model shows on the plane."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field as Bounded

from studio.models.plane import Arrows, Field, Flow, Net, PlaneView
from studio.settings import Settings
from studio.training.messages.snapshot import PlannedExamples
from studio.training.storage.views.arrays import ImagesRecord, NumbersRecord, ViewRecord, inflated

_MOST_CLASSES = 2**16


class FieldRecord(ViewRecord):
    """A `Field`."""

    kind: Literal["field"] = "field"
    unit: str
    values: NumbersRecord
    density: bool

    @classmethod
    def of(cls, view: Field) -> FieldRecord:
        """To be kept."""
        values = NumbersRecord.of(view.values)
        return cls(name=view.name, title=view.title, tip=view.tip, unit=view.unit, values=values, density=view.density)

    def view(self) -> Field:
        """As it was."""
        side = self.values.shape[0] if self.values.shape else 0
        if side < 2:
            raise ValueError("a field has no places")
        values = self.values.array(side, side)
        return Field(
            name=self.name, title=self.title, tip=self.tip, unit=self.unit, values=values, density=self.density
        )


class ArrowsRecord(ViewRecord):
    """`Arrows`."""

    kind: Literal["arrows"] = "arrows"
    at: NumbersRecord
    along: NumbersRecord

    @classmethod
    def of(cls, view: Arrows) -> ArrowsRecord:
        """To be kept."""
        at, along = NumbersRecord.of(view.at), NumbersRecord.of(view.along)
        return cls(name=view.name, title=view.title, tip=view.tip, at=at, along=along)

    def view(self) -> Arrows:
        """As they were."""
        at = self.at.array(None, 2)
        return Arrows(name=self.name, title=self.title, tip=self.tip, at=at, along=self.along.array(len(at), 2))


class LinesRecord(ViewRecord):
    """A `Net` or a `Flow`."""

    kind: Literal["net", "flow"]
    knots: NumbersRecord

    @classmethod
    def of(cls, view: Net | Flow) -> LinesRecord:
        """To be kept."""
        kind: Literal["net", "flow"] = "net" if isinstance(view, Net) else "flow"
        return cls(kind=kind, name=view.name, title=view.title, tip=view.tip, knots=NumbersRecord.of(view.knots))

    def view(self) -> Net | Flow:
        """As it was."""
        lines: type[Net] | type[Flow] = Net if self.kind == "net" else Flow
        return lines(name=self.name, title=self.title, tip=self.tip, knots=self.knots.array(None, None, 2))


class PlannedRecord(Settings):
    """`PlannedExamples`."""

    images: ImagesRecord
    labels: tuple[int, ...]
    weights: NumbersRecord

    @classmethod
    def of(cls, planned: PlannedExamples) -> PlannedRecord:
        """To be kept."""
        labels = tuple(int(label) for label in planned.labels)
        return cls(images=ImagesRecord.of(planned.images), labels=labels, weights=NumbersRecord.of(planned.weights))

    def view(self) -> PlannedExamples:
        """As they were."""
        images = self.images.images()
        if len(self.labels) != len(images) or not all(0 <= label < _MOST_CLASSES for label in self.labels):
            raise ValueError("labels do not go with their images")
        labels = np.array(self.labels, np.int64)
        return PlannedExamples(images=images, labels=labels, weights=self.weights.array(len(images)))


_KEPT: Mapping[type, Callable[[Any], ViewRecord]] = {
    Field: FieldRecord.of,
    Arrows: ArrowsRecord.of,
    Net: LinesRecord.of,
    Flow: LinesRecord.of,
}
_Kept = Annotated[FieldRecord | ArrowsRecord | LinesRecord, Bounded(discriminator="kind")]


class _Batch(Settings):
    """What is kept of a step."""

    planned: PlannedRecord | None = None
    plane: tuple[_Kept, ...] = ()


def pack_batch(planned: PlannedExamples | None, plane: Sequence[PlaneView]) -> bytes:
    """The planned examples and the plane of a step as bytes; none where there is neither."""
    there = planned is not None and len(planned.images) > 0
    if not there and not plane:
        return b""
    kept = {
        "planned": PlannedRecord.of(planned) if there and planned is not None else None,
        "plane": tuple(_KEPT[type(view)](view) for view in plane),
    }
    return zlib.compress(_Batch.model_validate(kept).model_dump_json().encode())


def unpack_batch(packed: bytes) -> tuple[PlannedExamples | None, tuple[PlaneView, ...]]:
    """And back.

    Raises:
        ValueError: they are damaged.
    """
    kept = _Batch.model_validate_json(inflated(packed)) if packed else _Batch()
    planned = kept.planned.view() if kept.planned is not None else None
    return planned, tuple(view.view() for view in kept.plane)

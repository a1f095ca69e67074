"""A model's diagnostics. Of a histogram's values at most `_MOST_VALUES` are kept, evenly spread over their order, which
hardly moves a bar.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, TypeAdapter

from studio.models.diagnostic import Diagnostic, Histogram, Pictures, Profile, Reference
from studio.training.storage.views.arrays import Floats, ImagesRecord, NumbersRecord, ViewRecord, inflated

_MOST_VALUES = 1_000


class HistogramRecord(ViewRecord):
    """A `Histogram`."""

    kind: Literal["histogram"] = "histogram"
    axis: str
    series: dict[str, NumbersRecord]
    references: tuple[tuple[float, str], ...] = ()

    @classmethod
    def of(cls, view: Histogram) -> HistogramRecord:
        """To be kept."""
        return cls(
            name=view.name,
            title=view.title,
            tip=view.tip,
            axis=view.axis,
            series={title: NumbersRecord.of(_thinned(values)) for title, values in view.series.items()},
            references=tuple((line.value, line.title) for line in view.references if np.isfinite(line.value)),
        )

    def view(self) -> Histogram:
        """As it was, but for values left out."""
        return Histogram(
            name=self.name,
            title=self.title,
            tip=self.tip,
            axis=self.axis,
            series=_series(self.series, None),
            references=tuple(Reference(value=value, title=title) for value, title in self.references),
        )


class ProfileRecord(ViewRecord):
    """A `Profile`."""

    kind: Literal["profile"] = "profile"
    axes: tuple[str, str]
    at: NumbersRecord
    series: dict[str, NumbersRecord]

    @classmethod
    def of(cls, view: Profile) -> ProfileRecord:
        """To be kept."""
        series = {title: NumbersRecord.of(values) for title, values in view.series.items()}
        return cls(
            name=view.name, title=view.title, tip=view.tip, axes=view.axes, at=NumbersRecord.of(view.at), series=series
        )

    def view(self) -> Profile:
        """As it was."""
        at = self.at.array(None)
        series = _series(self.series, len(at))
        return Profile(name=self.name, title=self.title, tip=self.tip, axes=self.axes, at=at, series=series)


class PicturesRecord(ViewRecord):
    """`Pictures`."""

    kind: Literal["pictures"] = "pictures"
    images: ImagesRecord
    columns: int = Field(ge=1, le=10_000)
    rows: tuple[str, ...] = ()

    @classmethod
    def of(cls, view: Pictures) -> PicturesRecord:
        """To be kept."""
        images = ImagesRecord.of(view.images)
        return cls(name=view.name, title=view.title, tip=view.tip, images=images, columns=view.columns, rows=view.rows)

    def view(self) -> Pictures:
        """As they were."""
        return Pictures(
            name=self.name,
            title=self.title,
            tip=self.tip,
            images=self.images.images(),
            columns=self.columns,
            rows=self.rows,
        )


_KEPT: Mapping[type, Callable[[Any], ViewRecord]] = {
    Histogram: HistogramRecord.of,
    Profile: ProfileRecord.of,
    Pictures: PicturesRecord.of,
}
_Kept = Annotated[HistogramRecord | ProfileRecord | PicturesRecord, Field(discriminator="kind")]
_ALL: TypeAdapter[tuple[_Kept, ...]] = TypeAdapter(tuple[_Kept, ...])


def pack_diagnostics(found: Sequence[Diagnostic]) -> bytes:
    """A model's diagnostics as bytes; none for none."""
    some = [each for each in found if not isinstance(each, Pictures) or len(each.images)]
    kept = _ALL.validate_python(tuple(_KEPT[type(each)](each) for each in some))
    return zlib.compress(_ALL.dump_json(kept)) if some else b""


def unpack_diagnostics(packed: bytes) -> tuple[Diagnostic, ...]:
    """And back.

    Raises:
        ValueError: they are damaged.
    """
    return tuple(each.view() for each in _ALL.validate_json(inflated(packed))) if packed else ()


def _thinned(values: Floats) -> Floats:
    if len(values) <= _MOST_VALUES:
        return values
    return np.sort(values)[np.linspace(0, len(values) - 1, _MOST_VALUES).round().astype(np.int64)]


def _series(kept: Mapping[str, NumbersRecord], count: int | None) -> dict[str, Floats]:
    return {title: values.array(count) for title, values in kept.items()}

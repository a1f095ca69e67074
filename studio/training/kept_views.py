"""What a run shows beside its samples, as bytes for a file and back: planned examples, a model's diagnostics, and its
fields, arrows and nets on the plane. Deflated JSON; numbers as float32 in base64, images as PNG.

What comes back may be a stranger's: every shape and size is checked, and nothing unfolds beyond `_MOST_BYTES`. Of a
histogram's values at most `_MOST_VALUES` are kept, evenly spread over their order, which hardly moves a bar.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field as Bounded
from pydantic import TypeAdapter

from studio.models.diagnostic import Diagnostic, Histogram, Pictures, Profile, Reference
from studio.models.plane import Arrows, Field, Flow, Net, PlaneView
from studio.settings import Settings
from studio.training.sample_strips import images_of, strip_of
from studio.training.snapshot import Images, PlannedExamples

Floats = NDArray[np.float64]
_MOST_BYTES = 2**26
_MOST_VALUES = 1_000
_MOST_CLASSES = 2**16


class KeptNumbers(Settings):
    """An array."""

    shape: tuple[int, ...] = Bounded(max_length=3)
    data: str

    @classmethod
    def of(cls, values: NDArray[np.generic]) -> KeptNumbers:
        """To be kept."""
        packed = base64.b64encode(values.astype("<f4").tobytes()).decode()
        return cls(shape=values.shape, data=packed)

    def array(self, *sizes: int | None) -> Floats:
        """float64, of this shape; None is any size.

        Raises:
            ValueError: it has another.
        """
        fits = len(self.shape) == len(sizes) and all(
            size >= 0 and wanted in (None, size) for size, wanted in zip(self.shape, sizes, strict=True)
        )
        if not fits:
            raise ValueError(f"numbers of shape {self.shape} are not those of a view")
        values = np.frombuffer(base64.b64decode(self.data, validate=True), "<f4").reshape(self.shape)
        return values.astype(np.float64)


class KeptImages(Settings):
    """Images as a strip."""

    shape: tuple[int, int, int, int]
    strip: str

    @classmethod
    def of(cls, images: Images) -> KeptImages:
        """To be kept; one at least."""
        number, height, width, channels = images.shape
        return cls(shape=(number, height, width, channels), strip=base64.b64encode(strip_of(images)).decode())

    def images(self) -> Images:
        """uint8, shape (n, H, W, C).

        Raises:
            ValueError: it is no strip of that shape.
        """
        if min(self.shape) < 1 or self.shape[3] not in (1, 3):
            raise ValueError(f"{self.shape} is no shape of images")
        return images_of(base64.b64decode(self.strip, validate=True), self.shape)


class KeptView(Settings):
    """What all of them have."""

    name: str
    title: str
    tip: str


class KeptHistogram(KeptView):
    """A `Histogram`."""

    kind: Literal["histogram"] = "histogram"
    axis: str
    series: dict[str, KeptNumbers]
    references: tuple[tuple[float, str], ...] = ()

    @classmethod
    def of(cls, view: Histogram) -> KeptHistogram:
        """To be kept."""
        return cls(
            name=view.name,
            title=view.title,
            tip=view.tip,
            axis=view.axis,
            series={title: KeptNumbers.of(_thinned(values)) for title, values in view.series.items()},
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


class KeptProfile(KeptView):
    """A `Profile`."""

    kind: Literal["profile"] = "profile"
    axes: tuple[str, str]
    at: KeptNumbers
    series: dict[str, KeptNumbers]

    @classmethod
    def of(cls, view: Profile) -> KeptProfile:
        """To be kept."""
        series = {title: KeptNumbers.of(values) for title, values in view.series.items()}
        return cls(
            name=view.name, title=view.title, tip=view.tip, axes=view.axes, at=KeptNumbers.of(view.at), series=series
        )

    def view(self) -> Profile:
        """As it was."""
        at = self.at.array(None)
        series = _series(self.series, len(at))
        return Profile(name=self.name, title=self.title, tip=self.tip, axes=self.axes, at=at, series=series)


class KeptPictures(KeptView):
    """`Pictures`."""

    kind: Literal["pictures"] = "pictures"
    images: KeptImages
    columns: int = Bounded(ge=1, le=10_000)
    rows: tuple[str, ...] = ()

    @classmethod
    def of(cls, view: Pictures) -> KeptPictures:
        """To be kept."""
        images = KeptImages.of(view.images)
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


class KeptField(KeptView):
    """A `Field`."""

    kind: Literal["field"] = "field"
    unit: str
    values: KeptNumbers
    density: bool

    @classmethod
    def of(cls, view: Field) -> KeptField:
        """To be kept."""
        values = KeptNumbers.of(view.values)
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


class KeptArrows(KeptView):
    """`Arrows`."""

    kind: Literal["arrows"] = "arrows"
    at: KeptNumbers
    along: KeptNumbers

    @classmethod
    def of(cls, view: Arrows) -> KeptArrows:
        """To be kept."""
        at, along = KeptNumbers.of(view.at), KeptNumbers.of(view.along)
        return cls(name=view.name, title=view.title, tip=view.tip, at=at, along=along)

    def view(self) -> Arrows:
        """As they were."""
        at = self.at.array(None, 2)
        return Arrows(name=self.name, title=self.title, tip=self.tip, at=at, along=self.along.array(len(at), 2))


class KeptNet(KeptView):
    """A `Net`."""

    kind: Literal["net"] = "net"
    knots: KeptNumbers

    @classmethod
    def of(cls, view: Net) -> KeptNet:
        """To be kept."""
        return cls(name=view.name, title=view.title, tip=view.tip, knots=KeptNumbers.of(view.knots))

    def view(self) -> Net:
        """As it was."""
        return Net(name=self.name, title=self.title, tip=self.tip, knots=self.knots.array(None, None, 2))


class KeptFlow(KeptView):
    """A `Flow`."""

    kind: Literal["flow"] = "flow"
    knots: KeptNumbers

    @classmethod
    def of(cls, view: Flow) -> KeptFlow:
        """To be kept."""
        return cls(name=view.name, title=view.title, tip=view.tip, knots=KeptNumbers.of(view.knots))

    def view(self) -> Flow:
        """As it was."""
        return Flow(name=self.name, title=self.title, tip=self.tip, knots=self.knots.array(None, None, 2))


class KeptPlanned(Settings):
    """`PlannedExamples`."""

    images: KeptImages
    labels: tuple[int, ...]
    weights: KeptNumbers

    @classmethod
    def of(cls, planned: PlannedExamples) -> KeptPlanned:
        """To be kept."""
        labels = tuple(int(label) for label in planned.labels)
        return cls(images=KeptImages.of(planned.images), labels=labels, weights=KeptNumbers.of(planned.weights))

    def view(self) -> PlannedExamples:
        """As they were."""
        images = self.images.images()
        if len(self.labels) != len(images) or not all(0 <= label < _MOST_CLASSES for label in self.labels):
            raise ValueError("labels do not go with their images")
        labels = np.array(self.labels, np.int64)
        return PlannedExamples(images=images, labels=labels, weights=self.weights.array(len(images)))


_KEPT: Mapping[type, Callable[[Any], KeptView]] = {
    Histogram: KeptHistogram.of,
    Profile: KeptProfile.of,
    Pictures: KeptPictures.of,
    Field: KeptField.of,
    Arrows: KeptArrows.of,
    Net: KeptNet.of,
    Flow: KeptFlow.of,
}
_OfModel = Annotated[KeptHistogram | KeptProfile | KeptPictures, Bounded(discriminator="kind")]
_OnPlane = Annotated[KeptField | KeptArrows | KeptNet | KeptFlow, Bounded(discriminator="kind")]


class _Batch(Settings):
    """What is kept of a step: the examples of its batch, and the plane."""

    planned: KeptPlanned | None = None
    plane: tuple[_OnPlane, ...] = ()


_DIAGNOSTICS: TypeAdapter[tuple[_OfModel, ...]] = TypeAdapter(tuple[_OfModel, ...])


def pack_diagnostics(found: Sequence[Diagnostic]) -> bytes:
    """A model's diagnostics as bytes; none for none."""
    some = [each for each in found if not isinstance(each, Pictures) or len(each.images)]
    return zlib.compress(_DIAGNOSTICS.dump_json(_DIAGNOSTICS.validate_python(_kept(some)))) if some else b""


def unpack_diagnostics(packed: bytes) -> tuple[Diagnostic, ...]:
    """And back.

    Raises:
        ValueError: they are damaged.
    """
    return tuple(each.view() for each in _DIAGNOSTICS.validate_json(inflated(packed))) if packed else ()


def pack_batch(planned: PlannedExamples | None, plane: Sequence[PlaneView]) -> bytes:
    """The planned examples and the plane of a step as bytes; none where there is neither."""
    there = planned is not None and len(planned.images) > 0
    if not there and not plane:
        return b""
    kept = {
        "planned": KeptPlanned.of(planned) if there and planned is not None else None,
        "plane": _kept(plane),
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


def _kept(views: Sequence[Diagnostic | PlaneView]) -> tuple[KeptView, ...]:
    return tuple(_KEPT[type(view)](view) for view in views)


def inflated(packed: bytes) -> bytes:
    """What was deflated.

    Raises:
        ValueError: it is cut off, or larger than anything that is kept.
    """
    unpack = zlib.decompressobj()
    try:
        content = unpack.decompress(packed, _MOST_BYTES)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if not unpack.eof:
        raise ValueError("it is cut off")
    return content


def _thinned(values: Floats) -> Floats:
    if len(values) <= _MOST_VALUES:
        return values
    return np.sort(values)[np.linspace(0, len(values) - 1, _MOST_VALUES).round().astype(np.int64)]


def _series(kept: Mapping[str, KeptNumbers], count: int | None) -> dict[str, Floats]:
    return {title: values.array(count) for title, values in kept.items()}

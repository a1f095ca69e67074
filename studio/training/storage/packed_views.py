"""What a run shows beside its samples, as bytes for a file and back: a model's diagnostics, planned examples, and what
lies on the plane. Deflated JSON: each view is the object of its fields, told apart by ``kind``; numbers are float32 in
base64, images a PNG strip.

Of a histogram's values at most `_MOST_VALUES` are kept, evenly spread over their order, which hardly moves a bar. What
comes back may be a stranger's: every shape and size is checked, and nothing unfolds beyond 64 MiB.
"""

from __future__ import annotations

import base64
import functools
import operator
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, replace
from typing import Annotated, Any, Literal, TypeAlias, cast, get_type_hints

import numpy as np
from numpy.typing import NDArray
from pydantic import Field as Bounded
from pydantic import TypeAdapter, create_model

from studio.models.diagnostic import Diagnostic, Histogram, Pictures, Profile, Reference
from studio.models.plane import Arrows, Field, Flow, Net, PlaneView
from studio.settings import Settings
from studio.training.messages.snapshot import Images, PlannedExamples
from studio.training.storage.sample_strips import images_of, strip_of

_MOST_VALUES = 1_000
_MOST_CLASSES = 2**16
_MOST_BYTES = 2**26

Sizes: TypeAlias = dict[str, int]
_SHAPES: Mapping[tuple[type, str], tuple[str | int, ...]] = {
    (Field, "values"): ("side", "side"),
    (Arrows, "at"): ("arrows", 2),
    (Arrows, "along"): ("arrows", 2),
    (Net, "knots"): ("rows", "columns", 2),
    (Flow, "knots"): ("particles", "times", 2),
    (Histogram, "series"): ("",),
    (Profile, "at"): ("places",),
    (Profile, "series"): ("places",),
    (PlannedExamples, "weights"): ("images",),
}
"""Of the arrays of each view: a size that has a name is the same wherever it stands, and one without is any."""


class Numbers(Settings):
    """An array of numbers."""

    shape: tuple[int, ...] = Bounded(max_length=3)
    data: str

    def array(self, wanted: tuple[str | int, ...], sizes: Sizes) -> NDArray[np.float64]:
        """float64, of the shape that is wanted, named new sizes being noted; raises ValueError if it has another."""
        known = [size if isinstance(size, int) else sizes.get(size, found) for size, found in zip(wanted, self.shape)]  # noqa: B905
        if len(wanted) != len(self.shape) or known != [*self.shape] or min(self.shape, default=0) < 0:
            raise ValueError(f"numbers of shape {self.shape} are not those of a view")
        sizes |= {name: size for name, size in zip(wanted, self.shape, strict=True) if isinstance(name, str) and name}
        if sizes.get("side", 2) < 2:
            raise ValueError("a field has no places")
        values = np.frombuffer(base64.b64decode(self.data, validate=True), "<f4").reshape(self.shape)
        return values.astype(np.float64)


class Strip(Settings):
    """Images, one below another."""

    shape: tuple[int, int, int, int]
    strip: str

    def images(self, sizes: Sizes) -> Images:
        """uint8, shape (n, H, W, C); their number is noted. Raises ValueError if it is no strip of that shape."""
        if min(self.shape) < 1 or self.shape[3] not in (1, 3):
            raise ValueError(f"{self.shape} is no shape of images")
        sizes["images"] = self.shape[0]
        return images_of(base64.b64decode(self.strip, validate=True), self.shape)


_RECORDS: Mapping[Any, Any] = {
    NDArray[np.float64]: Numbers,
    NDArray[np.uint8]: Strip,
    NDArray[np.int64]: tuple[Annotated[int, Bounded(ge=0, lt=_MOST_CLASSES)], ...],
    Mapping[str, NDArray[np.float64]]: dict[str, Numbers],
    tuple[Reference, ...]: tuple[tuple[float, str], ...],
    int: Annotated[int, Bounded(ge=1, le=10_000)],
}


def _record_of(view: type, kind: str = "") -> type[Settings]:
    """The settings that hold a view: its fields, with a record in the place of every array."""
    hints = get_type_hints(view)
    found: dict[str, Any] = {
        each.name: (_RECORDS.get(hints[each.name], hints[each.name]), ... if each.default is MISSING else each.default)
        for each in fields(view)
    }
    if kind:
        found["kind"] = (Literal[kind], kind)
    return cast("type[Settings]", create_model(view.__name__, __base__=Settings, **found))


_DIAGNOSTICS: Mapping[type, type[Settings]] = {
    kind: _record_of(kind, kind.__name__.lower()) for kind in (Histogram, Profile, Pictures)
}
_PLANE: Mapping[type, type[Settings]] = {
    kind: _record_of(kind, kind.__name__.lower()) for kind in (Field, Arrows, Net, Flow)
}
_PLANNED: Any = _record_of(PlannedExamples)
_VIEWS: Mapping[type, type[Any]] = {
    record: view for view, record in (*_DIAGNOSTICS.items(), *_PLANE.items(), (PlannedExamples, _PLANNED))
}


def _any_of(records: Mapping[Any, type[Settings]]) -> Any:
    together: Any = functools.reduce(operator.or_, records.values())
    return tuple[Annotated[together, Bounded(discriminator="kind")], ...]


_ALL_DIAGNOSTICS: TypeAdapter[tuple[Settings, ...]] = TypeAdapter(_any_of(_DIAGNOSTICS))
_PARTS: dict[str, Any] = {"planned": (_PLANNED | None, None), "plane": (_any_of(_PLANE), ())}
_BATCH = cast("Any", create_model("Batch", __base__=Settings, **_PARTS))


def pack_diagnostics(found: Sequence[Diagnostic]) -> bytes:
    """A model's diagnostics as bytes; none for none."""
    some = [each for each in found if not isinstance(each, Pictures) or len(each.images)]
    kept = tuple(_DIAGNOSTICS[type(each)](**_fields(_thinned(each))) for each in some)
    return zlib.compress(_ALL_DIAGNOSTICS.dump_json(kept)) if some else b""


def unpack_diagnostics(packed: bytes) -> tuple[Diagnostic, ...]:
    """And back; raises ValueError if they are damaged."""
    return tuple(_view(each) for each in _ALL_DIAGNOSTICS.validate_json(inflated(packed))) if packed else ()


def pack_batch(planned: PlannedExamples | None, plane: Sequence[PlaneView]) -> bytes:
    """The planned examples and the plane of a step as bytes; none where there is neither."""
    kept: dict[str, Any] = {"plane": tuple(_PLANE[type(view)](**_fields(view)) for view in plane)}
    if planned is not None and len(planned.images):
        kept["planned"] = _PLANNED(**_fields(planned))
    elif not plane:
        return b""
    return zlib.compress(_BATCH(**kept).model_dump_json().encode())


def unpack_batch(packed: bytes) -> tuple[PlannedExamples | None, tuple[PlaneView, ...]]:
    """And back; raises ValueError if they are damaged."""
    kept = _BATCH.model_validate_json(inflated(packed)) if packed else _BATCH()
    planned = _view(kept.planned) if kept.planned is not None else None
    return planned, tuple(_view(view) for view in kept.plane)


def inflated(packed: bytes) -> bytes:
    """What was deflated; raises ValueError if it is cut off, or larger than anything that is kept."""
    unpack = zlib.decompressobj()
    try:
        content = unpack.decompress(packed, _MOST_BYTES)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if not unpack.eof:
        raise ValueError("it is cut off")
    return content


def _thinned(view: Diagnostic) -> Diagnostic:
    if not isinstance(view, Histogram):
        return view
    series = dict(view.series)
    for title, values in series.items():
        if len(values) > _MOST_VALUES:
            places = np.linspace(0, len(values) - 1, _MOST_VALUES).round().astype(np.int64)
            series[title] = np.sort(values)[places]
    return replace(view, series=series, references=tuple(each for each in view.references if np.isfinite(each.value)))


def _fields(view: Any) -> dict[str, Any]:
    return {each.name: _packed(getattr(view, each.name)) for each in fields(view)}


def _packed(value: Any) -> Any:
    match value:
        case np.ndarray(dtype=np.uint8):
            return Strip(shape=value.shape, strip=base64.b64encode(strip_of(value)).decode())
        case np.ndarray(dtype=np.int64):
            return tuple(value.tolist())
        case np.ndarray():
            return Numbers(shape=value.shape, data=base64.b64encode(value.astype("<f4").tobytes()).decode())
        case Mapping():
            return {name: _packed(each) for name, each in value.items()}
        case tuple():
            return tuple(_packed(each) for each in value)
        case Reference():
            return value.value, value.title
        case _:
            return value


def _view(record: Settings) -> Any:
    """The view that a record holds; raises ValueError if its arrays do not go together."""
    view, sizes = _VIEWS[type(record)], Sizes()
    found: dict[str, Any] = {}
    for name in (each.name for each in fields(view)):
        match getattr(record, name), _SHAPES.get((view, name), ()):
            case Strip() as strip, _:
                found[name] = strip.images(sizes)
            case Numbers() as numbers, shape:
                found[name] = numbers.array(shape, sizes)
            case dict() as series, shape:
                found[name] = {title: numbers.array(shape, sizes) for title, numbers in series.items()}
            case tuple() as labels, _ if name == "labels":
                if len(labels) != sizes["images"]:
                    raise ValueError("labels do not go with their images")
                found[name] = np.array(labels, np.int64)
            case tuple() as lines, _ if name == "references":
                found[name] = tuple(Reference(value=at, title=title) for at, title in lines)
            case value, _:
                found[name] = value
    return view(**found)

"""What is kept beside samples comes back as it was, and what is damaged is refused."""

import json
import sqlite3
import zlib
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.errors import UserError
from studio.models.catalog import MODELS
from studio.models.diagnostic import Diagnostic, Histogram, Pictures, Profile, Reference
from studio.models.plane import Arrows, Field, Flow, Net
from studio.training.engine.trainer import Trainer
from studio.training.messages.snapshot import PlannedExamples
from studio.training.storage.frames import Frame, FrameStore, append_frames
from studio.training.storage.packed_views import (
    inflated,
    pack_batch,
    pack_diagnostics,
    unpack_batch,
    unpack_diagnostics,
)
from tests.library.made_runs import make_grid
from tests.training.conftest import steps, tiny_config, tiny_images
from tests.training.played import Played

HISTOGRAM = Histogram(
    name="h",
    title="H",
    tip="What.",
    axis="x",
    series={"a": np.linspace(0, 1, 7), "b": np.empty(0)},
    references=(Reference(value=0.5, title="half"),),
)
PROFILE = Profile(
    name="p", title="P", tip="What.", axes=("x", "y"), at=np.arange(3.0), series={"a": np.array([1, np.nan, 3])}
)
PICTURES = Pictures(
    name="i", title="I", tip="What.", images=make_grid(5).raw, columns=3, rows=("first", "second", "third")
)
FIELD = Field(name="f", title="F", tip="What.", unit="nats", values=np.arange(16.0).reshape(4, 4), density=True)
ARROWS = Arrows(name="a", title="A", tip="What.", at=np.ones((5, 2)), along=np.zeros((5, 2)))
NET = Net(name="n", title="N", tip="What.", knots=np.arange(24.0).reshape(3, 4, 2))
FLOW = Flow(name="w", title="W", tip="What.", knots=np.arange(12.0).reshape(2, 3, 2))
PLANNED = PlannedExamples(images=make_grid(7).raw, labels=np.arange(9), weights=np.linspace(0.5, 1.5, 9))


def same(one: Any, other: Any) -> None:
    for name in one.__slots__:
        mine, theirs = getattr(one, name), getattr(other, name)
        if isinstance(mine, dict):
            assert mine.keys() == theirs.keys()
            for key in mine:
                np.testing.assert_allclose(mine[key], theirs[key], rtol=1e-6)
        elif isinstance(mine, np.ndarray):
            assert mine.shape == theirs.shape
            np.testing.assert_allclose(mine, theirs, rtol=1e-6)
        else:
            assert mine == theirs


def test_that_views_come_back() -> None:
    given: tuple[Diagnostic, ...] = (HISTOGRAM, PROFILE, PICTURES)
    for mine, theirs in zip(given, unpack_diagnostics(pack_diagnostics(given)), strict=True):
        same(mine, theirs)
    planned, plane = unpack_batch(pack_batch(PLANNED, (FIELD, ARROWS, NET, FLOW)))
    same(PLANNED, planned)
    for view, found in zip((FIELD, ARROWS, NET, FLOW), plane, strict=True):
        same(view, found)


def test_that_nothing_takes_no_room() -> None:
    assert pack_diagnostics(()) == pack_batch(None, ()) == b""
    assert unpack_diagnostics(b"") == ()
    assert unpack_batch(b"") == (None, ())


def test_that_a_long_histogram_is_kept_by_its_order() -> None:
    values = np.random.default_rng(0).normal(size=50_000)
    long = Histogram(name="h", title="H", tip="", axis="x", series={"a": values})
    (found,) = unpack_diagnostics(pack_diagnostics([long]))
    assert isinstance(found, Histogram)
    kept = found.series["a"]
    assert len(kept) == 1000
    np.testing.assert_allclose([kept.min(), kept.max()], [values.min(), values.max()], rtol=1e-6)
    edges = np.linspace(-3, 3, 13)
    bars = [np.histogram(each, edges)[0] / len(each) for each in (values, kept)]
    assert np.abs(bars[0] - bars[1]).max() < 0.002


@pytest.mark.parametrize("kind", [spec.kind for spec in MODELS])
def test_that_what_a_model_shows_is_kept(kind: str) -> None:
    trainer = Trainer(tiny_config(kind), tiny_images())
    trainer.step()
    shown = trainer.diagnose()
    found = unpack_diagnostics(pack_diagnostics(shown))
    assert [each.name for each in found] == [each.name for each in shown]


def test_that_a_run_keeps_them_frame_by_frame(tmp_path: Path) -> None:
    run = Played(folder=tmp_path / "run")
    run.run(steps(3))
    frames = FrameStore(tmp_path / "run")
    first, last = frames.at(0), frames.at(3)
    assert first.planned is None
    assert len(last.planned.images) == len(last.planned.labels) > 0
    assert frames.diagnosed_at(3)[0] == 3
    assert [each.name for each in frames.diagnosed_at(3)[1]] == [each.name for each in run.trainer.diagnose()]
    assert frames.diagnosed_at(2)[0] == 0


DAMAGE = [
    ("series", {"a": {"shape": [3], "data": "AAAA"}}),
    ("series", {"a": {"shape": [-1], "data": ""}}),
    ("series", {"a": {"shape": [1, 1], "data": "AAAAAA=="}}),
    ("series", {"a": {"shape": [10**18], "data": "AAAA"}}),
    ("series", {"a": {"shape": [1], "data": "?"}}),
    ("series", [1]),
    ("kind", "other"),
    ("kind", "pictures"),
    ("title", 3),
    ("references", [[1.0]]),
    ("references", [[1e999, "x"]]),
    ("more", 1),
]


@pytest.mark.parametrize(("name", "value"), DAMAGE)
def test_that_damaged_diagnostics_are_refused(name: str, value: object, tmp_path: Path) -> None:
    (record,) = json.loads(inflated(pack_diagnostics([HISTOGRAM])))
    record[name] = value
    packed = zlib.compress(json.dumps([record]).encode())
    with pytest.raises(ValueError):  # noqa: PT011 - of several kinds
        unpack_diagnostics(packed)


def test_that_bytes_that_are_cut_off_or_endless_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.training.storage.packed_views._MOST_BYTES", 2**20)
    whole = pack_batch(PLANNED, (FIELD,))
    for packed in (whole[:-9], b"nonsense", zlib.compress(bytes(2**20 + 1))):
        with pytest.raises(ValueError):  # noqa: PT011
            unpack_batch(packed)
    append_frames(tmp_path, [Frame(grid=make_grid(1), seconds=0.0, planned=PLANNED)], 10**9)
    with closing(sqlite3.connect(tmp_path / "frames.sqlite", isolation_level=None)) as connection:
        connection.execute("UPDATE frame SET batch = x'00', diagnostics = x'00'")
    frames = FrameStore(tmp_path)
    with pytest.raises(UserError, match="sample grids cannot be read"):
        frames.at(1)
    with pytest.raises(UserError, match="sample grids cannot be read"):
        frames.diagnosed_at(1)

"""Sample grids on disk: all of them, thinned out where room is short, and by step again."""

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from studio.errors import UserError
from studio.training.messages.snapshot import SampleGrid
from studio.training.storage.frames import FILE, Frame, FrameStore, append_frames
from studio.training.storage.sample_strips import images_of, strip_of

ROOM = 10**9


def frame(step: int, channels: int = 1, count: int = 3) -> Frame:
    pixels = np.random.default_rng(step).integers(0, 256, (2, count, 4, 5, channels), dtype=np.uint8)
    return Frame(
        grid=SampleGrid(step=step, raw=pixels[0], averaged=pixels[1]),
        seconds=step / 4,
        revision=2,
        offsets={"two": -1.5, "Δ": 0.0},
        weights=np.array([0.5, 1.25, 2.0]),
        points=np.array([[0.5, -1.5], [2.0, 0.25]]),
        labels=np.array([1, 0]),
    )


@pytest.mark.parametrize("channels", [1, 3])
def test_that_a_frame_comes_back_pixel_for_pixel(channels: int, tmp_path: Path) -> None:
    given = frame(7, channels)
    append_frames(tmp_path, [given], ROOM)
    found = FrameStore(tmp_path).at(7)
    assert np.array_equal(found.grid.raw, given.grid.raw)
    assert np.array_equal(found.grid.averaged, given.grid.averaged)
    assert (found.step, found.seconds, found.revision, found.offsets) == (7, 1.75, 2, given.offsets)
    assert found.weights.tolist() == [0.5, 1.25, 2.0]
    assert found.points.tolist() == [[0.5, -1.5], [2.0, 0.25]]
    assert found.labels.tolist() == [1, 0]
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_that_a_step_finds_the_frame_before_it(tmp_path: Path) -> None:
    append_frames(tmp_path, [frame(10), frame(20)], ROOM)
    append_frames(tmp_path, [frame(30)], ROOM)
    store = FrameStore(tmp_path)
    assert store.steps.tolist() == [10, 20, 30]
    found = [store.at(step) for step in (9, 10, 19, 20, 999)]
    assert [each and each.step for each in found] == [None, 10, 10, 20, 30]


def test_that_a_frame_drawn_again_replaces_the_first(tmp_path: Path) -> None:
    append_frames(tmp_path, [frame(10)], ROOM)
    append_frames(tmp_path, [frame(10, count=5)], ROOM)
    store = FrameStore(tmp_path)
    found = store.at(10)
    assert len(store) == 1
    assert len(found.grid.raw) == 5


def test_that_frames_are_thinned_out_evenly_where_room_is_short(tmp_path: Path) -> None:
    append_frames(tmp_path, [frame(0)], ROOM)
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        (size,) = connection.execute("SELECT size FROM frame").fetchone()
    for step in range(1, 41):
        append_frames(tmp_path, [frame(step)], 10 * size + size // 2)
    steps = FrameStore(tmp_path).steps
    assert steps[0] == 0
    assert steps[-1] == 40
    assert 9 <= len(steps) <= 11
    gaps = np.diff(steps)
    assert gaps.max() <= 3 * np.median(gaps)


def test_that_there_is_nothing_where_nothing_was_drawn(tmp_path: Path) -> None:
    assert len(FrameStore(tmp_path)) == 0
    assert FrameStore(tmp_path).at(5) is None


def test_that_frames_of_an_older_version_are_a_message(tmp_path: Path) -> None:
    append_frames(tmp_path, [frame(1)], ROOM)
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        connection.execute("PRAGMA user_version = 1")
    with pytest.raises(UserError, match="from an older version"):
        FrameStore(tmp_path)
    with pytest.raises(UserError, match="from an older version"):
        append_frames(tmp_path, [frame(2)], ROOM)


@pytest.mark.parametrize(
    "change",
    [
        "strip = x'00'",
        "count = 4",
        "height = 0",
        "width = 1000000000",
        "channels = 2",
        "count = 'many'",
        "weights = x'00'",
        "weights = zeroblob(1000)",
        "points = strip",
        "points = x''",
        "offsets = '{'",
        "offsets = '[1]'",
        "offsets = '{\"a\": []}'",
    ],
)
def test_that_a_damaged_frame_is_a_message(change: str, tmp_path: Path) -> None:
    append_frames(tmp_path, [frame(1)], ROOM)
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as connection:
        connection.execute(f"UPDATE frame SET {change}")
    with pytest.raises(UserError, match="sample grids cannot be read") as caught:
        FrameStore(tmp_path).at(1)
    assert len(str(caught.value)) < 600


def test_that_a_strip_is_opened_only_if_it_is_of_the_size_that_it_should_have() -> None:
    images = np.zeros((4, 3, 2, 1), np.uint8)
    strip = strip_of(images)
    assert np.array_equal(images_of(strip, (4, 3, 2, 1)), images)
    for shape in ((4, 3, 2, 3), (3, 4, 2, 3), (40, 3, 2, 1)):
        with pytest.raises(ValueError, match="strip"):
            images_of(strip, shape)

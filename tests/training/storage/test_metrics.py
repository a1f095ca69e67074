"""The numbers of a run on disk, and what is made of files that are damaged or mean harm."""

import math
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from studio.errors import Cancelled, UserError
from studio.progress import Progress
from studio.training.messages.events import Logged
from studio.training.messages.marks import Mark, MarkKind
from studio.training.storage import database
from studio.training.storage.metrics import FILE, append_metrics, newest_evaluation, read_metrics, still_valid

EDIT = Mark(step=2, kind=MarkKind.EDIT, text="ΔH edited")


def points(*steps: int, **values: float) -> list[Logged]:
    return [Logged(step=step, seconds=step / 10, values={"loss": 1.0 * step, **values}) for step in steps]


def test_that_numbers_come_back_as_they_were(tmp_path: Path) -> None:
    append_metrics(tmp_path, points(1, tiny=1e-300, odd=math.nan, large=math.inf), [EDIT])
    append_metrics(tmp_path, points(2, late=0.1))
    found = read_metrics(tmp_path)
    assert found.steps.tolist() == [1, 2]
    assert found.seconds.tolist() == [0.1, 0.2]
    assert found.marks == (EDIT,)
    expected = {
        "loss": [1, 2],
        "tiny": [1e-300, math.nan],
        "odd": [math.nan, math.nan],
        "large": [math.inf, math.nan],
        "late": [math.nan, 0.1],
    }
    assert list(found.columns) == list(expected)
    for name, values in expected.items():
        np.testing.assert_array_equal(found.columns[name], values)


@pytest.mark.parametrize("name", ['a "quoted" name', "semi;colon", "DROP TABLE point", "ΔH", "x" * 200, "a\nb"])
def test_that_any_name_may_stand_over_a_column(name: str, tmp_path: Path) -> None:
    append_metrics(tmp_path, points(1, **{name: 3.0}))
    append_metrics(tmp_path, points(2, **{name: 4.0}))
    assert read_metrics(tmp_path).columns[name].tolist() == [3, 4]


def test_that_there_is_nothing_where_nothing_was_logged(tmp_path: Path) -> None:
    append_metrics(tmp_path)
    assert not list(tmp_path.iterdir())
    assert len(read_metrics(tmp_path).steps) == 0
    assert newest_evaluation(tmp_path) is None


def test_that_one_plain_file_is_left_between_batches(tmp_path: Path) -> None:
    append_metrics(tmp_path, points(1))
    read_metrics(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_that_a_batch_that_finds_the_disk_full_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append_metrics(tmp_path, points(1))
    connect = database._connect

    def nearly_full(place: str, *, uri: bool = False) -> sqlite3.Connection:
        connection = connect(place, uri=uri)
        (now,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {now + 2}")
        return connection

    with monkeypatch.context() as patch:
        patch.setattr(database, "_connect", nearly_full)
        with pytest.raises(UserError, match="full") as caught:
            append_metrics(tmp_path, points(*range(2, 2000), other=1.0), [EDIT])
    assert caught.value.hint
    found = read_metrics(tmp_path)
    assert (found.steps.tolist(), list(found.columns), found.marks) == ([1], ["loss"], ())


def test_that_a_look_does_not_wait_for_a_batch(tmp_path: Path) -> None:
    append_metrics(tmp_path, points(1))
    with database.writing(tmp_path / FILE, database.Schema(noun="metrics", version=1, script="")) as connection:
        connection.execute("INSERT INTO point (step, seconds) VALUES (2, 0)")
        assert read_metrics(tmp_path).steps.tolist() == [1]
    assert read_metrics(tmp_path).steps.tolist() == [1, 2]


def test_that_a_folder_that_cannot_be_written_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append_metrics(tmp_path, points(1))
    connect = database._connect

    def as_from_a_disc(place: str, *, uri: bool = False) -> sqlite3.Connection:
        if "immutable=1" not in place:
            raise sqlite3.OperationalError("unable to open database file")
        return connect(place, uri=uri)

    monkeypatch.setattr(database, "_connect", as_from_a_disc)
    assert read_metrics(tmp_path).steps.tolist() == [1]


@pytest.mark.parametrize(
    ("written", "valid"),
    [
        ([], []),
        ([1, 2, 3], [1, 2, 3]),
        ([1, 2, 3, 4, 3, 4, 5], [1, 2, 3, 4, 5]),
        ([5, 1], [1]),
        ([1, 2, 2], [1, 2]),
        ([1, 5, 9, 6, 2], [1, 2]),
    ],
)
def test_that_of_steps_taken_again_the_later_hold(written: list[float], valid: list[float], tmp_path: Path) -> None:
    steps = np.array(written)
    assert steps[still_valid(steps)].tolist() == valid
    append_metrics(tmp_path, points(*written))  # type: ignore[arg-type]  # whole numbers
    assert read_metrics(tmp_path).steps.tolist() == valid


def test_that_reading_can_be_cancelled(tmp_path: Path, cancelled: Progress) -> None:
    append_metrics(tmp_path, points(*range(100)))
    with pytest.raises(Cancelled):
        read_metrics(tmp_path, cancelled)


# -- damage


def changed(tmp_path: Path, *statements: str) -> None:
    append_metrics(tmp_path, points(1, 2))
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


@pytest.mark.parametrize(
    ("statements", "match"),
    [
        (["PRAGMA user_version = 2"], "newer version"),
        (["PRAGMA user_version = -1"], "something else"),
        (["PRAGMA user_version = 0"], "something else"),
        (["DROP TABLE point"], "no such table"),
        (["CREATE VIEW bomb AS SELECT 1"], "something else"),
        (["CREATE TRIGGER trap AFTER INSERT ON point BEGIN DELETE FROM mark; END"], "something else"),
        (["CREATE VIRTUAL TABLE trap USING fts5(x)"], "something else"),
        (["UPDATE point SET step = 'many'"], "could not convert"),
        (["UPDATE point SET loss = x'00ff'"], "metrics cannot be read"),
        (["INSERT INTO mark (step, kind, text) VALUES (1, 'murder', '')"], "murder"),
        (["INSERT INTO evaluation (step, seconds, revision, record) VALUES (1, 1, 1, '[')"], "metrics cannot be read"),
        (["INSERT INTO evaluation (step, seconds, revision, record) VALUES (1, 1, 1, '[]')"], "no record"),
    ],
    ids=lambda given: given[0][:30] if isinstance(given, list) else "",
)
def test_that_metrics_that_hold_something_else_are_a_message(statements: list[str], match: str, tmp_path: Path) -> None:
    changed(tmp_path, *statements)
    with pytest.raises(UserError, match=match) as caught:
        read_metrics(tmp_path)
    assert caught.value.hint
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("keep", [0, 50, 99, 0.5])
def test_that_metrics_cut_off_are_a_message(keep: float, tmp_path: Path) -> None:
    append_metrics(tmp_path, points(*range(500)))
    content = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(content[: int(keep * len(content)) if isinstance(keep, float) else keep])
    with pytest.raises(UserError, match="metrics cannot be read"):
        read_metrics(tmp_path)

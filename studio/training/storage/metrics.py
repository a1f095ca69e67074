"""The numbers of a run on disk, in metrics.sqlite: what was logged, what was evaluated, and what happened when.

    point        a row per logged step: step, seconds, and a column per value, NULL where there is none
    mark         edits of the target and of learning rates, resumes, returns, warnings
    evaluation   a JSON record per evaluation, as `studio evaluate --json` writes it

Rows are appended. Where a run goes back, what came after that step is taken out; and where a process was killed before
it could do so and the same steps were taken again, the later rows hold: of 1 2 3 4 3 4 5 all but the first 3 4, which
are the rows that some later row does not come after.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.evaluation.evaluation import Evaluation
from studio.evaluation.record import evaluation_of, record
from studio.perturb.arrays import Floats
from studio.progress import Progress
from studio.records import json_text
from studio.training.messages.events import Evaluated, Logged
from studio.training.messages.marks import Mark, MarkKind
from studio.training.storage.database import Schema, reading, writing

FILE = "metrics.sqlite"
_HELD = "held_"
_LONGEST_NAME = 40

_SCHEMA = Schema(
    noun="metrics",
    version=1,
    script="""
    CREATE TABLE point (id INTEGER PRIMARY KEY, step INTEGER NOT NULL, seconds REAL NOT NULL);
    CREATE TABLE mark (id INTEGER PRIMARY KEY, step INTEGER NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL);
    CREATE TABLE evaluation (
        id INTEGER PRIMARY KEY, step INTEGER NOT NULL, seconds REAL NOT NULL, revision INTEGER NOT NULL,
        record TEXT NOT NULL
    )
    """,
)
_OWN = ("id", "step", "seconds")
_BATCH = 2_000  # rows read at once: while they become an array, the window waits


def held_column(place: int, name: str) -> str:
    """Name of the column of a class's applied − asked ΔH; without their place those of "a" and "A" would be one."""
    return f"{_HELD}{place}_{name[:_LONGEST_NAME].encode(errors='replace').decode()}"


def held_class(column: str) -> str:
    """The class that such a column is of; empty of any other column."""
    place, _, name = column.removeprefix(_HELD).partition("_")
    return name if column.startswith(_HELD) and place.isdigit() else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedEvaluation:
    """An evaluation as it was kept, `seconds` into training, pauses left out.

    `record` has its figures by name, as `studio.evaluation.record.record` makes them.
    """

    step: int
    seconds: float
    revision: int
    record: Mapping[str, Any]

    @property
    def judge(self) -> str:
        """Name of the data whose judge it is by, where they are not the run's own; else empty."""
        return str(self.record.get("judge", ""))

    def figure(self, name: str) -> float | None:
        """A number of the record; None where there is none."""
        return _finite(self.record.get(name))

    @property
    def evaluation(self) -> Evaluation | None:
        """All of it but the specimens; None where the record is damaged."""
        with suppress(ValueError):
            return evaluation_of(self.record)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """The numbers of a run; marks and evaluations in the order of time.

    Attributes:
        steps: of the logged points, ascending, shape (n,).
        seconds: time spent training by then, pauses left out, shape (n,).
        columns: values by name, shape (n,); NaN where there is none.
    """

    steps: Floats = field(default_factory=lambda: np.empty(0))
    seconds: Floats = field(default_factory=lambda: np.empty(0))
    columns: Mapping[str, Floats] = field(default_factory=dict)
    marks: tuple[Mark, ...] = ()
    evaluations: tuple[RecordedEvaluation, ...] = ()

    @property
    def alike(self) -> tuple[RecordedEvaluation, ...]:
        """The evaluations by the judge that most of them are by, which make a curve."""
        return tuple(each for each in self.evaluations if each.judge == self.judge)

    @property
    def judge(self) -> str:
        """Name of the data whose judge these are by, where they are not the run's own; else empty."""
        return next(iter(Counter(each.judge for each in self.evaluations).most_common(1)), ("", 0))[0]


def append_metrics(
    folder: Path,
    points: Sequence[Logged] = (),
    marks: Sequence[Mark] = (),
    evaluations: Sequence[Evaluated] = (),
    *,
    back_to: int | None = None,
    revision: int | None = None,
) -> None:
    """Add to a run's metrics, all or none; raises UserError if the file cannot be written.

    Where the run went back to a step, what is there of later ones goes first; and to a target of this revision, what
    was found of those that came after it, at that very step, too: their revisions are others' from now on.
    """
    if not (points or marks or evaluations or back_to is not None):
        return
    with writing(folder / FILE, _SCHEMA) as connection:
        if back_to is not None:
            for table in ("point", "mark", "evaluation"):
                connection.execute(f"DELETE FROM {table} WHERE step > ?", (back_to,))
        if revision is not None:
            connection.execute("DELETE FROM evaluation WHERE revision > ?", (revision,))
        _append_points(connection, points)
        connection.executemany(
            "INSERT INTO mark (step, kind, text) VALUES (?, ?, ?)",
            [(mark.step, str(mark.kind), mark.text) for mark in marks],
        )
        connection.executemany(
            "INSERT INTO evaluation (step, seconds, revision, record) VALUES (?, ?, ?, ?)",
            [(found.step, found.seconds, found.revision, json_text(record(found.evaluation))) for found in evaluations],
        )


def _append_points(connection: sqlite3.Connection, points: Sequence[Logged]) -> None:
    names = list(dict.fromkeys(name for point in points for name in point.values))
    for name in names:
        if name not in _columns(connection):
            # Rare: the first rows, or a phase that is due for the first time brings its loss along.
            connection.execute(f"ALTER TABLE point ADD COLUMN {_quoted(name)} REAL")
    columns = ", ".join(_quoted(name) for name in ("step", "seconds", *names))
    places = ", ".join("?" * (2 + len(names)))
    rows = [(point.step, round(point.seconds, 3), *map(point.values.get, names)) for point in points]
    connection.executemany(f"INSERT INTO point ({columns}) VALUES ({places})", rows)


def read_metrics(folder: Path, progress: Progress | None = None) -> Metrics:
    """The metrics of a run; none where nothing was logged yet. Raises UserError if they are damaged."""
    path = folder / FILE
    if not path.exists():
        return Metrics()
    with reading(path, _SCHEMA) as connection:
        names, table = _read_points(connection, progress or Progress())
        return Metrics(
            steps=table[:, 0],
            seconds=table[:, 1],
            columns={name: table[:, 2 + index] for index, name in enumerate(names)},
            marks=_read_marks(connection),
            evaluations=tuple(_read_evaluations(connection)),
        )


def newest_point(folder: Path) -> tuple[int, float]:
    """Step and seconds of the last logged point; zeros where there is none. Raises UserError if they are damaged."""
    path = folder / FILE
    if not path.exists():
        return 0, 0.0
    with reading(path, _SCHEMA) as connection:
        row = connection.execute("SELECT step, seconds FROM point ORDER BY id DESC LIMIT 1").fetchone()
        return (int(row[0]), float(row[1])) if row else (0, 0.0)


def newest_value(folder: Path, name: str) -> tuple[int, float] | None:
    """The last value of a column that a run logged, and the step of it; None where there is none.

    What is measured more seldom than points are logged is repeated until it is measured again: its step is that at
    which it first stood there.

    Raises:
        UserError: the metrics are damaged.
    """
    path = folder / FILE
    if not path.exists():
        return None
    with reading(path, _SCHEMA) as connection:
        if name not in _columns(connection):
            return None
        column = _quoted(name)
        known = f"FROM point WHERE {column} IS NOT NULL"
        last = f"(SELECT {column} {known} ORDER BY id DESC LIMIT 1)"
        other = f"(SELECT coalesce(max(id), 0) {known} AND {column} != {last})"
        row = connection.execute(f"SELECT step, {column} {known} AND id > {other} ORDER BY id LIMIT 1").fetchone()
    value = _finite(row[1]) if row is not None else None
    return (row[0], value) if row is not None and isinstance(row[0], int) and value is not None else None


def newest_evaluation(folder: Path) -> RecordedEvaluation | None:
    """The last evaluation of a run; raises as `newest_evaluations`."""
    return next(iter(newest_evaluations(folder, 2**62, 1)), None)


def newest_evaluations(folder: Path, step: int, count: int) -> list[RecordedEvaluation]:
    """The last few evaluations at or before a step, the oldest first, and nothing else; raises UserError if damaged."""
    path = folder / FILE
    if not path.exists():
        return []
    with reading(path, _SCHEMA) as connection:
        last = _read_evaluations(connection, "WHERE step <= ? ORDER BY step DESC, id DESC LIMIT ?", step, count)
        return last[::-1]


def _finite(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def still_valid(steps: Floats) -> NDArray[np.bool_]:
    """Which rows, by steps (n,) as written, hold where steps were taken again: those before all later ones."""
    if not len(steps):
        return np.ones(0, bool)
    least_after = np.minimum.accumulate(steps[::-1])[::-1]
    return np.append(steps[:-1] < least_after[1:], True)


def _read_points(connection: sqlite3.Connection, progress: Progress) -> tuple[list[str], Floats]:
    """Names of the values, and a table of step, seconds and values, float64, Fortran order, shape (n, 2 + names)."""
    names = [name for name in _columns(connection) if name not in _OWN]
    (total,) = connection.execute("SELECT count(*) FROM point").fetchone()
    columns = ", ".join(_quoted(name) for name in ("step", "seconds", *names))
    cursor = connection.execute(f"SELECT {columns} FROM point ORDER BY id")
    table = np.empty((total, 2 + len(names)), order="F")
    done = 0
    while rows := cursor.fetchmany(min(_BATCH, total - done)) if done < total else []:
        table[done : done + len(rows)] = np.array(rows, dtype=np.float64)
        done += len(rows)
        progress.report("Reading the run", done / total)
    table = table[:done]
    valid = still_valid(table[:, 0])
    return names, table if valid.all() else np.asfortranarray(table[valid])


def _read_marks(connection: sqlite3.Connection) -> tuple[Mark, ...]:
    rows = connection.execute("SELECT step, kind, text FROM mark ORDER BY id").fetchall()
    return tuple(Mark(step=int(step), kind=MarkKind(kind), text=str(text)) for step, kind, text in rows)


def _read_evaluations(
    connection: sqlite3.Connection, which: str = "ORDER BY step, id", *values: int
) -> list[RecordedEvaluation]:
    rows = connection.execute(f"SELECT step, seconds, revision, record FROM evaluation {which}", values).fetchall()
    return [
        RecordedEvaluation(step=int(step), seconds=float(seconds), revision=int(revision), record=_record(text))
        for step, seconds, revision, text in rows
    ]


def _record(text: str) -> Mapping[str, Any]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("an evaluation is no record")
    return found


def _columns(connection: sqlite3.Connection) -> list[str]:
    return [str(row[1]) for row in connection.execute("PRAGMA table_info(point)")]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

"""The queue: a SQLite file that outlives the studio and that several programs may open at once.

    job(id, place, title, config, steps, seconds_limit, folder, status, error, pid, born, seconds, attempts, begun,
        sweep, data)
    switch(running, at_once)      whether jobs are to be started, and how many at a time

Jobs hold their configuration as text, frozen when they are queued, and as JSON their place in a sweep and the
fingerprints of their data. Nothing here runs anything.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from studio.errors import UserError, other_version, reporting
from studio.jobs.job import Job, JobStatus
from studio.jobs.sweep import Sweep
from studio.process import mark_of
from studio.training.config.run_config import RunConfig, StopCondition
from studio.training.config.run_title import own_name
from studio.training.config.sweep_mark import MOST_RUNS, SweepMark
from studio.training.storage.data_paths import made_absolute
from studio.training.storage.fingerprints import CHANGED, Fingerprints

_VERSION = 4
_BUSY_SECONDS = 10.0
_TABLES = (
    """
CREATE TABLE IF NOT EXISTS job(
    id INTEGER PRIMARY KEY AUTOINCREMENT, place REAL NOT NULL, title TEXT NOT NULL, config TEXT NOT NULL,
    steps INTEGER, seconds_limit REAL, folder TEXT NOT NULL, status TEXT NOT NULL DEFAULT 'waiting',
    error TEXT NOT NULL DEFAULT '', pid INTEGER NOT NULL DEFAULT 0, born REAL NOT NULL DEFAULT 0,
    seconds REAL NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0, begun REAL NOT NULL DEFAULT 0,
    sweep TEXT NOT NULL DEFAULT '', data TEXT NOT NULL DEFAULT '')
""",
    "CREATE TABLE IF NOT EXISTS switch(running INTEGER NOT NULL, at_once INTEGER NOT NULL DEFAULT 1)",
)
_AS_THEY_ARE = ("id", "place", "title", "config", "error", "pid", "born", "seconds", "attempts", "begun", "data")
_TO_MAKE = {0: _TABLES, 3: ("ALTER TABLE job ADD COLUMN data TEXT NOT NULL DEFAULT ''",), _VERSION: ()}
"""What makes a queue of this version of one of another, or of none yet."""


class JobQueue:
    """The jobs of one file, which is made if it is not there; raises UserError if it is none, too old or too new."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read: tuple[object, tuple[Job, ...]] | None = None  # what the file looked like, and the jobs in it
        with reporting("The queue cannot be opened", path):
            path.parent.mkdir(parents=True, exist_ok=True)
        with self._connected() as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("BEGIN IMMEDIATE")  # another program may be opening it, too
            version = database.execute("PRAGMA user_version").fetchone()[0]
            if version not in _TO_MAKE:
                raise other_version("The queue comes", path, version, _VERSION)
            for statement in _TO_MAKE[version]:
                database.execute(statement)
            database.execute(f"PRAGMA user_version={_VERSION}")

    @property
    def running(self) -> bool:
        """Whether jobs are to be started; a new queue waits for the word."""
        return bool(self._switch("running", 0))

    def set_running(self, running: bool) -> None:
        self._set_switch(int(running), self.at_once)

    @property
    def at_once(self) -> int:
        return max(1, self._switch("at_once", 1))

    def set_at_once(self, count: int) -> None:
        self._set_switch(int(self.running), count)

    def _switch(self, name: str, otherwise: int) -> int:
        with self._connected() as database:
            row = database.execute(f"SELECT {name} FROM switch").fetchone()
            return int(row[0]) if row else otherwise

    def _set_switch(self, running: int, at_once: int) -> None:
        with self._connected() as database:
            database.execute("DELETE FROM switch")
            database.execute("INSERT INTO switch (running, at_once) VALUES (?, ?)", (running, at_once))

    def add(
        self,
        config: RunConfig,
        limit: StopCondition,
        folder: Path,
        title: str = "",
        sweep: SweepMark | None = None,
        data: Fingerprints | None = None,
    ) -> int:
        """Queue a run, as configured now, behind all others; the job's id.

        Args:
            folder: new or empty at its start.
            data: of what it is to train on, where that is known; its turn then refuses other data.
        """
        job = Job(
            id=0,
            place=0,
            title=title or own_name(config) or folder.name,
            config=made_absolute(config).to_json(),
            limit=limit,
            folder=folder,
            sweep=sweep,
            data=_text(data),
        )
        with self._connected() as database:
            return _insert(database, _last(database) + 1, job)

    def add_sweep(
        self,
        sweep: Sweep,
        marks: Sequence[SweepMark],
        folders: Sequence[Path],
        data_of: Callable[[RunConfig], Fingerprints | None],
    ) -> tuple[int, ...]:
        """Queue all runs of a sweep, each with its mark, folder and known data, behind all others, or none; the jobs'
        ids.
        """
        jobs = [
            Job(
                id=0,
                place=0,
                title=point.title,
                config=point.config.to_json(),
                limit=sweep.limit,
                folder=folder,
                sweep=mark,
                data=_text(data_of(point.config)),
            )
            for point, mark, folder in zip(sweep.points, marks, folders, strict=True)
        ]
        with self._connected() as database:
            last = _last(database)
            return tuple(_insert(database, last + place, job) for place, job in enumerate(jobs, 1))

    def jobs(self) -> tuple[Job, ...]:
        """All jobs, in their order; the same tuple as before while nobody has written to the file."""
        stamp = self._stamp()
        if self._read is None or self._read[0] != stamp:
            self._read = stamp, self._found("")
        return self._read[1]

    def _stamp(self) -> object:
        """What changes whenever somebody writes to the file."""
        found: list[object] = []
        for path in (self.path, self.path.with_name(f"{self.path.name}-wal")):
            try:
                state = path.stat()
            except OSError:
                found.append(None)
            else:
                found.append((state.st_mtime_ns, state.st_size))
        return found

    def running_jobs(self) -> tuple[Job, ...]:
        return self._found("WHERE status='running'")

    def next(self) -> Job | None:
        return next(iter(self._found("WHERE status='waiting'", 1)), None)

    def _found(self, condition: str, most: int = -1) -> tuple[Job, ...]:
        with self._connected() as database:
            rows = database.execute(f"SELECT * FROM job {condition} ORDER BY place, id LIMIT {most}")
            return tuple(_job(row) for row in rows)

    def claim(self, job: Job, pid: int) -> bool:
        """Mark a waiting job as running; whether nobody else was faster."""
        with self._connected() as database:
            cursor = database.execute(
                "UPDATE job SET status='running', pid=?, born=?, attempts=attempts+1, error='', begun=? "
                "WHERE id=? AND status='waiting'",
                (pid, mark_of(pid), time.time(), job.id),
            )
            return cursor.rowcount == 1

    def started(self, job: Job, pid: int, remark: str = "") -> None:
        self._set("pid=?, born=?, error=?", (pid, mark_of(pid), remark), job)

    def end(self, job: Job, status: JobStatus, *, error: str = "", seconds: float = 0.0) -> None:
        """Note how a job's process has ended, after so many seconds; WAITING puts it back."""
        self._set("status=?, error=?, pid=0, born=0, begun=0, seconds=seconds+?", (status.value, error, seconds), job)

    def retry(self, *jobs: Job, on_its_data: bool = False) -> None:
        """Have jobs that have ended run once more; one that was told that its data have changed takes them as they are
        now, unless it is to be on those that were noted.
        """
        self._for_each(
            "UPDATE job SET status='waiting', error='', data=? WHERE id=? AND status<>'running'",
            [
                ("" if job.error.startswith(CHANGED) and not on_its_data else job.data, job.id)
                for job in jobs
                if job.status.ended
            ],
        )

    def relocate(self, folders: Mapping[int, Path]) -> None:
        """Take it that the run folders of these jobs, by id, have been moved there."""
        self._for_each("UPDATE job SET folder=? WHERE id=?", [(str(path), each) for each, path in folders.items()])

    def cancel(self, *jobs: Job) -> None:
        """Leave out jobs that wait."""
        condition = "id=? AND status='waiting'"
        self._for_each(f"UPDATE job SET status='cancelled', error='' WHERE {condition}", [(job.id,) for job in jobs])

    def remove(self, *jobs: Job) -> None:
        """Take jobs that do not run off the list; their folders stay."""
        self._for_each("DELETE FROM job WHERE id=? AND status<>'running'", [(job.id,) for job in jobs])

    def remove_waiting(self, ids: Sequence[int]) -> int:
        """Take those of these jobs off the list that have not begun; how many there were."""
        with self._connected() as database:
            condition = "id=? AND status='waiting' AND attempts=0"
            return sum(database.execute(f"DELETE FROM job WHERE {condition}", (each,)).rowcount for each in ids)

    def move(self, jobs: Sequence[Job], by: int) -> None:
        """Let jobs run earlier (negative) or later by so many places; they stay in their order."""
        order = [job.id for job in self.jobs()]
        chosen = [each for each in order if each in {job.id for job in jobs}]
        for each in chosen if by < 0 else reversed(chosen):
            at = order.index(each)
            blocked = order[max(0, at + by)] in chosen if by < 0 else order[min(len(order) - 1, at + by)] in chosen
            if not blocked:
                order.insert(max(0, at + by), order.pop(at))
        self._for_each("UPDATE job SET place=? WHERE id=?", list(enumerate(order)))

    def _for_each(self, statement: str, rows: Sequence[tuple[int | str, ...]]) -> None:
        with self._connected() as database:
            database.executemany(statement, rows)

    def _set(self, assignments: str, values: Sequence[Any], job: Job) -> None:
        with self._connected() as database:
            database.execute(f"UPDATE job SET {assignments} WHERE id=?", (*values, job.id))

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        """A connection that commits when the block ends well; raises UserError if the file cannot be used."""
        try:
            with closing(sqlite3.connect(self.path, timeout=_BUSY_SECONDS)) as database:
                database.row_factory = sqlite3.Row
                with database:
                    yield database
        except sqlite3.Error as error:
            raise UserError(
                "The queue cannot be read or written",
                f"{self.path}: {error}.",
                "Make room on the disk; if the file is damaged, move it away to begin a new queue.",
            ) from error


def _last(database: sqlite3.Connection) -> float:
    return float(database.execute("SELECT COALESCE(MAX(place), 0) FROM job").fetchone()[0])


def _insert(database: sqlite3.Connection, place: float, job: Job) -> int:
    limit, mark = job.limit, job.sweep.model_dump_json() if job.sweep else ""
    cursor = database.execute(
        "INSERT INTO job(place, title, config, steps, seconds_limit, folder, sweep, data) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (place, job.title, job.config, limit.steps, limit.seconds, str(job.folder), mark, job.data),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def _job(row: sqlite3.Row) -> Job:
    try:
        status = JobStatus(row["status"])
    except ValueError:
        status = JobStatus.FAILED
    return Job(
        **{name: row[name] for name in _AS_THEY_ARE},
        limit=StopCondition(steps=row["steps"], seconds=row["seconds_limit"]),
        folder=Path(row["folder"]),
        status=status,
        sweep=_mark(row["sweep"]),
    )


def _text(data: Fingerprints | None) -> str:
    return data.model_dump_json() if data is not None else ""


@lru_cache(maxsize=2 * MOST_RUNS)
def _mark(text: str) -> SweepMark | None:
    try:
        return SweepMark.model_validate_json(text) if text else None
    except ValidationError:
        return None

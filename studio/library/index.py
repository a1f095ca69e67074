"""The index of a workspace: what its run folders hold, in one SQLite file that can be made again from them at any time.

A folder is read again when one of its files has changed; a folder that is damaged stands in the list with its reason.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from studio.errors import UserError
from studio.library.run_summary import RunSummary, stamp_of, summary_of
from studio.progress import Progress
from studio.training.storage.database import Schema, reading, writing

FILE = "runs.sqlite"
_COLUMNS = tuple(field.name for field in fields(RunSummary))
_SCHEMA = Schema(
    noun="runs of this workspace",
    version=7,
    script="""
    CREATE TABLE run (
        folder TEXT PRIMARY KEY, name TEXT NOT NULL, dataset TEXT NOT NULL, model TEXT NOT NULL, tilt TEXT NOT NULL,
        steps INTEGER NOT NULL, step_limit INTEGER, seconds REAL NOT NULL, share_error REAL, frechet REAL,
        measured_step INTEGER, measured_by TEXT NOT NULL, other_target INTEGER NOT NULL, status TEXT NOT NULL,
        tags TEXT NOT NULL, notes TEXT NOT NULL, started TEXT NOT NULL, thumbnail BLOB NOT NULL, sweep TEXT NOT NULL,
        fault TEXT NOT NULL, stamp TEXT NOT NULL
    )
    """,
)
_KINDS: dict[str, Any] = {
    "steps": int,
    "step_limit": int | None,
    "seconds": int | float,
    "share_error": int | float | None,
    "frechet": int | float | None,
    "measured_step": int | None,
    "other_target": int,
    "thumbnail": bytes,
}
"""What is not text in a row."""

_BATCH = 100

Known = dict[str, tuple[str, RunSummary]]
"""Stamp and entry by name of folder."""


class RunIndex:
    """The runs of one workspace, in which each has a folder of its own; it need not be there yet."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._path = root / FILE

    def entries(self) -> list[RunSummary]:
        """The runs as they were last seen, newest first; fast, and without a look at their folders."""
        return _newest_first(self._known())

    def refresh(self, progress: Progress | None = None) -> list[RunSummary]:
        """The runs as they are, newest first: folders that have changed are read again; a cancel keeps what was read so
        far.

        Raises UserError if the workspace cannot be read.
        """
        known = self._known()
        stamps = dict(run_folders(self.root))
        changed = [name for name, stamp in stamps.items() if name not in known or known[name][0] != stamp]
        gone = known.keys() - stamps.keys()
        kept = {name: found for name, found in known.items() if name not in gone}
        self._write({}, gone)
        progress = progress or Progress()
        for start in range(0, len(changed), _BATCH):
            batch: Known = {}
            for place, name in enumerate(changed[start : start + _BATCH], start):
                progress.report(f"Looking at the runs: {name}", place / len(changed))
                batch[name] = stamps[name], summary_of(self.root / name)
            self._write(batch, ())
            kept |= batch
        return _newest_first(kept)

    def _known(self) -> Known:
        """What the index holds; nothing where it is damaged, as it can be made again."""
        if not self._path.exists():
            return {}
        try:
            with reading(self._path, _SCHEMA) as connection:
                rows = connection.execute(f"SELECT stamp, {', '.join(_COLUMNS)} FROM run").fetchall()
                return {row[1]: (row[0], _entry(dict(zip(_COLUMNS, row[1:], strict=True)))) for row in rows}
        except UserError:
            with suppress(OSError):
                self._path.unlink()
            return {}

    def _write(self, changed: Known, gone: Any) -> None:
        """Keep what was read; a workspace that cannot be written is read anew each time."""
        if not changed and not gone:
            return
        places = ", ".join("?" * (len(_COLUMNS) + 1))
        with suppress(UserError), writing(self._path, _SCHEMA) as connection:
            connection.executemany("DELETE FROM run WHERE folder = ?", [(name,) for name in gone])
            connection.executemany(
                f"INSERT OR REPLACE INTO run ({', '.join(_COLUMNS)}, stamp) VALUES ({places})",
                [(*_row(entry), stamp) for stamp, entry in changed.values()],
            )


def run_folders(root: Path) -> Iterator[tuple[str, str]]:
    """Name and stamp of each run folder in a workspace, but for links and hidden ones; UserError if unreadable."""
    try:
        with os.scandir(root) as found:
            names = [
                each.name for each in found if not each.name.startswith(".") and each.is_dir(follow_symlinks=False)
            ]
    except FileNotFoundError:
        return
    except OSError as error:
        raise UserError(
            "The folder of the runs cannot be read",
            f"{root}: {error.strerror or error}.",
            "Choose another folder, or check that you may read it.",
        ) from error
    for name in names:
        stamp = stamp_of(root / name)
        if stamp:
            yield name, stamp


def _newest_first(known: Known) -> list[RunSummary]:
    return sorted((entry for _, entry in known.values()), key=lambda entry: (entry.started, entry.folder), reverse=True)


def _row(entry: RunSummary) -> list[Any]:
    values = [getattr(entry, name) for name in _COLUMNS]
    return [json.dumps(value, ensure_ascii=False) if isinstance(value, tuple) else value for value in values]


def _entry(row: Mapping[str, Any]) -> RunSummary:
    """The run of a row; raises TypeError or ValueError if the row is damaged."""
    for name, value in row.items():
        if not isinstance(value, _KINDS.get(name, str)):
            raise TypeError(f"{name} is no {_KINDS.get(name, str)}")
    entry = RunSummary(**row)
    tags = tuple(str(tag) for tag in json.loads(row["tags"]))
    return replace(entry, tags=tags, other_target=bool(entry.other_target))

"""SQLite files of a run: opened for one batch or one look and closed again, each batch there whole or not at all.

In WAL mode a look never waits for a batch. Between two batches nothing is held open and no second file lies beside the
first, so a run's folder can be moved, copied or packed while the run goes on. What is opened may come from a stranger:
it may hold tables and nothing else, no view or trigger, and no value beyond `_LONGEST` bytes.
"""

from __future__ import annotations

import os
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from studio.errors import UserError, other_version
from studio.files import part_of

_WAIT_SECONDS = 10.0
_LONGEST = 256 * 2**20
_FAULTS = (sqlite3.Error, OverflowError, UnicodeError)
"""What a damaged file makes Python's sqlite3 raise; its messages may quote names that are no UTF-8."""

_UNREADABLE = (TypeError, ValueError, zlib.error, RecursionError, MemoryError)
"""What values raise that are none of those a file should hold."""

_HINT = "Make room there, and check that you may write there."
_MOVE = "The file is damaged: move it away to go on without what it holds."


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """What a file holds, by a plural noun for messages; its version, ``user_version``; what makes an empty one."""

    noun: str
    version: int
    script: str


@contextmanager
def writing(path: Path, schema: Schema) -> Iterator[sqlite3.Connection]:
    """One batch into a file, new if need be: all is written when the block ends, or nothing. UserError if it cannot."""
    try:
        if not path.exists():
            _create(path, schema)
        with closing(_connect(str(path))) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("BEGIN IMMEDIATE")
            try:
                if version_of(connection) == 0:
                    _make(connection, schema.script, schema.version)
                _check(connection, path, schema)
                yield connection
            except BaseException:
                if connection.in_transaction:  # a full disk has taken it back already
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
    except (*_FAULTS, OSError) as error:
        hint = _MOVE if type(error) is sqlite3.DatabaseError else _HINT  # which is what SQLite says of a damaged file
        raise UserError(f"The {schema.noun} cannot be written", f"{path}: {error}.", hint) from error


def _create(path: Path, schema: Schema) -> None:
    """A new file comes with its tables or not at all, and never in the place of one that another process has made."""
    part = part_of(path)
    with closing(_connect(":memory:")) as connection:
        _make(connection, schema.script, schema.version)
        content = connection.serialize()
    try:
        part.write_bytes(content)
        try:
            os.link(part, path)
        except OSError:  # no links there, or it has come meanwhile
            if not path.exists():
                part.rename(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def reading(path: Path, schema: Schema) -> Iterator[sqlite3.Connection]:
    """One look; raises UserError if there is no such file, or it is from another version, or damaged or foreign, as far
    as reading its values within shows.
    """
    try:
        with closing(_open_to_read(path)) as connection:
            _check(connection, path, schema)
            yield connection
    except (*_FAULTS, *_UNREADABLE) as error:
        raise damaged(path, schema, str(error)[:200] or type(error).__name__) from error


def damaged(path: Path, schema: Schema, reason: str) -> UserError:
    """The error of a file that does not hold what it should."""
    return UserError(
        f"The {schema.noun} cannot be read", f"{path}: {reason}.", "The file is damaged, or was changed after the run."
    )


def _connect(place: str, *, uri: bool = False) -> sqlite3.Connection:
    connection = sqlite3.connect(place, timeout=_WAIT_SECONDS, isolation_level=None, uri=uri)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


def _open_to_read(path: Path) -> sqlite3.Connection:
    if not path.is_file():
        raise sqlite3.OperationalError("there is no such file")
    try:
        # Not in read-only mode, which could not clear away after itself nor take up what a killed process left behind.
        connection = _connect(str(path))
        try:
            connection.execute("PRAGMA query_only = ON")
            version_of(connection)
        except BaseException:
            connection.close()
            raise
    except sqlite3.OperationalError:
        # A folder that cannot be written, such as one on a disc: nobody else can write it either.
        connection = _connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    return connection


def version_of(connection: sqlite3.Connection) -> int:
    """Of the form of an open file; 0 for a new one."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def _make(connection: sqlite3.Connection, script: str, version: int) -> None:
    for statement in script.split(";"):
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {version:d}")


def _check(connection: sqlite3.Connection, path: Path, schema: Schema) -> None:
    version = version_of(connection)
    if version > 0 and version != schema.version:
        raise other_version(f"The {schema.noun} come", path, version, schema.version)
    strange = "type NOT IN ('table', 'index') OR (type = 'table' AND rootpage = 0)"
    if version != schema.version or connection.execute(f"SELECT 1 FROM sqlite_master WHERE {strange}").fetchone():
        raise damaged(path, schema, "it holds something else")

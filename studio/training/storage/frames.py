"""All sample grids of a run on disk, in frames.sqlite: a row per grid, its images as one PNG strip.

    step, seconds, revision     when, and by which target
    offsets                     ΔH by class name, as JSON
    count, height, width, channels
                                the strip holds `count` images by the raw weights, then as many by the averaged ones
    strip                       PNG
    weights                     importance weights of the last batches: float32, deflated
    points                      of the plane, where that is what is learned: x, y and class of each, float32, deflated
    latents                     behind the images, as JSON; empty where that was not kept
    batch                       the first planned examples, and what a model shows on the plane: see `kept_views`
    diagnostics                 what the model shows of itself, where it was looked into for this frame
    size                        bytes of all these

Where they would take more room than allowed, grids are thinned out: out goes the one whose neighbours are closest to
each other, so that what stays is spread evenly over the run; the first and the newest stay.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.models.diagnostic import Diagnostic
from studio.models.plane import PlaneView
from studio.training.messages.latents import Latents
from studio.training.messages.snapshot import PlannedExamples, SampleGrid
from studio.training.storage.database import Schema, reading, writing
from studio.training.storage.packed_views import (
    inflated,
    pack_batch,
    pack_diagnostics,
    unpack_batch,
    unpack_diagnostics,
)
from studio.training.storage.sample_strips import images_of, strip_of

FILE = "frames.sqlite"
_SCHEMA = Schema(
    noun="sample grids",
    version=2,
    script="""
    CREATE TABLE frame (
        id INTEGER PRIMARY KEY, step INTEGER NOT NULL, seconds REAL NOT NULL, revision INTEGER NOT NULL,
        offsets TEXT NOT NULL, count INTEGER NOT NULL, height INTEGER NOT NULL, width INTEGER NOT NULL,
        channels INTEGER NOT NULL, strip BLOB NOT NULL, weights BLOB NOT NULL, points BLOB NOT NULL,
        size INTEGER NOT NULL, latents TEXT NOT NULL DEFAULT '', batch BLOB NOT NULL DEFAULT x'',
        diagnostics BLOB NOT NULL DEFAULT x''
    );
    CREATE INDEX frame_by_step ON frame (step, size)
    """,
)
_COLUMNS = "step, seconds, revision, offsets, count, height, width, channels, strip, weights, points, latents, batch"
_MOST_CLASSES = 2**16


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A sample grid, and what else is kept of its moment, under the target of that revision.

    Attributes:
        seconds: time spent training, pauses left out.
        offsets: ΔH by class name.
        weights: importance weights of the last batches, shape (m,).
        points: generated on the plane, in its units, shape (n, 2); none for images.
        labels: most probable class of each, shape (n,).
        planned: the first examples of the batch before it.
        diagnosed: step at which the model showed itself; as a rule, but not always, that of the grid.
    """

    grid: SampleGrid
    seconds: float
    revision: int = 0
    offsets: Mapping[str, float] = field(default_factory=dict)
    weights: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    points: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 2)))
    labels: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    planned: PlannedExamples | None = None
    views: tuple[PlaneView, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    diagnosed: int = 0

    @property
    def step(self) -> int:
        return self.grid.step


def append_frames(folder: Path, frames: Sequence[Frame], most_bytes: int, *, back_to: int | None = None) -> None:
    """Add to a run's frames, all or none, and thin them out to so many bytes; raises UserError if the file cannot be
    written.

    Where the run went back to a step, what is there of later ones goes first.
    """
    if not frames and back_to is None:
        return
    with writing(folder / FILE, _SCHEMA) as connection:
        if back_to is not None:
            connection.execute("DELETE FROM frame WHERE step > ?", (back_to,))
        for frame in frames:
            # Drawn again at the same step, as when a run is resumed: the newer one holds.
            connection.execute("DELETE FROM frame WHERE step = ?", (frame.step,))
            row, names = _row(frame), f"{_COLUMNS}, diagnostics, size"
            connection.execute(f"INSERT INTO frame ({names}) VALUES ({', '.join('?' * len(row))})", row)
        _thin_out(connection, most_bytes)


def _row(frame: Frame) -> tuple[Any, ...]:
    grid = frame.grid
    strip = strip_of(np.concatenate([grid.raw, grid.averaged]))
    weights, points = _packed(frame.weights), _packed(np.column_stack([frame.points, frame.labels]))
    offsets = json.dumps(dict(frame.offsets), ensure_ascii=False)
    moment = (grid.step, round(frame.seconds, 3), frame.revision, offsets)
    latents = grid.latents.model_dump_json() if grid.latents is not None else ""
    batch, diagnostics = pack_batch(frame.planned, frame.views), pack_diagnostics(frame.diagnostics)
    size = sum(len(part) for part in (strip, weights, points, latents, batch, diagnostics))
    return *moment, *grid.raw.shape, strip, weights, points, latents, batch, diagnostics, size


def _packed(numbers: NDArray[np.float64]) -> bytes:
    return zlib.compress(numbers.astype("<f4").tobytes())


def _unpacked(packed: bytes) -> NDArray[np.float64]:
    return np.frombuffer(inflated(packed), "<f4").astype(np.float64)


def _thin_out(connection: sqlite3.Connection, most_bytes: int) -> None:
    (total,) = connection.execute("SELECT sum(size) FROM frame").fetchone()
    if total is None or total <= most_bytes:
        return
    rows = connection.execute("SELECT id, step, size FROM frame ORDER BY step").fetchall()
    while total > most_bytes and len(rows) > 2:
        steps = np.array([step for _, step, _ in rows])
        closest = 1 + int(np.argmin(steps[2:] - steps[:-2]))
        row, _, size = rows.pop(closest)
        connection.execute("DELETE FROM frame WHERE id = ?", (row,))
        total -= size


class FrameStore:
    """The frames of a run as they are on disk now, to be looked at by step.

    Raises:
        UserError: they are damaged.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self.steps: NDArray[np.int64] = np.empty(0, np.int64)
        if self._path.exists():
            with reading(self._path, _SCHEMA) as connection:
                rows = connection.execute("SELECT DISTINCT step FROM frame ORDER BY step").fetchall()
                self.steps = np.array([step for (step,) in rows], np.int64)

    def __len__(self) -> int:
        return len(self.steps)

    def at(self, step: int) -> Frame | None:
        """The newest frame at or before a step; None if there is none. Raises UserError if it is damaged."""
        if not self._path.exists():
            return None
        with reading(self._path, _SCHEMA) as connection:
            query = f"SELECT {_COLUMNS} FROM frame WHERE step <= ? ORDER BY step DESC, id DESC LIMIT 1"
            row = connection.execute(query, (step,)).fetchone()
            return None if row is None else _frame(row)

    def diagnosed_at(self, step: int) -> tuple[int, tuple[Diagnostic, ...]]:
        """What the model showed of itself at or before a step, and at which; raises UserError if it is damaged."""
        if not self._path.exists():
            return 0, ()
        with reading(self._path, _SCHEMA) as connection:
            there = "step <= ? AND length(diagnostics) > 0 ORDER BY step DESC, id DESC LIMIT 1"
            row = connection.execute(f"SELECT step, diagnostics FROM frame WHERE {there}", (step,)).fetchone()
            return (0, ()) if row is None else (int(row[0]), unpack_diagnostics(row[1]))


def _frame(row: tuple[Any, ...]) -> Frame:
    step, seconds, revision, offsets, *sizes, strip, weights, points, latents, batch = row
    count, height, width, channels = (int(size) for size in sizes)
    if min(count, height, width) < 1 or channels not in (1, 3):
        raise ValueError(f"{sizes!r:.60} is no shape of images")
    images = images_of(strip, (2 * count, height, width, channels))
    table = _unpacked(points).reshape(-1, 3)
    if not np.isfinite(table).all():
        raise ValueError("a point is nowhere")
    planned, views = unpack_batch(batch)
    return Frame(
        grid=SampleGrid(
            step=int(step),
            raw=images[:count],
            averaged=images[count:],
            latents=Latents.model_validate_json(latents) if latents else None,
        ),
        seconds=float(seconds),
        revision=int(revision),
        offsets={str(name): float(value) for name, value in dict(json.loads(offsets)).items()},
        weights=_unpacked(weights),
        points=table[:, :2],
        labels=table[:, 2].clip(0, _MOST_CLASSES).astype(np.int64),
        planned=planned,
        views=views,
    )

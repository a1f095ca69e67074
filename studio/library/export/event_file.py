"""The metrics of a run as an event file of TensorBoard; needs the extra `tensorboard`.

A tag per column, its wall time that of the training; and a tag `evaluation/NAME` per figure of the evaluations, or
`evaluation by JUDGE/NAME` where the judge is that of other data.
"""

from __future__ import annotations

import itertools
import math
import os
import zlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from studio.errors import UserError
from studio.files import whole_file
from studio.library.export.archive import portable
from studio.library.export.options import needed_for
from studio.progress import Progress
from studio.training.storage.metrics import Metrics, read_metrics
from studio.training.storage.run_identity import read_summary

_POINTS_AT_ONCE = 1000
_VERSION = "brain.Event:2"

Point = tuple[int, float, dict[str, float]]
"""Step, seconds spent training, values by tag."""


def write_events(folder: Path, out: Path, progress: Progress | None = None) -> int:
    """Save a run's metrics for TensorBoard; how many logged steps there are.

    `out` is a folder, for ``tensorboard --logdir``, with a folder for each run that is exported into it: TensorBoard
    takes all files of a folder for one run. The file is written whole, and again by a later export of the run. Raises
    UserError if the metrics are damaged, the package is missing, or the file cannot be written.
    """
    with needed_for("An event file", "tensorboard"):
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.record_writer import RecordWriter
    progress = progress or Progress()
    metrics = read_metrics(folder, progress.part(0.0, 0.2))
    started, total = _started(folder), max(1, len(metrics.steps))
    with whole_file(_place(out, folder, started)) as file:
        writer = RecordWriter(file)
        writer.write(Event(wall_time=started, file_version=_VERSION).SerializeToString())
        for place, (step, seconds, values) in enumerate(_points(metrics)):
            if place % _POINTS_AT_ONCE == 0:
                progress.report("Writing the metrics", min(1.0, 0.2 + 0.8 * place / total))
            found = [Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]
            event = Event(wall_time=started + seconds, step=step, summary=Summary(value=found))
            writer.write(event.SerializeToString())
    return len(metrics.steps)


def _place(out: Path, folder: Path, started: float) -> Path:
    """The run's own file, in a folder where no other run's is."""
    path = os.path.abspath(folder)
    name = portable(os.path.basename(path))
    file = f"events.out.tfevents.{started:.0f}.{zlib.crc32(os.fsencode(path)):08x}"
    places = (out / (name if number == 1 else f"{name}-{number}") for number in itertools.count(1))
    own = next(place for place in places if all(other.name == file for other in place.glob("events.out.tfevents.*")))
    return own / file


def _points(metrics: Metrics) -> Iterator[Point]:
    """Logged points, then evaluations; without what is no number."""
    for place, step in enumerate(metrics.steps.tolist()):
        values = {name: float(column[place]) for name, column in metrics.columns.items()}
        kept = {name: value for name, value in values.items() if not math.isnan(value)}
        yield int(step), float(metrics.seconds[place]), kept
    for found in metrics.evaluations:
        by = f"evaluation by {found.judge}" if found.judge else "evaluation"
        figures = {f"{by}/{name}": found.figure(name) for name in found.record}
        yield found.step, found.seconds, {tag: value for tag, value in figures.items() if value is not None}


def _started(folder: Path) -> float:
    """When the run began, in seconds since 1970; 0 if that is not known."""
    try:
        return datetime.fromisoformat(str(read_summary(folder)["started"])).timestamp()
    except (UserError, KeyError, ValueError, OverflowError):
        return 0.0

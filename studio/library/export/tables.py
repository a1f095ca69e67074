"""The metrics of a run as CSV: a row per logged step, its cells empty where there is no value."""

from __future__ import annotations

import codecs
import csv
import math
from pathlib import Path

from studio.files import whole_file
from studio.progress import Progress
from studio.training.storage.metrics import read_metrics

_ROWS_AT_ONCE = 10_000


def write_csv(folder: Path, out: Path, progress: Progress | None = None) -> int:
    """Save a run's metrics.

    Args:
        out: the file, written whole; UTF-8, with a line of names.

    Returns:
        how many rows there are.

    Raises:
        UserError: the metrics are damaged, or the file cannot be written.
    """
    progress = progress or Progress()
    metrics = read_metrics(folder, progress.part(0.0, 0.5))
    columns = [metrics.steps, metrics.seconds, *metrics.columns.values()]
    total = len(metrics.steps)
    with whole_file(out) as file:
        writer = csv.writer(codecs.getwriter("utf-8")(file))
        writer.writerow(["step", "seconds", *metrics.columns])
        for start in range(0, total, _ROWS_AT_ONCE):
            progress.report("Writing the metrics", 0.5 + start / total / 2)
            some = [column[start : start + _ROWS_AT_ONCE].tolist() for column in columns]
            writer.writerows([_cell(value) for value in row] for row in zip(*some, strict=True))
    return total


def _cell(value: float) -> str:
    if math.isnan(value):
        return ""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.9g}"

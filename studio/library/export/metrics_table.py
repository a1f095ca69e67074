"""The metrics of a run as a table, a row per logged step: CSV, cells empty where there is no value; or Parquet, null
there, which needs the extra `parquet`.
"""

from __future__ import annotations

import codecs
import csv
import math
from pathlib import Path

import numpy as np

from studio.files import whole_file
from studio.library.export.options import needed_for
from studio.progress import Progress
from studio.training.storage.metrics import read_metrics
from studio.training.storage.run_identity import RunIdentity

_LINES_AT_ONCE, _ROWS_AT_ONCE = 10_000, 100_000


def write_csv(folder: Path, out: Path, progress: Progress | None = None) -> int:
    """Save a run's metrics, whole, UTF-8, with a line of names; how many rows. Raises UserError if that cannot be."""
    progress = progress or Progress()
    metrics = read_metrics(folder, progress.part(0.0, 0.5))
    columns = [metrics.steps, metrics.seconds, *metrics.columns.values()]
    total = len(metrics.steps)
    with whole_file(out) as file:
        writer = csv.writer(codecs.getwriter("utf-8")(file))
        writer.writerow(["step", "seconds", *metrics.columns])
        for start in range(0, total, _LINES_AT_ONCE):
            progress.report("Writing the metrics", 0.5 + start / total / 2)
            some = [column[start : start + _LINES_AT_ONCE].tolist() for column in columns]
            writer.writerows([_cell(value) for value in row] for row in zip(*some, strict=True))
    return total


def _cell(value: float) -> str:
    if math.isnan(value):
        return ""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.9g}"


def write_parquet(folder: Path, out: Path, progress: Progress | None = None) -> int:
    """Save a run's metrics, whole: `step`, int64, `seconds` and the rest float64; how many rows there are.

    The run's name stands under `run` in the file's metadata, and its configuration, as JSON, under `config`. Raises
    UserError if the metrics are damaged, the package is missing, or the file cannot be written.
    """
    with needed_for("A Parquet file", "parquet"):
        import pyarrow as pa
        import pyarrow.parquet as pq
    progress = progress or Progress()
    config = RunIdentity.read(folder).trained
    metrics = read_metrics(folder, progress.part(0.0, 0.5))
    columns = {"seconds": metrics.seconds, **metrics.columns}
    about = {"run": folder.resolve().name, "config": config.to_json()}
    arrays = [
        pa.array(metrics.steps.astype(np.int64)),
        *(pa.array(each, from_pandas=True) for each in columns.values()),
    ]
    table = pa.table(arrays, names=["step", *columns]).replace_schema_metadata(about)
    with whole_file(out) as file, pq.ParquetWriter(file, table.schema) as writer:
        for start in range(0, len(table), _ROWS_AT_ONCE):
            progress.report("Writing the metrics", 0.5 + start / len(table) / 2)
            writer.write_table(table.slice(start, _ROWS_AT_ONCE))
    return len(table)

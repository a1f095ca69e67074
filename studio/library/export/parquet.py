"""The metrics of a run as Parquet: a row per logged step, null where there is no value; needs the extra `parquet`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from studio.files import whole_file
from studio.library.export.extras import needed_for
from studio.progress import Progress
from studio.training.storage.metrics import read_metrics
from studio.training.storage.run_identity import RunIdentity

_ROWS_AT_ONCE = 100_000


def write_parquet(folder: Path, out: Path, progress: Progress | None = None) -> int:
    """Save a run's metrics.

    Args:
        out: the file, written whole: `step`, int64, `seconds` and the rest float64; the run's configuration as JSON
            under `config` in the file's metadata.

    Returns:
        how many rows there are.

    Raises:
        UserError: the metrics are damaged, the package is missing, or the file cannot be written.
    """
    with needed_for("A Parquet file", "parquet"):
        import pyarrow as pa
        import pyarrow.parquet as pq
    progress = progress or Progress()
    config = RunIdentity.read(folder).trained
    metrics = read_metrics(folder, progress.part(0.0, 0.5))
    columns = {"seconds": metrics.seconds, **metrics.columns}
    arrays = [
        pa.array(metrics.steps.astype(np.int64)),
        *(pa.array(each, from_pandas=True) for each in columns.values()),
    ]
    table = pa.table(arrays, names=["step", *columns]).replace_schema_metadata({"config": config.to_json()})
    with whole_file(out) as file, pq.ParquetWriter(file, table.schema) as writer:
        for start in range(0, len(table), _ROWS_AT_ONCE):
            progress.report("Writing the metrics", 0.5 + start / len(table) / 2)
            writer.write_table(table.slice(start, _ROWS_AT_ONCE))
    return len(table)

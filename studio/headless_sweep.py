"""A sweep without a window: every run in a process of its own, and a table of the results."""

from __future__ import annotations

import csv
import io
import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from studio.errors import UserError
from studio.files import whole_file
from studio.jobs.job import Job, JobStatus
from studio.jobs.queue import JobQueue
from studio.jobs.runner import JobRunner
from studio.jobs.sweep import Sweep, read_sweep
from studio.paths import default_runs_root
from studio.training.saved_run import SavedRun

_POLL_SECONDS = 0.2
_RESULTS = ("status", "steps", "seconds", "run", "error")


def sweep(path: Path, out: Path | None, *, at_once: int, data_root: Path | None) -> int:
    """Train every run of a sweep that is not completed yet; results go to stdout and to results.csv.

    Args:
        path: the sweep's file.
        out: folder of its runs; one among the person's runs, named after the file, if absent.
        at_once: how many runs at a time.
        data_root: folder of downloaded data sets; the person's own if absent.

    Returns:
        the exit code: 0 when every run was completed, 1 when one failed, 130 when it was interrupted.

    Raises:
        UserError: the sweep has a fault, or the folder belongs to another one.
    """
    wanted = read_sweep(path)
    folder = out or default_runs_root() / path.stem
    queue = JobQueue(folder / "queue.sqlite")
    _fill(queue, wanted, folder)
    runner = JobRunner(queue, at_once=at_once, data_root=data_root)
    interrupted = _run(runner)
    table = _table(wanted, queue.jobs())
    with whole_file(folder / "results.csv") as file:
        file.write(table.encode())
    print(table, end="")  # noqa: T201 - it is what was asked for
    if interrupted:
        return 130
    return 0 if all(job.status is JobStatus.COMPLETED for job in queue.jobs()) else 1


def _fill(queue: JobQueue, wanted: Sweep, folder: Path) -> None:
    """Queue the runs, or see that they are queued already and put back those that have not come to their end."""
    jobs = queue.jobs()
    if not jobs:
        for number, point in enumerate(wanted.points, 1):
            queue.add(point.config, wanted.limit, folder / f"run-{number:03d}", point.title)
        return
    same = [(point.config.to_json(), wanted.limit) for point in wanted.points]
    if [(job.config, job.limit) for job in jobs] != same:
        raise UserError(
            "The folder holds another sweep",
            f"{folder} was made for {len(jobs)} runs that differ from this file's {len(same)}.",
            "Choose a new folder with --out.",
        )
    for job in jobs:
        if job.status in (JobStatus.FAILED, JobStatus.CANCELLED):
            queue.retry(job)


def _run(runner: JobRunner) -> bool:
    """Until all jobs have ended; whether Ctrl-C came first."""
    from tqdm import tqdm

    jobs = runner.queue.jobs()
    bar = tqdm(total=len(jobs), unit=" runs", file=sys.stderr)
    try:
        while True:
            runner.poll()
            jobs = runner.queue.jobs()
            bar.update(sum(job.status.ended for job in jobs) - bar.n)
            if all(job.status.ended for job in jobs):
                return False
            bar.set_postfix_str(", ".join(job.title for job in jobs if job.status is JobStatus.RUNNING))
            time.sleep(_POLL_SECONDS)
    except KeyboardInterrupt:
        bar.write("Finishing the steps under way and saving; the same command goes on from here.", file=sys.stderr)
        return True
    finally:
        runner.stop()
        bar.close()


def _table(wanted: Sweep, jobs: Sequence[Job]) -> str:
    """A row for each run, as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*wanted.settings, *_RESULTS])
    for point, job in zip(wanted.points, jobs, strict=True):
        own = [_cell(point.values.get(setting)) for setting in wanted.settings]
        writer.writerow([*own, job.status, *_numbers(job), job.folder.name, job.error])
    return text.getvalue()


def _cell(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)


def _numbers(job: Job) -> Iterator[object]:
    try:
        summary = SavedRun.open(job.folder).summary
    except UserError:
        summary = {}
    yield from (summary.get("steps", ""), summary.get("seconds", ""))

"""A sweep without a window: every run by a worker of its own, and a table of the results."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from studio.cli.meter import Meter, progress_bar, say
from studio.cli.output import columns
from studio.data.catalog import load_dataset
from studio.errors import UserError
from studio.files import whole_file
from studio.jobs.attempt import LocalProcesses
from studio.jobs.awake import Awake
from studio.jobs.cluster import Cluster
from studio.jobs.job import Job, JobStatus
from studio.jobs.queue import JobQueue
from studio.jobs.runner import JobRunner
from studio.jobs.sweep import Sweep, read_sweep
from studio.library.sweep_results import Member, SweepReader, SweepResults
from studio.paths import default_data_root, runs_root
from studio.perturb.example_features import COLUMN
from studio.training.config.sweep_mark import setting_name, value_text
from studio.training.examples.judges import Judges
from studio.training.examples.measured_set import measured_set
from studio.training.storage.fingerprints import Fingerprints

Connect: TypeAlias = Callable[[], Cluster]
_POLL_SECONDS = 0.2
_PATIENCE_SECONDS = 60.0
"""How long runs may take to save after a Ctrl-C."""

_MOST_COLUMNS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where a sweep leaves its table, also `json` and `csv`, and its runs: `out`, or the person's own and a folder
    there.
    """

    out: Path | None = None
    json: Path | None = None
    csv: Path | None = None

    def home(self, name: str) -> Path:
        return (self.out or runs_root() / name).absolute()

    def run(self, name: str, number: int) -> Path:
        return self.home(name) / f"run-{number:03d}" if self.out else runs_root().absolute() / f"{name}-{number:03d}"


def sweep(
    path: Path, places: Places, *, at_once: int | None, data_root: Path | None, cluster: Connect | None = None
) -> int:
    """Train every run of a sweep that is not completed yet; results go to stdout and to results.csv.

    Args:
        at_once: how many runs at a time; one here, or as many as a cluster has processor cores, if absent.
        data_root: folder of downloaded data sets; the person's own if absent.
        cluster: connects to one, which then runs them in place of processes here.

    Returns:
        the exit code: 0 when every run was completed, 1 when one failed, 130 when it was interrupted.

    Raises:
        UserError: the sweep has a fault, the folder belongs to another one, or there is no such cluster.
    """
    wanted = read_sweep(path)
    home = places.home(path.stem)
    queue = JobQueue(home / "queue.sqlite")
    _fill(queue, wanted, path.stem, places, data_root or default_data_root())
    workers = cluster() if cluster else None
    slots = workers.slots if workers else 1
    runner = JobRunner(queue, at_once=at_once or slots, workers=workers or LocalProcesses(data_root))
    awake = Awake()
    awake.keep()
    try:
        interrupted = _run(runner)
    finally:
        awake.let_sleep()
    jobs = queue.jobs()
    _tell(_results(wanted, path.stem, jobs), home, places)
    if interrupted:
        return 130
    return 0 if all(job.status is JobStatus.COMPLETED for job in jobs) else 1


def _fill(queue: JobQueue, wanted: Sweep, name: str, places: Places, data_root: Path) -> None:
    """Queue the runs, or see that they are queued already and put back those that have not come to their end."""
    jobs = queue.jobs()
    if not jobs:
        marks, noted = wanted.marks(name), _noted(wanted, data_root)
        folders = [places.run(name, mark.number) for mark in marks]
        queue.add_sweep(wanted, marks, folders, lambda config: noted[config.to_json()])
        return
    same = [(point.config.to_json(), wanted.limit) for point in wanted.points]
    if [(job.config, job.limit) for job in jobs] != same:
        raise UserError(
            "The folder holds another sweep",
            f"{queue.path.parent} was made for {len(jobs)} runs that differ from this file's {len(same)}.",
            "Choose a new folder with --out.",
        )
    queue.relocate({job.id: places.run(name, number) for number, job in enumerate(jobs, 1)})
    failed = (JobStatus.FAILED, JobStatus.CANCELLED)
    queue.retry(*(job for job in jobs if job.status in failed), on_its_data=True)


def _noted(wanted: Sweep, data_root: Path) -> dict[str, Fingerprints]:
    """What each run is to train on, by its configuration; raises UserError if that cannot be had."""
    found = {}
    with progress_bar() as progress:
        for dataset in dict.fromkeys(point.config.dataset for point in wanted.points):
            data = load_dataset(dataset, data_root, progress)
            known, measured = Fingerprints.of(data), measured_set(data, Judges(data, data_root))
            for config in (point.config for point in wanted.points if point.config.dataset == dataset):
                energy = config.perturbation.resolve(data.class_names).energy
                measured.prepare([name for name in energy.names if name.startswith(COLUMN)], progress)
                found[config.to_json()] = known.with_columns(measured, energy)
    return found


def _run(runner: JobRunner) -> bool:
    """Until all jobs have ended; whether Ctrl-C came first."""
    jobs = runner.queue.jobs()
    meter = Meter(len(jobs), "runs")
    meter.begin(sum(job.status.ended for job in jobs))
    try:
        while True:
            runner.poll()
            before, jobs = jobs, runner.queue.jobs()
            for job in _begun_again(before, jobs):
                say(f"{job.folder.name} lost its worker; it goes on from its last checkpoint")
            running = ", ".join(job.title for job in jobs if job.status is JobStatus.RUNNING)
            meter.doing("Running", running, sum(job.status.ended for job in jobs))
            if all(job.status.ended for job in jobs):
                return False
            time.sleep(_POLL_SECONDS)
    except KeyboardInterrupt:
        say("Finishing the steps under way and saving; the same command goes on from here.")
        return True
    finally:
        runner.stop(_PATIENCE_SECONDS)
        meter.close()


def _begun_again(before: Sequence[Job], jobs: Sequence[Job]) -> Iterator[Job]:
    """Jobs that were running and are so again, by another attempt."""
    attempts = {job.id: job.attempts for job in before if job.status is JobStatus.RUNNING}
    for job in jobs:
        if job.attempts > attempts.get(job.id, job.attempts):
            yield job


def _results(wanted: Sweep, name: str, jobs: Sequence[Job]) -> SweepResults:
    members = [
        Member(folder=job.folder, mark=job.sweep or mark, status=job.status.value, error=job.error)
        for job, mark in zip(jobs, wanted.marks(name), strict=True)
    ]
    return SweepReader().read(members)


def _tell(results: SweepResults, home: Path, places: Places) -> None:
    table = results.to_csv()
    files = {home / "results.csv": table}
    files |= {places.csv: table} if places.csv else {}
    files |= {places.json: results.to_json()} if places.json else {}
    for file, text in files.items():
        with whole_file(file) as stream:
            stream.write(text.encode())
    print(_table(results))


def _table(results: SweepResults) -> str:
    """The same as columns for a terminal; errors in lines of their own, and no more numbers than fit."""
    names = results.names[:_MOST_COLUMNS]
    rows = [[*map(setting_name, results.settings), "status", *names, "run"]]
    for run in results.runs:
        own = [value_text(run.member.mark.values.get(setting)) for setting in results.settings]
        numbers = [_shown(run.numbers.get(name)) for name in names]
        rows.append([*own, run.status, *numbers, run.member.folder.name])
    return "\n".join([*columns(rows), *(f"{run.member.folder.name}: {run.error}" for run in results.runs if run.error)])


def _shown(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.4g}"

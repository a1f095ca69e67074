"""A sweep on a Ray cluster of nodes on this machine, one of which is killed in the middle."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from studio.jobs.queue import JobQueue
from studio.training.messages.marks import MarkKind
from studio.training.storage.checkpoint_store import CheckpointStore
from studio.training.storage.metrics import read_metrics

ROOT = Path(__file__).resolve().parents[2]
STEPS, JOBS = 600, 2
_QUIET = {"OMP_NUM_THREADS": "1", "RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0"}
"""Ray has its workers give way to every other program, and the tests beside these would make them wait."""
PATIENCE_S = 480
SET = {
    "batch.average_size": 32,
    "cadence.checkpoint_every": 0.02,
    "cadence.sample_every": 3600,
    "device": "cpu",
    "evaluation.budget": 0,
    "threads": 1,
}


class Nodes:
    """Ray nodes, each a tree of processes."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._folder, self._environment = folder, environment
        self.address = f"127.0.0.1:{_free_port()}"
        self.all: list[subprocess.Popen[bytes]] = []

    def start(self) -> int:
        """One more: the first is the head, which has no work done on it; each other does one job at a time."""
        where = ["--address", self.address]
        if not self.all:
            port = self.address.partition(":")[2]
            where = ["--head", "--port", port, "--include-dashboard=false", "--disable-usage-stats"]
            where += ["--temp-dir", str(self._folder), "--num-cpus=0"]
        else:
            where.append("--num-cpus=1")
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", *where, "--block"]
        command += ["--object-store-memory=80000000"]
        with (self._folder / f"node-{len(self.all)}.txt").open("wb") as said:
            self.all.append(
                subprocess.Popen(command, stdout=said, stderr=said, env=self._environment, start_new_session=True)
            )
        wait(lambda: b"Ray runtime started" in Path(said.name).read_bytes(), "a node")
        return len(self.all) - 1

    def works_on(self, place: int, title: str) -> bool:
        """Whether a worker of that node has the job of this title; Ray names its processes by their tasks."""
        for process in psutil.Process(self.all[place].pid).children(recursive=True):
            with suppress(psutil.Error):
                if f"ray::{title}" in " ".join(process.cmdline()):
                    return True
        return False

    def kill(self, place: int) -> None:
        """All its processes at once, as a machine that loses its power."""
        node = psutil.Process(self.all[place].pid)
        tree = [node, *node.children(recursive=True)]
        for process in tree:
            if process.is_running():
                process.kill()
        self.all[place].wait()
        psutil.wait_procs(tree, timeout=10)


@pytest.fixture
def environment() -> dict[str, str]:
    return {**os.environ, **_QUIET}


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    """A head, for all tests: it takes half a minute to begin and to end."""
    folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))  # Ray's sockets need a short path
    nodes = Nodes(folder, {**os.environ, **_QUIET})
    nodes.start()
    yield nodes
    for place in range(len(nodes.all)):
        if nodes.all[place].poll() is None:
            nodes.kill(place)
    shutil.rmtree(folder, ignore_errors=True)


def wait(ready: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not ready():
        assert time.monotonic() < deadline, f"waited for {what}"
        time.sleep(0.05)


@contextmanager
def studio(arguments: list[str], environment: dict[str, str], said: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The command under way; it does not outlive the test."""
    with said.open("wb") as file:
        process = subprocess.Popen(arguments, cwd=ROOT, env=environment, stdout=file, stderr=file)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def sweep_file(folder: Path, **fields: Any) -> Path:
    path = folder / "sweep.json"
    grid = {"perturbation.offsets.2": [-1, -2]}
    path.write_text(json.dumps({"config": "digits-vae", "set": SET, "grid": grid, "steps": STEPS} | fields))
    return path


def command(path: Path, out: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "studio", "sweep", str(path), "--out", str(out), *more]


@pytest.mark.slow
@pytest.mark.timeout(2700)
def test_that_the_run_of_a_lost_worker_goes_on_elsewhere_bit_for_bit(
    tmp_path: Path, nodes: Nodes, environment: dict[str, str]
) -> None:
    """The only node is killed, so that it is at work whatever the pace, and another takes its place."""
    path, out, whole = sweep_file(tmp_path), tmp_path / "cluster", tmp_path / "here"
    place = nodes.start()
    runs = [out / f"run-00{number}" for number in range(1, JOBS + 1)]

    def well_begun() -> bool:
        """It has trained for a while, and is not at the end."""
        steps = [CheckpointStore(run).steps for run in runs]
        return any(
            each and 10 < each[-1] < STEPS and nodes.works_on(place, f"ΔH(2)=-{at}") for at, each in enumerate(steps, 1)
        )

    with studio(command(path, out, "--cluster", nodes.address), environment, tmp_path / "said.txt") as process:
        wait(lambda: well_begun() or process.poll() is not None, "a checkpoint of a run")
        assert process.poll() is None, (tmp_path / "said.txt").read_text()
        nodes.kill(place)
        nodes.start()
        assert process.wait(PATIENCE_S) == 0, (tmp_path / "said.txt").read_text()
    jobs = JobQueue(out / "queue.sqlite").jobs()
    lost = [job for job in jobs if job.attempts == 2]
    assert len(lost) == 1, [(job.attempts, job.error) for job in jobs]
    (resumed,) = [mark.step for mark in read_metrics(lost[0].folder).marks if mark.kind is MarkKind.RESUMED]
    assert 0 < resumed < STEPS
    assert f"{lost[0].folder.name} lost its worker" in (tmp_path / "said.txt").read_text()
    subprocess.run(command(path, whole), cwd=ROOT, env=environment, check=True, capture_output=True)
    for run in runs:
        assert _weights(run) == _weights(whole / run.name)
    print(f"\n{lost[0].folder.name} was killed, went on from step {resumed:,} of {STEPS:,}; all weights are the same")


@pytest.mark.slow
@pytest.mark.timeout(2700)
def test_that_a_cluster_of_this_machine_ends_with_the_command(tmp_path: Path, environment: dict[str, str]) -> None:
    path, out = sweep_file(tmp_path, steps=3, grid={}), tmp_path / "out"
    before = _ray_processes()
    done = subprocess.run(
        command(path, out, "--cluster", "local"), cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "completed" in done.stdout
    wait(lambda: not _ray_processes() - before, "Ray's processes to end")


@pytest.mark.slow
@pytest.mark.timeout(2700)
def test_that_what_keeps_a_worker_from_its_run_is_told(
    tmp_path: Path, nodes: Nodes, environment: dict[str, str]
) -> None:
    """By the same line as of a process here; and Ctrl-C at the command saves the run at its worker."""
    nodes.start()
    out = tmp_path / "out"
    (out / "run-001").mkdir(parents=True)
    (out / "run-001" / "mine.txt").write_text("")
    path = sweep_file(tmp_path, steps=10**6, grid={"seed": [0, 1]})
    with studio(command(path, out, "--cluster", nodes.address), environment, tmp_path / "said.txt") as process:
        wait(lambda: bool(CheckpointStore(out / "run-002").steps) or process.poll() is not None, "the second run")
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 130, (tmp_path / "said.txt").read_text()
    failed, saved = JobQueue(out / "queue.sqlite").jobs()
    assert (failed.status, saved.status) == ("failed", "waiting")
    assert "not empty" in failed.error
    assert json.loads((saved.folder / "summary.json").read_text())["status"] == "stopped"


@pytest.mark.slow
def test_that_nothing_of_ray_is_imported_unless_asked_for() -> None:
    code = "import sys, studio.cli.sweep, studio.jobs.cluster; assert 'ray' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_that_a_missing_ray_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from studio.cli.main import main

    monkeypatch.setitem(sys.modules, "ray", None)
    assert main(["sweep", str(sweep_file(tmp_path)), "--out", str(tmp_path / "out"), "--cluster", "auto"]) == 2
    assert "perturbation-studio[cluster]" in capsys.readouterr().err


def test_that_a_worker_that_sees_no_folder_or_has_another_version_says_so(tmp_path: Path) -> None:
    from studio import __version__
    from studio.jobs.cluster import _work

    calls: list[Sequence[str]] = []

    def command(arguments: Sequence[str]) -> int:
        calls.append(arguments)
        return 0

    assert "must share" in _work(command, [], str(tmp_path / "none"), __version__)[1]
    assert "not 0.0.0" in _work(command, [], str(tmp_path), "0.0.0")[1]
    assert calls == []
    (tmp_path / "job.json").write_text("{}")
    assert _work(command, ["train"], str(tmp_path / "job.json"), __version__) == (0, "")
    assert calls == [["train"]]


def _weights(run: Path) -> bytes:
    return (run / "weights.safetensors").read_bytes()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _ray_processes() -> set[int]:
    names = ("raylet", "gcs_server")
    return {each.pid for each in psutil.process_iter(["name"]) if each.info["name"] in names}

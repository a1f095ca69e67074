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
from tests.jobs.test_runner import shorten

ROOT = Path(__file__).resolve().parents[2]
JOBS, ENDLESS = 2, 10**6
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
        self.address = ""
        self.all: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """One more: the first is the head, which has no work done on it; each other does one job at a time."""
        for _ in range(5):  # Ray itself waits half a minute for it, which a busy machine may need and more
            if self._has_begun():
                return
        pytest.fail((self._folder / f"node-{len(self.all)}.txt").read_text())

    def _has_begun(self) -> bool:
        where = ["--address", self.address]
        if not self.all:
            port = _free_port()
            self.address = f"127.0.0.1:{port}"
            where = ["--head", "--port", str(port), "--include-dashboard=false", "--disable-usage-stats"]
            where += ["--temp-dir", str(self._folder), "--num-cpus=0"]
        else:
            where.append("--num-cpus=1")
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", *where, "--block"]
        command += ["--object-store-memory=80000000"]
        with (self._folder / f"node-{len(self.all)}.txt").open("wb") as said:
            node = subprocess.Popen(command, stdout=said, stderr=said, env=self._environment, start_new_session=True)
        wait(lambda: b"Ray runtime started" in Path(said.name).read_bytes() or node.poll() is not None, "a node")
        if node.poll() is None:
            self.all.append(node)
            return True
        with suppress(ProcessLookupError):
            os.killpg(node.pid, signal.SIGKILL)  # what it has left
        return False

    def processes(self, *, head: bool = False) -> list[psutil.Process]:
        """Of the nodes that have work done on them, or of all."""
        nodes = [psutil.Process(node.pid) for node in self.all[not head :] if node.poll() is None]
        return [process for node in nodes for process in (node, *node.children(recursive=True))]

    def freeze(self) -> None:
        """Nothing is worked on any more, though nobody has noticed it."""
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                process.suspend()

    def kill(self, *, head: bool = False) -> None:
        """All processes at once, as of machines that lose their power."""
        processes = self.processes(head=head)
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        for node in self.all[not head :]:
            node.wait()
        psutil.wait_procs(processes, timeout=PATIENCE_S)


@pytest.fixture
def environment() -> dict[str, str]:
    return {**os.environ, **_QUIET}


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    """A head, for all tests: it takes half a minute to begin and to end."""
    folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))  # Ray's sockets need a short path
    nodes = Nodes(folder, {**os.environ, **_QUIET})
    try:
        nodes.start()
        yield nodes
    finally:
        nodes.kill(head=True)
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
    path.write_text(json.dumps({"config": "digits-vae", "set": SET, "grid": grid, "steps": ENDLESS} | fields))
    return path


def command(path: Path, out: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "studio", "sweep", str(path), "--out", str(out), *more]


@pytest.mark.slow
@pytest.mark.timeout(2700)
def test_that_the_run_of_a_lost_worker_goes_on_elsewhere_bit_for_bit(
    tmp_path: Path, nodes: Nodes, environment: dict[str, str]
) -> None:
    """How many steps there are is said while it stands still, so that it is killed amid them whatever the pace."""
    path, out, whole, said = sweep_file(tmp_path), tmp_path / "cluster", tmp_path / "here", tmp_path / "said.txt"
    nodes.start()
    runs = [out / f"run-00{number}" for number in range(1, JOBS + 1)]
    with studio(command(path, out, "--jobs", "1", "--cluster", nodes.address), environment, said) as process:
        wait(lambda: any(CheckpointStore(runs[0]).steps) or process.poll() is not None, "a checkpoint of a run")
        assert process.poll() is None, said.read_text()
        nodes.freeze()
        reached = CheckpointStore(runs[0]).steps[-1]
        queue, steps = JobQueue(out / "queue.sqlite"), reached + 100
        shorten(queue, steps)
        nodes.kill()
        nodes.start()
        assert process.wait(PATIENCE_S) == 0, said.read_text()
    assert [job.attempts for job in queue.jobs()] == [2, 1], [job.error for job in queue.jobs()]
    assert [mark.step for mark in read_metrics(runs[0]).marks if mark.kind is MarkKind.RESUMED] == [reached]
    assert f"{runs[0].name} lost its worker" in said.read_text()
    here = command(sweep_file(tmp_path, steps=steps), whole)
    subprocess.run(here, cwd=ROOT, env=environment, check=True, capture_output=True)
    for run in runs:
        assert _weights(run) == _weights(whole / run.name)
    print(f"\n{runs[0].name} was killed, went on from step {reached:,} of {steps:,}; all weights are the same")


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
    path = sweep_file(tmp_path, grid={"seed": [0, 1]})

    def one_failed_and_one_begun() -> bool:
        begun = bool(CheckpointStore(out / "run-002").steps)
        return begun and JobQueue(out / "queue.sqlite").jobs()[0].status.ended

    with studio(command(path, out, "--cluster", nodes.address), environment, tmp_path / "said.txt") as process:
        wait(lambda: one_failed_and_one_begun() or process.poll() is not None, "the second run")
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

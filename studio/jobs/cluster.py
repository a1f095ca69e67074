"""Workers of a Ray cluster: each job is a Ray task that runs the same ``studio`` command as a process here would.

All machines of the cluster share the folder of the runs, as clusters do by a network file system. So a job whose worker
is lost goes on elsewhere from the last checkpoint in its folder, with nothing to be sent about, and the configuration
that a worker reads is the frozen one that lies beside the queue; a machine that does not see it says so. The studio of
the same version is installed on each of them.

A task is never repeated by Ray itself: its end goes to the queue, which counts the attempts. The training is in the
worker's own process, so that it dies with its machine and nothing is left behind that would go on writing. Ray hands
tasks and results about as pickles, between machines that trust one another already; nothing of a run's files is read
that way.
"""

from __future__ import annotations

import io
import os
import socket
import warnings
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import Any

from studio import __version__
from studio.errors import UserError
from studio.jobs.attempt import Ending, Outcome, command_of, ending_of
from studio.jobs.job import Job
from studio.training.config.run_config import RunConfig

LOCAL = "local"
"""In place of an address: a cluster of this machine alone, which begins and ends with the program."""

_STORE_BYTES = 80 * 2**20
"""Shared memory for results; there are hardly any, and Ray takes no less."""

Command = Callable[[Sequence[str]], int]


class Cluster:
    """Connects to the cluster of a host and port, such as this one; "auto" for one that was started here; "local".

    `command` runs the ``studio`` command with these arguments and returns its exit code; data lie in `data_root` on
    every machine, by default the person's own. Raises UserError if Ray is not installed, or there is no cluster.
    """

    def __init__(self, address: str, command: Command, data_root: Path | None = None) -> None:
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # nothing is told to anyone
        try:
            ray: Any = import_module("ray")
        except ImportError as error:
            raise UserError(
                "Running on a cluster needs Ray", "", "Install it: pip install 'perturbation-studio[cluster]'."
            ) from error
        self._ray = ray
        self._data_root = data_root
        own = {"num_cpus": os.cpu_count(), "include_dashboard": False, "object_store_memory": _STORE_BYTES}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of what later versions of Ray will do
                ray.init(
                    address=address, log_to_driver=False, logging_level="ERROR", **(own if address == LOCAL else {})
                )
        except (ConnectionError, OSError, RuntimeError, ValueError, TimeoutError) as error:
            raise UserError(
                "The cluster cannot be reached",
                f"{address}: {str(error).splitlines()[0] if str(error) else type(error).__name__}.",
                "Start Ray on its machines, this one included (ray start), and give the address that it prints; or say "
                "“local”.",
            ) from error
        self._task = ray.remote(num_cpus=1, max_retries=0, max_calls=1)(_work)
        self._command = command
        self._gpus = ray.cluster_resources().get("GPU", 0) > 0

    @property
    def slots(self) -> int:
        """How many jobs it runs at once: one on each processor core."""
        return max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    def start(self, job: Job, config: Path) -> ClusterTask:
        """Begin a job, or go on with it; it waits within the cluster where all are busy."""
        arguments = command_of(job, config, self._data_root)
        gpus = int(self._gpus and RunConfig.model_validate_json(job.config).device != "cpu")
        task = self._task.options(name=job.title, num_gpus=gpus)
        return ClusterTask(self._ray, task.remote(self._command, arguments, str(config), __version__))

    def close(self) -> None:
        """Leave the cluster; one of this machine alone ends."""
        self._ray.shutdown()


class ClusterTask:
    """A job that a worker has, or will have when one is free."""

    def __init__(self, ray: Any, reference: Any) -> None:
        self._ray = ray
        self._reference = reference

    @property
    def pid(self) -> int:
        """Of this program: Ray ends its tasks when it is gone."""
        return os.getpid()

    def ending(self, patience: float = 0.0) -> Ending | None:
        """How it ended; None if it has not within so many seconds."""
        done, _ = self._ray.wait([self._reference], timeout=patience)
        if not done:
            return None
        errors = self._ray.exceptions
        try:
            code, said = self._ray.get(self._reference)
        except errors.TaskCancelledError:
            return Ending(outcome=Outcome.INTERRUPTED)
        except errors.RayTaskError as error:
            return Ending(outcome=Outcome.FAILED, error=str(error).strip().splitlines()[-1])
        except errors.RayError as error:
            return Ending(outcome=Outcome.LOST, error=f"its worker was lost ({type(error).__name__})")
        return ending_of(code, said)

    def interrupt(self) -> None:
        """What Ctrl-C does, at the worker."""
        self._ray.cancel(self._reference)


def _work(command: Command, arguments: Sequence[str], config: str, version: str) -> tuple[int, str]:
    """At a worker: run the command; its exit code, and what it said on standard error."""
    if version != __version__:
        return 2, f"{socket.gethostname()} has version {__version__} of the studio, not {version}"
    if not Path(config).is_file():
        return 2, f"{socket.gethostname()} does not see {config}: all machines must share the folder of the runs"
    said = io.StringIO()
    with redirect_stderr(said), redirect_stdout(io.StringIO()):
        code = command(arguments)
    return code, said.getvalue()

"""A process that is killed while it writes leaves whole batches, and files that open."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from studio.training.messages.events import Logged
from studio.training.storage.frames import FrameStore
from studio.training.storage.metrics import append_metrics, read_metrics
from tests.sizes import sizes

BATCH = 7
_WRITER = f"""
import sys
from pathlib import Path
from studio.training.messages.events import Logged
from studio.training.storage.frames import append_frames
from studio.training.storage.metrics import append_metrics
from tests.training.storage.test_frames import frame

folder, first = Path(sys.argv[1]), int(sys.argv[2])
print("ready", flush=True)
for batch in range(first, 10**9):
    steps = range({BATCH} * batch + 1, {BATCH} * batch + {BATCH} + 1)
    append_metrics(folder, [Logged(step=step, seconds=step, values={{"a": float(step)}}) for step in steps])
    append_frames(folder, [frame(step) for step in steps], 200_000)
"""


@sizes(6, 40)
def test_that_a_killed_writer_leaves_whole_batches(count: int, tmp_path: Path) -> None:
    chance, batches, kills = random.Random(0), 0, 0
    while kills < count or batches <= count:  # a busy machine writes less than a batch between two kills
        writer = subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(tmp_path), str(batches)], stdout=subprocess.PIPE, cwd=Path.cwd()
        )
        assert writer.stdout.readline() == b"ready\n"
        time.sleep(chance.uniform(0.0, 0.3))
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
        kills += 1
        writer.stdout.close()
        steps = read_metrics(tmp_path).steps
        assert steps.tolist() == list(range(1, len(steps) + 1))
        assert len(steps) % BATCH == 0
        batches = len(steps) // BATCH
        frames = FrameStore(tmp_path)
        assert all(frames.at(int(step)) is not None for step in frames.steps[-3:])
    print(f"{kills} kills, {batches} batches written, every one whole")


_KILLED_AT_BIRTH = """
import os, signal, sys
from pathlib import Path
from studio.training.storage import database
from studio.training.messages.events import Logged
from studio.training.storage.metrics import append_metrics

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

database.version_of = die  # the first thing that is asked of a file once it is there
append_metrics(Path(sys.argv[1]), [Logged(step=1, seconds=1.0, values={"a": 1.0})])
"""


@pytest.mark.slow
def test_that_a_writer_killed_before_its_first_batch_leaves_an_empty_file_or_none(tmp_path: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", _KILLED_AT_BIRTH, str(tmp_path)], cwd=Path.cwd(), check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(read_metrics(tmp_path).steps) == 0
    append_metrics(tmp_path, [Logged(step=1, seconds=1.0, values={"a": 1.0})])
    assert read_metrics(tmp_path).steps.tolist() == [1]
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.sqlite"]


@sizes(20, 240)
@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks a child for each kill")
def test_that_no_kill_loses_what_was_on_disk(count: int, capsys: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, "-m", "tests.training.kill", str(count)]
    done = subprocess.run(command, cwd=Path(__file__).parents[3], capture_output=True, text=True, check=False)
    with capsys.disabled():
        print("\n" + done.stdout + done.stderr)
    assert done.returncode == 0
    assert f"{count} kills" in done.stdout

"""A run that is killed at random while it writes, over and over; what each kill leaves is opened and gone on with.

Run as a program it forks one child for each kill, so that torch is imported once. Prints its counts.
"""

import gc
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import torch

from studio.errors import UserError
from studio.training.engine.trainer import Trainer
from studio.training.messages.events import Logged
from studio.training.messages.snapshot import SampleGrid
from studio.training.storage.checkpoint import read_checkpoint
from studio.training.storage.checkpoint_store import CheckpointStore
from studio.training.storage.frames import Frame, FrameStore
from studio.training.storage.metrics import read_metrics
from studio.training.storage.recorder import Recorder
from studio.training.storage.resumption import resume
from studio.training.storage.run import Run
from studio.training.storage.run_folder import RunFolder
from tests.training.conftest import tiny_config, tiny_images

CONFIG = tiny_config("vae")
DATA = tiny_images()


def write_for_ever(path: Path, told: int) -> None:
    """A run that does nothing but write; each step whose checkpoint is on disk is told through a pipe."""
    trainer = Trainer(CONFIG, DATA)
    recorder = Recorder(RunFolder.at(path, CONFIG), trainer)
    pictures = DATA.images[:4]
    while True:
        grid = SampleGrid(step=trainer.step_count, raw=pictures, averaged=pictures)
        recorder.save_frame(Frame(grid=grid, seconds=float(trainer.step_count), weights=np.ones(8)))
        recorder.save(None, float(trainer.step_count))
        os.write(told, trainer.step_count.to_bytes(8, "big"))
        report = trainer.step()
        recorder.hear(Logged(step=trainer.step_count, seconds=0.0, values=report.values()))


def one_kill(path: Path, rng: random.Random) -> int:
    """Fork, kill within what writes take, and return the last step that was said to be on disk."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            write_for_ever(path, writing)
        finally:
            os._exit(1)
    os.close(writing)
    first = os.read(reading, 8)  # from here on there is something to lose
    time.sleep(rng.uniform(0.0, 0.12))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    rest = first
    while piece := os.read(reading, 65536):
        rest += piece
    os.close(reading)
    return int.from_bytes(rest[-8:], "big")


def phase_of(path: Path) -> str:
    """What was being written, as far as the folder shows it."""
    parts = [part.name.split(".")[1].split("-")[0] for part in path.rglob("*.part")]
    parts += [journal.name.removesuffix("-wal") for journal in path.glob("*-wal") if journal.stat().st_size]
    return parts[0] if parts else "between files"


def check(path: Path, promised: int) -> int:
    """Open what is left and take it up; how many steps were lost. Nothing raised means nothing was left broken."""
    run = Run.open(path)
    assert run.weights("average")
    found = resume(path)
    for step in CheckpointStore(path).steps:
        read_checkpoint(CheckpointStore(path).find(step))
    trainer = Trainer(found.config, DATA)
    notes = found.load_into(trainer)
    folder = found.folder()
    Recorder(folder, trainer, notes).save(None, 0.0)
    folder.release()
    assert not list(path.rglob("*.part")), "left-overs are swept away"
    steps, frames = read_metrics(path).steps.tolist(), list(FrameStore(path).steps)
    for kept in (steps, frames):
        assert kept == sorted(set(kept))
        assert not kept or kept[-1] <= found.step
    return promised - found.step


def main(kills: int, seed: int = 0) -> int:
    rng, phases, lost, refused = random.Random(seed), Counter[str](), Counter[int](), 0
    torch.set_num_threads(1)
    gc.disable()
    with tempfile.TemporaryDirectory() as root:
        for number in range(kills):
            path = Path(root) / str(number)
            promised = one_kill(path, rng)
            phases[phase_of(path)] += 1
            try:
                lost[max(0, check(path, promised))] += 1
            except UserError as error:
                refused += 1
                print(error)
            shutil.rmtree(path)
    print(f"{kills} kills while writing: {dict(phases)}")
    print(f"opened and gone on with: {sum(lost.values())}; refused: {refused}")
    print(f"steps lost of those that were on disk: {dict(lost)}")
    return 0 if refused == 0 and set(lost) == {0} else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))

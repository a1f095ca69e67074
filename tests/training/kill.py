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
import traceback
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from studio.errors import UserError
from studio.evaluation.record import evaluation_of
from studio.library.run_summary import summary_of
from studio.perturb.perturbation import Perturbation, target_shares
from studio.training.analysis.evaluate_run import keep_evaluation
from studio.training.engine.trainer import Trainer
from studio.training.messages.events import Evaluated, LatentsApplied, Logged, PerturbationApplied
from studio.training.messages.latents import Latents, read_latents
from studio.training.messages.snapshot import SampleGrid
from studio.training.storage.checkpoint import read_checkpoint
from studio.training.storage.checkpoint_store import CheckpointStore
from studio.training.storage.frames import Frame, FrameStore
from studio.training.storage.metrics import held_column, read_metrics
from studio.training.storage.recorder import Recorder
from studio.training.storage.resumption import Resumption, resume
from studio.training.storage.run import Run
from studio.training.storage.run_folder import RunFolder
from studio.training.storage.run_identity import noted_targets
from studio.training.storage.sample_strips import strip_of
from tests.training.conftest import CLASSES, tiny_config, tiny_images

CONFIG = tiny_config("vae", hold={"on": True})
DATA = tiny_images()
_LIVES = 4
"""Times that one run is killed."""


def offsets_of(number: int) -> tuple[float, ...]:
    """ΔH of the target that is asked for as the number-th of all."""
    return (number / 100, 0.0, -number / 100)


def written(step: int, number: int) -> Evaluated:
    """An evaluation that tells the step and the target that it is of."""
    target = target_shares(DATA.counts, offsets_of(number)).tolist()
    classes = {name: {"target": share} for name, share in zip(CLASSES, target, strict=True)}
    evaluation = evaluation_of({"classes": classes, "unsure": {"target": 0.0}, "count": 10, "tv": step / 1e6})
    return Evaluated(step=step, seconds=float(step), revision=0, evaluation=evaluation)


def taken_up(found: Resumption) -> tuple[Trainer, Recorder]:
    """The run as it goes on, which takes up what its configuration was given since."""
    trainer = Trainer(found.config, DATA)
    notes = found.load_into(trainer)
    recorder = Recorder(found.folder(), trainer, notes)
    if found.retargeted:
        recorder.hear(PerturbationApplied(step=trainer.step_count, revision=found.revision))
    return trainer, recorder


def write_for_ever(path: Path, told: int, rng: random.Random) -> None:
    """A run that does nothing but write, from where it was; each step whose checkpoint is on disk is told through a
    pipe.

    It is edited, held, evaluated, by others too, and given other latents at random, also several times at one step.
    """
    if (path / "config.json").exists() and CheckpointStore(path).steps:
        trainer, recorder = taken_up(resume(path))
    else:
        shutil.rmtree(path, ignore_errors=True)
        trainer = Trainer(CONFIG, DATA)
        recorder = Recorder(RunFolder.at(path, CONFIG), trainer)

    def retarget() -> None:
        revision = trainer.perturbation.revision + 1
        trainer.retarget(Perturbation(offsets=offsets_of(rng.randrange(1, 10**4)), revision=revision))
        recorder.hear(PerturbationApplied(step=trainer.step_count, revision=revision))

    def evaluate() -> None:
        perturbation = trainer.perturbation
        found = written(trainer.step_count, round(100 * perturbation.offsets[0]))
        recorder.hear(replace(found, revision=perturbation.revision))

    def hold() -> None:
        before, step = trainer.held.hold, trainer.step_count
        if trainer.held.step < step:
            moved = replace(before, correction=(step / 1e4, 0.0, 0.0))
            trainer.correct(replace(trainer.held, hold=moved, step=step, before=before.correction))

    def choose() -> None:
        recorder.hear(LatentsApplied(step=trainer.step_count, latents=Latents(seed=trainer.step_count)))

    def evaluate_beside() -> None:
        run = Run.open(path)
        found = written(run.weights_step or 0, round(100 * run.identity.target.offsets.get(CLASSES[0], 0.0)))
        assert keep_evaluation(run, replace(found, revision=run.revision)) is None

    def save() -> None:
        recorder.save(None, float(trainer.step_count))
        os.write(told, trainer.step_count.to_bytes(8, "big"))

    def show() -> None:
        grid = SampleGrid(step=trainer.step_count, raw=DATA.images[:4], averaged=DATA.images[:4])
        recorder.save_frame(Frame(grid=grid, seconds=float(trainer.step_count), weights=np.ones(8)))

    acts = (retarget, evaluate, hold, choose, evaluate_beside, save, show, recorder.flush)
    save()
    while True:
        for act in rng.choices(acts, k=rng.randrange(3)):
            act()
        report = trainer.step()
        values = report.values() | {
            "sum": weight_of(trainer.model.state_dict()),
            "ant": trainer.perturbation.offsets[0],
        }
        values |= {held_column(0, CLASSES[0]): trainer.held.hold.correction[0]}
        recorder.hear(Logged(step=trainer.step_count, seconds=0.0, values=values))


def weight_of(state: Mapping[str, torch.Tensor]) -> float:
    """What tells the weights of one step from those of another."""
    return sum(float(state[name].double().abs().sum()) for name in sorted(state))


def one_kill(path: Path, rng: random.Random) -> int:
    """Fork, kill within what writes take, and return the last step that was said to be on disk."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            write_for_ever(path, writing, rng)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    os.close(writing)
    first = os.read(reading, 8)  # from here on there is something to lose
    time.sleep(rng.uniform(0.0, 0.4))
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


def check_figures(path: Path) -> None:
    """Whatever the folder says of a step is of that step, and of the target that it says."""
    metrics, run = read_metrics(path), Run.open(path)
    rows = {int(step): place for place, step in enumerate(metrics.steps)}
    noted = noted_targets(run.summary)

    def learned(step: int, name: str) -> float:
        return float(metrics.columns[name][rows[step]]) if step in rows else 0.0

    for each in metrics.evaluations:
        assert each.figure("tv") == each.step / 1e6
        target = noted[each.revision].resolve(CLASSES).offsets
        wanted = target_shares(DATA.counts, target)
        assert np.allclose(each.evaluation.target[:-1], wanted), f"evaluation of step {each.step}, {each.revision}"
    for step in run.identity.kept_steps:
        then = run.back_at(step)
        identity = then.identity
        assert identity.target.offsets == noted[then.revision].offsets
        if step in rows:
            assert weight_of(then.weights("model")) == learned(step, "sum")
            trained = (identity.learned or identity.target).offsets.get(CLASSES[0], 0.0)
            assert trained == learned(step, "ant")
            applied, asked = (part.offsets.get(CLASSES[0], 0.0) for part in (identity.applied, identity.target))
            assert abs(applied - asked - learned(step, held_column(0, CLASSES[0]))) < 1e-9
    frames = FrameStore(path)
    for step in frames.steps.tolist():
        frame = frames.at(step)
        assert frame.offsets[CLASSES[0]] == noted[frame.revision].offsets.get(CLASSES[0], 0.0)
        if step in rows:
            assert frame.offsets[CLASSES[0]] == learned(step, "ant")
    for mark in metrics.marks:
        assert mark.step in rows or mark.step == 0


def check(path: Path, promised: int) -> int:
    """Open what is left and take it up; how many steps were lost. Nothing raised means nothing was left broken."""
    if not (path / "summary.json").exists():
        assert not promised
        return 0
    check_figures(path)
    assert not summary_of(path).fault
    read_latents(path)
    run = Run.open(path)
    assert run.weights("average")
    found = resume(path)
    for step in CheckpointStore(path).steps:
        read_checkpoint(CheckpointStore(path).find(step))
    _, recorder = taken_up(found)
    recorder.save(None, 0.0)
    recorder.release()
    assert not list(path.rglob("*.part")), "left-overs are swept away"
    steps, frames = read_metrics(path).steps.tolist(), list(FrameStore(path).steps)
    for kept in (steps, frames):
        assert kept == sorted(set(kept))
        assert not kept or kept[-1] <= found.step
    check_figures(path)
    return promised - found.step


def main(kills: int, seed: int = 0) -> int:
    rng, phases, lost, refused = random.Random(seed), Counter[str](), Counter[int](), 0
    torch.set_num_threads(1)
    gc.disable()
    strip_of(DATA.images[:1])  # which imports what children would begin with, each for itself
    with tempfile.TemporaryDirectory() as root:
        for number in range(kills):
            path = Path(root) / str(number // _LIVES)
            promised = one_kill(path, rng)
            phases[phase_of(path)] += 1
            try:
                lost[max(0, check(path, promised))] += 1
            except UserError as error:
                refused += 1
                print(error)
            if number % _LIVES == _LIVES - 1:
                shutil.rmtree(path)
    print(f"{kills} kills while writing: {dict(phases)}")
    print(f"opened and gone on with: {sum(lost.values())}; refused: {refused}")
    print(f"steps lost of those that were on disk: {dict(lost)}")
    return 0 if refused == 0 and set(lost) == {0} else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))

"""Thousands of random clicks, keys, sizes and edits, with training on: nothing breaks, hangs or loses its senses."""

from __future__ import annotations

import faulthandler
import json
import os
import socket
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.gui.state.log import LogLine
from studio.gui.state.run_view import RunPhase
from studio.gui.state.tilt_view import TiltView
from studio.gui.window.main_window import MainWindow
from studio.training.config.assignments import with_settings
from studio.training.config.file import parse_config
from studio.training.config.presets import config_or_preset
from studio.training.config.run_config import CadenceConfig, EvaluationConfig, Precision, RunConfig
from studio.training.engine.trainer import Trainer
from studio.training.messages.events import Finished, Warned
from tests.conftest import slowness
from tests.gui.hands import PATIENCE_MS
from tests.steady.desk import Troubles, open_studio, trainers_of_runs
from tests.steady.monkey import Monkey
from tests.steady.watch import Heart
from tests.steady.witness import Witness

PRESETS = (
    "digits-gan", "planar-gan", "digits-vae", "digits-rbm", "digits-wgan_gp", "planar-diffusion", "digits-diffusion",
    "planar-wgan_gp", "digits-ebm", "digits-hierarchical_vae",
)  # fmt: skip
SETTINGS = {
    "digits-wgan_gp": ("hold.on=true", "hold.every=20", "hold.samples=100"),
    "digits-vae": ("model.conditional=true", "model.labels_used=0.5"),
    "digits-diffusion": ("model.weights_fade=0.5",),
}
"""What presets are played with besides."""
LONGEST = 1.0  # seconds of processor time for which the window may stand still
LONGEST_ANYWHERE = 2.0  # the same where nothing is known of the machine


class Writes:
    """Notes every file that is opened to be written, every folder made and every name changed, while it is on."""

    _hooks = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree")

    def __init__(self, allowed: Path) -> None:
        self.on = True
        self.elsewhere: list[str] = []
        self._allowed = allowed
        self._own = f"{tempfile.gettempdir()}/torchinductor_"
        sys.addaudithook(self._hear)  # stays for as long as the process lives

    def _hear(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.on or not (event in self._hooks or event == "open"):
            return
        if event == "open" and not (args[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            return
        if isinstance(args[0], (str, bytes, os.PathLike)):
            path = Path(os.path.abspath(os.fsdecode(args[0])))
            if event == "open" and path.is_dir():
                return  # a file without a name
            mine = path.is_relative_to(self._allowed) or str(path).startswith(self._own)
            pythons = path.is_relative_to("/dev") or "__pycache__" in path.parts  # what it compiles as it is imported
            if not mine and not pythons:
                self.elsewhere.append(f"{event} {path}")


class Game:
    """A monkey at the window, and what must hold afterwards."""

    def __init__(self, qtbot: QtBot, window: MainWindow, seed: int, trainers: list[Trainer], *, around: bool) -> None:
        self.qtbot, self.window, self.bench = qtbot, window, window.controls
        self.monkey = Monkey(window, seed)
        self.trainers = trainers
        self.bugs: list[str] = []
        self._seen: set[str] = set()
        self.log: deque[str] = deque(maxlen=20)
        self.bench.log.line_logged.connect(self._read)
        self.bench.runs.troubled.connect(self._note_trouble)
        self.bench.target.changed.connect(self._check_answer)
        self.witness = Witness(window, trainers, around=around)
        self.monkey.acted.connect(self._look)

    def play(self, preset: str, events: int) -> None:
        """Let it play with a run of this preset under way, then see that all is in order."""
        self.window.views.workbench.arrange()
        self.window.resize(1280, 800)
        self.bench.setup.set_config(tiny(preset), "Preset")
        self._wait(lambda: self.bench.setup.images is not None and not self.bench.starter.blocked)
        if self.bench.runs.run.unsaved:
            print("What the last run could not save is given up:", *self.log, sep="\n  ")
        self.bench.starter.start()
        self._wait(lambda: self.bench.runs.run.step >= 1 or not self.bench.runs.run.phase.active)
        assert self.bench.runs.run.phase.active
        with self.qtbot.waitSignal(self.monkey.finished, timeout=10 * PATIENCE_MS):
            self.monkey.play(events)
        QApplication.processEvents()
        self.monkey.close_all()
        self._wait(lambda: not self.bench.starter.busy)  # its last click may have been on Resume
        self._check_config()
        self._check_target()
        self._check_undo()
        self._end()

    def _wait(self, ready: Callable[[], bool]) -> None:
        try:
            self.qtbot.waitUntil(ready, timeout=PATIENCE_MS)
        except self.qtbot.TimeoutError:
            faulthandler.dump_traceback()
            raise

    def _read(self, line: LogLine) -> None:
        self.log.append(f"{line.text} {line.detail}")
        if "Traceback" in line.detail:
            self.bugs.append(f"{line.text}\n{line.detail}")

    def _note_trouble(self, event: Warned | Finished) -> None:
        """There is room on this disk, and nobody else writes here: whatever cannot be kept is a fault."""
        if isinstance(event, Warned) and event.unsaved:
            self.bugs.append(f"{event.error}\n  after {'; '.join(list(self.monkey.last)[-6:])}")

    def _check_config(self) -> None:
        config = self.bench.setup.config
        assert parse_config(json.loads(config.to_json()), "the window's") == config

    def _check_target(self) -> None:
        """What the table shows is what is trained towards, unless the run refuses it, or it is of what is looked at."""
        running, target = self.bench.runs.config, self.bench.target
        self._let_end()
        if self.bench.runs.run.phase is not RunPhase.RUNNING and self.bench.runs.run.phase is not RunPhase.PAUSED:
            return
        assert running is not None
        if running.dataset != self.bench.setup.config.dataset or self.bench.setup.dataset is None or target.data.fixed:
            return

        def settled() -> bool:
            tilt = target.tilt
            return tilt is None or not tilt.pending or tilt.fault is not None

        self._wait(settled)
        tilt = target.tilt
        if tilt is not None and not tilt.pending and not tilt.refused and self.bench.runs.run.phase.active:
            trained, shown = self.trainers[-1].perturbation, target.perturbation
            assert trained.offsets == shown.offsets
            assert trained.energy == shown.energy
            assert trained.gauge is shown.gauge

    def _look(self) -> None:
        """After every event: whatever is shown is of the subject, or says whose it is."""
        for fault in self.witness.look():
            if fault not in self._seen:
                self._seen.add(fault)
                self.bugs.append(f"{fault}\n  {self.after}")

    @property
    def after(self) -> str:
        return f"after {'; '.join(list(self.monkey.last)[-6:])}"

    def _let_end(self) -> None:
        """What goes on beside the window ends, or can be cancelled: a judge may take minutes beside a run."""
        bench = self.bench

        def ended() -> bool:
            return bench.tasks.view is None and not bench.energies.busy

        try:
            self.qtbot.waitUntil(ended, timeout=PATIENCE_MS // 4)
        except self.qtbot.TimeoutError:
            doing = bench.tasks.view
            print(f"Cancelled: {doing}")
            bench.tasks.cancel()
            try:
                self._wait(ended)
            except self.qtbot.TimeoutError:
                raise AssertionError(f"{doing} neither ended nor could be cancelled") from None

    def _check_answer(self, tilt: TiltView | None) -> None:
        """What is shown as an answer was compared with this very target."""
        known = tilt is not None and tilt.fault is None and (tilt.energies is None) != tilt.perturbation.by_example
        if tilt is None or not known or not tilt.seen or tilt.dataset.plane is not None:
            return
        answered = tilt.seen[-1].target
        if answered.shape != tilt.summary.target.shape or np.abs(answered - tilt.summary.target).max() > 1e-6:
            self.bugs.append(f"{answered} is no answer to {tilt.summary.target}: {tilt.generated}")

    def _check_undo(self) -> None:
        """Undone to the first edit and redone to the last, the target is what it was."""
        stack = self.bench.setup.undo_stack
        while stack.canRedo():
            stack.redo()
        before = self.bench.setup.config.perturbation
        while stack.canUndo():
            stack.undo()
        while stack.canRedo():
            stack.redo()
        after = self.bench.setup.config.perturbation
        assert after.offsets == before.offsets
        assert after.terms == before.terms

    def _end(self) -> None:
        self.bench.starter.stop()
        self._wait(lambda: not self.bench.runs.busy)
        assert self.bench.runs.run.phase in (RunPhase.FINISHED, RunPhase.FAILED)
        self.monkey.close_all()  # a message may have come since its last event


def tiny(preset: str) -> RunConfig:
    """A preset whose steps are short and whose reports are many."""
    cadence = CadenceConfig(log_every=1, sample_every=0.5, samples=16)
    quick = {
        "cadence": cadence,
        "evaluation": EvaluationConfig(samples=100),
        "threads": 1,
        "precision": Precision.FLOAT32,
    }
    return with_settings(config_or_preset(preset).model_copy(update=quick), SETTINGS.get(preset, ()))


def play(
    qtbot: QtBot,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    events: int,
    seed: int,
    presets: tuple[str, ...],
    anywhere: bool = False,
) -> None:
    """The whole game; prints what was done. Anywhere it looks at the answer alone, and lets the window be slower."""

    def offline(*_: object) -> None:
        raise OSError("no network for a monkey")

    monkeypatch.setattr(socket.socket, "connect", offline)
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda *_: True)
    monkeypatch.chdir(home)
    begun, busy, writes = time.perf_counter(), time.process_time(), Writes(home.parent)
    with Troubles() as troubles, trainers_of_runs() as trainers, open_studio(tiny(presets[0]), home) as window:
        heart = Heart(LONGEST)
        bench = window.controls
        qtbot.waitUntil(lambda: bench.setup.dataset is not None and bench.tasks.view is None, timeout=PATIENCE_MS)
        game = Game(qtbot, window, seed, trainers, around=not anywhere)
        troubles.after = lambda: f"\n  {game.after}"
        heart.stalls.clear()
        heart.longest = 0.0
        try:
            for preset in presets:
                game.play(preset, events // len(presets))
        except BaseException:
            print("\nLast of all:", *game.monkey.last, "The log:", *game.log, "Faults:", *game.bugs, sep="\n  ")
            raise
        finally:
            heart.stop()
            writes.on = False
    spent, used = time.perf_counter() - begun, time.process_time() - busy
    sent = game.monkey.sent
    print(f"\n{sent} events in {spent:.0f} s ({used:.0f} s of processor time), seed {seed}")
    print(", ".join(f"{kind} {count}" for kind, count in game.monkey.counts.most_common()))
    print(f"{game.witness.looks} looks at what is shown, {len(trainers)} runs begun")
    print(f"Longest gap {1000 * heart.longest:.0f} ms")
    for stall in heart.stalls:
        print(stall)
    faults = [*troubles.warnings, *troubles.exceptions, *game.bugs, *writes.elsewhere]
    longest = LONGEST_ANYWHERE if anywhere else LONGEST
    faults += [stall.where for stall in heart.stalls if stall.busy > longest * slowness()]
    assert not faults, "\n".join(faults)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_that_600_random_events_break_nothing(
    qtbot: QtBot, private_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(qtbot, private_home, monkeypatch, events=600, seed=0, presets=PRESETS[:3], anywhere=True)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_that_5000_random_events_break_nothing(
    qtbot: QtBot, private_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed, events = int(os.environ.get("MONKEY_SEED", "1")), int(os.environ.get("MONKEY_EVENTS", "5000"))
    presets = tuple(os.environ.get("MONKEY_PRESETS", " ".join(PRESETS)).split())
    play(qtbot, private_home, monkeypatch, events=events, seed=seed, presets=presets)

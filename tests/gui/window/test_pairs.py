"""One deed after another, in every order: whatever is shown is of the subject, or says whose it is."""

import os
import random
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPointF, Qt, QTimer
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QDialog, QMessageBox, QToolButton

from studio.data.catalog import DatasetConfig
from studio.data.planar.config import MoonsConfig
from studio.errors import UserError
from studio.gui.live.plane.lessons import LESSONS
from studio.gui.target.offsets.columns import Column
from studio.gui.target.offsets.panel import OffsetsPanel
from studio.perturb.perturbation import Gauge
from studio.training.config.energy import LinearTermConfig
from studio.training.config.run_config import EvaluationConfig, HoldConfig
from studio.training.run import recovery
from tests.gui.hands import PATIENCE_MS, Hands, panel_of
from tests.library.made_runs import make_config, make_run
from tests.steady.desk import trainers_of_runs
from tests.steady.witness import Witness

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
SECONDS = 120.0
_EAGER = 0.15
"""To start, while nothing trains."""


class Deeds:
    """What a person may do next; nothing where it cannot be done."""

    def __init__(self, hands: Hands, old: Path) -> None:
        self.hands, self.bench, self.old = hands, hands.bench, old
        self.digits = hands.bench.setup.config.dataset
        self.table = panel_of(hands.window, OffsetsPanel.NAME).table
        setup, time_, library = self.bench.setup, self.bench.time, self.bench.library
        self.all: dict[str, Callable[[], object]] = {
            **{f"press {name}": lambda name=name: self.press(name) for name in _BUTTONS},  # type: ignore[misc]
            **{f"run {name}": lambda name=name: self.act(name) for name in _ACTIONS},  # type: ignore[misc]
            "go to": lambda: hands.window.views.go_to(random.choice(_PANELS)),
            "start": lambda: self.bench.runs.busy or self.bench.starter.blocked or hands.window.start(),
            "edit": lambda: self.enter(2, random.choice(("15", "30", "45"))),
            "edit another": lambda: self.enter(5, random.choice(("12", "25"))),
            "undo": setup.undo_stack.undo,
            "redo": setup.undo_stack.redo,
            "drag": self.drag,
            "drop": self.drop,
            "lock": lambda: self.bench.target.lock(1, on=random.random() < 0.5) if self.tiltable else None,
            "term": self.term,
            "temperature": lambda: self.energy(temperature=random.choice((1.0, 2.0))),
            "gauge": lambda: self.bench.target.set_gauge(random.choice(tuple(Gauge))),
            "look": lambda: time_.open(self.old) if self.old.exists() else None,
            "look at own": time_.show_live,
            "earlier": lambda: time_.seek(time_.view.last // 2),
            "first": lambda: time_.seek(0),
            "follow": time_.follow,
            "lesson": self.lesson,
            "preset": lambda: self.set_up(seed=random.randrange(9)),
            "other data": lambda: self.load(MoonsConfig()),
            "digits": lambda: self.load(self.digits),
            "rename": lambda: self.of_shown(lambda name: library.rename(name, random.choice(("mine", "")))),
            "trash": lambda: None if self.bench.runs.busy else self.of_shown(self.trash),
        }

    @property
    def tiltable(self) -> bool:
        tilt = self.bench.target.tilt
        return tilt is not None and not self.bench.data.fixed and tilt.dataset.labelled

    def press(self, name: str) -> None:
        button = self.hands.window.findChild(QToolButton, name)
        if button is not None and button.isEnabled() and button.isVisible():
            self.hands.qtbot.mouseClick(button, LEFT)

    def act(self, name: str) -> None:
        action = self.hands.window.actions_of_run[name]
        if action.isEnabled():
            action.trigger()

    def enter(self, row: int, text: str) -> None:
        self.drop()
        if self.tiltable and len(self.bench.target.class_offsets()) > row:
            self.hands.enter(row, Column.TARGET, text)

    def drag(self) -> None:
        view = self.bench.target.tilt
        if view is not None and self.tiltable and not self.table.dragging:
            start, viewport = self.table._scale(0).handle(view, 0).toPoint(), self.table.viewport()
            self.hands.qtbot.mousePress(viewport, LEFT, pos=start)
            place = QPointF(start.x() + 20, start.y())
            there = QPointF(viewport.mapToGlobal(place))
            move = QMouseEvent(QEvent.Type.MouseMove, place, there, NONE, LEFT, Qt.KeyboardModifier.NoModifier)
            QApplication.sendEvent(viewport, move)

    def drop(self) -> None:
        if self.table.dragging:
            self.hands.qtbot.mouseRelease(self.table.viewport(), LEFT)

    def energy(self, **change: object) -> None:
        if self.tiltable:
            energy = self.bench.setup.config.perturbation.energy_part()
            self.bench.target.set_energy(energy.model_copy(update=change), "Energy")

    def term(self) -> None:
        """There is one, it is off, or none."""
        term = LinearTermConfig(feature="ink", slope=0.02, enabled=random.random() < 0.5)
        if self.tiltable and self.bench.target.tilt.dataset.plane is None:
            self.energy(terms=random.choice(((), (term,))))

    def set_up(self, **change: object) -> bool:
        if not self.bench.runs.busy:
            self.bench.setup.set_config(self.bench.setup.config.model_copy(update=change), "Preset")
        return not self.bench.runs.busy

    def load(self, data: DatasetConfig) -> None:
        if not self.bench.runs.busy:
            self.bench.setup.set_dataset(data)

    def lesson(self) -> None:
        lessons = self.bench.lessons
        if lessons.lesson is not None:
            lessons.close()
        else:
            lessons.open(LESSONS[-1], lambda: self.set_up(seed=5))

    def of_shown(self, act: Callable[[str], object]) -> None:
        folder = self.bench.time.folder
        if folder is not None and folder.exists():
            act(folder.name)

    def trash(self, name: str) -> None:
        self.bench.time.leave()
        self.bench.library.trash([name])


_BUTTONS = (
    "subject_resume", "subject_like", "subject_leave", "offsets_hold", "samples_once", "samples_averaged",
    "at_once_train", "theory_back",
)  # fmt: skip
_PANELS = ("theory", "weights", "shares", "share_error", "samples", "examples", "energy", "losses", "offsets")
_ACTIONS = ("pause", "step", "stop", "evaluate", "restore", "sample")


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("kept_judge", "all_panels")
def test_that_after_any_two_deeds_all_that_is_shown_is_of_the_subject(
    quick_hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    hands, bench = quick_hands, quick_hands.bench
    monkeypatch.setattr(recovery, "_SECONDS", 0.0)
    monkeypatch.setattr("studio.gui.library.library_control._to_trash", _to_trash)
    bench.setup.edit(evaluation=EvaluationConfig(budget=20, samples=50), hold=HoldConfig(every=5, samples=50))
    deeds = Deeds(hands, make_run(bench.setup.runs_root, "old", make_config("an old run"), steps=1000))
    seed, seconds = int(os.environ.get("PAIRS_SEED", "1")), float(os.environ.get("PAIRS_SECONDS", SECONDS))
    random.seed(seed)
    left = {(one, other) for one in deeds.all for other in deeds.all}
    done, faults, began = ["start"], list[str](), time.monotonic()
    answers = QTimer(interval=5)
    answers.timeout.connect(_answer)
    answers.start()
    with trainers_of_runs() as trainers:
        witness = Witness(hands.window, trainers)
        while left and time.monotonic() < began + seconds and len(faults) < 5:
            nexts = [name for name in deeds.all if (done[-1], name) in left] or list(deeds.all)
            done.append("start" if not bench.runs.busy and random.random() < _EAGER else random.choice(nexts))
            left.discard((done[-2], done[-1]))
            with suppress(UserError):  # it cannot be done, as it says
                deeds.all[done[-1]]()
            for wait in (0, random.choice((0, 5, 40, 150))):
                hands.qtbot.wait(wait)
                faults += [f"{fault}, after {done[-8:]}" for fault in witness.look()]
        print(f"{len(done)} deeds, {len(deeds.all) ** 2 - len(left)} pairs, {len(trainers)} runs, seed {seed}")
        deeds.drop()
        bench.starter.stop()
        hands.qtbot.waitUntil(lambda: not bench.runs.busy, timeout=PATIENCE_MS)
    answers.stop()
    assert not faults, "\n".join(faults)


def _to_trash(path: Path) -> bool:
    shutil.rmtree(path)
    return True


def _answer() -> None:
    """Press a button of whatever asks."""
    box = QApplication.activeModalWidget()
    if isinstance(box, QMessageBox):
        random.choice(box.buttons()).click()
    elif isinstance(box, QDialog):
        box.reject()

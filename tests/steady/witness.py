"""What the window should say of its subject, by the run's own files and trainer, against what its widgets show.

Whatever is asked here is true at any moment, also in the middle of an edit, of a drag, or of what a run tells.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLabel, QToolButton

from studio.evaluation.record import evaluation_of
from studio.gui.live.weights import WeightsPanel
from studio.gui.run.run_control import RunControl
from studio.gui.state.run_view import RunPhase
from studio.gui.state.subject import Aspect
from studio.gui.state.tilt_view import Generated, TiltView
from studio.gui.target.offsets.panel import OffsetsPanel
from studio.gui.target.offsets.summary import Sentence
from studio.gui.target.theory.panel import TheoryPanel
from studio.gui.target.theory.view import with_error
from studio.gui.widgets.live_panel import LivePanel
from studio.gui.window.main_window import MainWindow
from studio.number_text import compact
from studio.perturb.perturbation import Perturbation, target_shares
from studio.training.engine.trainer import Trainer
from studio.training.messages.events import Evaluated
from studio.training.storage.metrics import newest_evaluations
from tests.gui.hands import find, panel_of
from tests.steady.surroundings import Surroundings, seen, stamp


class Witness:
    """Remembers what runs have told, and looks at the window.

    Args:
        trainers: of the runs that were begun, the newest last.
        around: look at what stands around the answer, too.
    """

    def __init__(self, window: MainWindow, trainers: list[Trainer], *, around: bool = True) -> None:
        self.window, self.bench, self.trainers = window, window.controls, trainers
        self.looks = 0
        self._told: dict[tuple[Path | None, int, int], Evaluated] = {}  # by run, step and revision of the target
        self.bench.runs.evaluation_arrived.connect(self._hear)
        self.bench.runs.went_back.connect(self._forget)
        self._around = Surroundings(window, self._newest) if around else None

    def _hear(self, message: object) -> None:
        if isinstance(message, Evaluated):
            key = self.bench.runs.run.folder, message.step, message.revision
            self._told.pop(key, None)  # the newest comes last
            self._told[key] = message

    def _forget(self, step: int) -> None:
        folder = self.bench.runs.run.folder
        self._told = {key: each for key, each in self._told.items() if key[0] != folder or each.step <= step}

    def _newest(self, folder: Path | None, step: int) -> Evaluated | None:
        """What a run that is under way has told last of a step or of one before, or another has kept."""
        active = self.bench.runs.run.phase.active and folder == self.bench.runs.run.folder
        if folder is None or not active:
            return next(reversed(_kept(folder, step, _stamp(folder))), None) if folder is not None else None
        told = [each for (of, _, _), each in self._told.items() if of == folder and each.step <= step]
        return max(reversed(told), key=lambda each: each.step, default=None)

    def look(self) -> list[str]:
        """What is wrong now, in a sentence each."""
        self.looks += 1
        return [
            *self._titles(),
            *self._panels(),
            *self._figures(),
            *self._buttons(),
            *self._answer(),
            *self._taken_up(),
            *self._at_once(),
            *self._theory(),
            *self._weights(),
            *(self._around.look() if self._around is not None else ()),
        ]

    # -- whose it is

    def _titles(self) -> list[str]:
        """Window, banner and time bar name one run."""
        subject, view, window = self.bench.subjects.subject, self.bench.time.view, self.window
        found = []
        if subject.title and not window.windowTitle().startswith(f"{subject.title} –"):
            found.append(f"The window is called {window.windowTitle()} beside {subject.name}")
        if window.banner.words.accessibleName() != subject.name:
            found.append(f"The banner says {window.banner.words.accessibleName()} of {subject.name}")
        if subject.aspect is not Aspect.SETUP and subject.title != view.title:
            found.append(f"The time bar is about “{view.title}” beside {subject.name}")
        if subject.aspect is not Aspect.SETUP and subject.folder != self.bench.time.folder:
            found.append(f"Panels show {self.bench.time.folder} beside {subject.folder}")
        if subject.others is not None and subject.others.title != view.title:
            found.append(f"Panels are of “{view.title}”, and said to be {subject.others.words}")
        return found

    def _panels(self) -> list[str]:
        """What is of a run is blank, or says whose it is where that is not the subject."""
        subject, found = self.bench.subjects.subject, []
        for name, dock in self.window.docks.items():
            panel = dock.widget() if dock.made else None
            if not isinstance(panel, LivePanel) or not panel.OF_RUN or not seen(panel):
                continue
            if name == "samples" and not panel.shown:  # type: ignore[attr-defined]
                continue  # sampled at once, say, which says itself whose it is
            if panel._owner != self.bench.subjects.others or panel.veil.isHidden() is bool(panel._owner):
                found.append(f"{name} says it is “{panel._owner}” beside {subject.name}, {subject.state}")
            if panel._owner and panel.figures:
                found.append(f"{panel.figures} stands in the head of {name}, which is {panel._owner}")
            if subject.aspect is Aspect.SETUP and subject.others is None:
                found.append(f"{name} shows something of nobody")
        return found

    def _figures(self) -> list[str]:
        """The figures of the toolbar are of the subject."""
        subject, run, found = self.bench.subjects.subject, self.bench.runs.run, []
        step, epoch = (find(self.window, QLabel, f"run_{name}").text() for name in ("step", "epoch"))
        if subject.aspect is Aspect.SETUP and (step, epoch) != ("–", "–"):
            found.append(f"Step {step}, epoch {epoch} stand beside the set-up")
        if not subject.live and (step, epoch) != (f"{subject.step:,}", "–"):
            found.append(f"Step {step}, epoch {epoch} stand beside {subject.name}, {subject.state}")
        if subject.live and subject.title and step not in ("–", f"{run.step:,}"):
            found.append(f"Step {step} stands beside a run at {run.step:,}")
        return found

    def _buttons(self) -> list[str]:
        """Each acts on what is on the screen, or says on what."""
        subject, run, found = self.bench.subjects.subject, self.bench.runs.run, []
        others = [name for name in ("step", "sample", "save", "restore") if self._action(name).isEnabled()]
        if others and run.phase.active and subject.aspect is Aspect.LOOKING:
            found.append(f"{others} act on the run that trains beside {subject.name}")
        trains = run.folder if run.phase.active else None
        if self._action("resume").isEnabled() and subject.resumable in (None, trains):
            found.append(f"Resume can be pressed beside {subject.name}")
        own = self.window.findChild(QToolButton, "shares_evaluate")
        able = [each for each in (self._action("evaluate"), own) if each is not None and each.isEnabled()]
        if subject.aspect is Aspect.SETUP and able:
            found.append(f"{[each.objectName() for each in able]} can be pressed beside the set-up, {subject.state}")
        return found

    def _action(self, name: str) -> QAction:
        action: QAction = find(self.window, QAction, f"run_{name}")
        return action

    # -- the answer

    def _answer(self) -> list[str]:
        """The table, its sentence and its bars are of one target; what answers it was found by this run, for this."""
        tilt, panel = self.bench.target.tilt, panel_of(self.window, OffsetsPanel.NAME)
        found = [] if panel._model.view is tilt else ["The table is of another target than the window"]
        if tilt is None:
            return found
        if tilt.dataset.labelled and panel.summary.answer.text() != Sentence.of(tilt).answer:
            found.append(f"The sentence is {panel.summary.answer.text()!r}, not {Sentence.of(tilt).answer!r}")
        wanted = _shares(tilt.perturbation, tilt)
        if wanted is not None and np.abs(wanted - tilt.summary.target).max() > 1e-9:
            found.append(f"Bars show {tilt.summary.target} of {tilt.perturbation.offsets}, which make {wanted}")
        reading = self.bench.setup.config.dataset != self.bench.setup.in_use
        found += self._cost(tilt, panel)
        free = not self.bench.data.fixed and not panel.table.dragging and not reading
        if free and tilt.perturbation.offsets != self.bench.target.class_offsets():
            found.append(f"{tilt.perturbation.offsets} are shown of {self.bench.target.class_offsets()}")
        if tilt.generated is not None and not tilt.generated.at_once:
            found += self._generated(tilt, tilt.generated)
        return found

    def _cost(self, tilt: TiltView, panel: OffsetsPanel) -> list[str]:
        """ESS/n of what examples are weighted by, what is pending, what is held, and what undo would take back."""
        found, trained, head = [], tilt.trained, panel.head
        if trained.energies is None and not trained.perturbation.by_example:
            counts, logs = tilt.dataset.counts, -trained.perturbation.class_energies
            mass, square = (float(counts @ np.exp(power * (logs - logs[counts > 0].max()))) for power in (1, 2))
            worth = mass**2 / (counts.sum() * square)
            if abs(worth - trained.summary.efficiency) > 1e-9:
                found.append(f"ESS/n is {trained.summary.efficiency} of {trained.perturbation}, not {worth}")
        if panel.summary.pending.isHidden() is (tilt.pending or tilt.refused):
            found.append(f"“{panel.summary.pending.text()}” stands or not beside {tilt.pending}, {tilt.refused}")
        if head.hold.isChecked() is not self.bench.data.config.hold.on:
            found.append(f"Hold is pressed or not beside {self.bench.data.config.hold}")
        if self.bench.setup.undo_stack.undoText() not in head.undo.toolTip():
            found.append(f"{head.undo.toolTip()} stands on undo of {self.bench.setup.undo_stack.undoText()}")
        return found

    def _generated(self, tilt: TiltView, shown: Generated) -> list[str]:
        """As evaluated at that step of the run that is shown, by what that has told or kept."""
        folder = self.bench.time.folder
        heard = self._told.get((folder, shown.step, shown.revision))
        if heard is None and folder is not None:
            alike = [each for each in _kept(folder, shown.step, _stamp(folder)) if each.revision == shown.revision]
            heard = alike[-1] if alike and alike[-1].step == shown.step else None
        if heard is None:
            return [f"Nobody evaluated step {shown.step} of {folder}"] if folder is not None else []
        kept, found = heard.evaluation, []
        newest = self._newest(folder, self.bench.time.view.step) if self._around is not None else None
        if newest is not None and newest.step > shown.step and not self.bench.time._reading.busy:
            found.append(f"Shares of step {shown.step} stand where step {newest.step} was evaluated")
        if not np.array_equal(kept.shares.corrected[:-1], shown.shares):
            found.append(f"{shown.shares} are shown of {kept.shares.corrected}")
        known = not shown.stale and tilt.fault is None and _known(tilt)
        if known and np.abs(kept.target[:-1] - tilt.summary.target).max() > 1e-6:
            found.append(f"An answer to {kept.target} stands beside {tilt.summary.target}")
        if self.bench.subjects.subject.others is not None and not shown.stale:
            found.append("Shares of another than the set-up stand undimmed")
        return found

    def _taken_up(self) -> list[str]:
        """A target that is not pending is what is trained towards, and a revision is of one target."""
        if not _trains(self.bench.runs) or not self.trainers:
            return []
        tilt, target, trainer = self.bench.target.tilt, self.bench.target.perturbation, self.trainers[-1]
        trained = trainer.perturbation
        known = self.bench.data.targets.of(trained.revision)
        if known is not None and known.resolve(trainer.data.class_names).offsets != trained.offsets:
            return [f"{trained} is trained towards, and that revision is {known}"]
        loose = tilt is None or tilt.pending or tilt.refused or tilt.hint
        same = loose or replace(trained, revision=0) == replace(target, revision=0)
        return [] if same else [f"{target} is not pending, and {trained} is trained towards"]

    def _at_once(self) -> list[str]:
        """At once is about the target that is set up, by the run that it names."""
        once, tilt, found = self.bench.once, self.bench.target.tilt, []
        if tilt is not None and tilt.generated is not None and tilt.generated.at_once and not once.view.on:
            found.append("An answer at once stands where it is off")
        if not once.view.on:
            return found
        source, folder = once._source, self.bench.time.folder
        if source is None or (folder is not None and folder != source.folder):
            found.append(f"At once asks {source} beside {folder}")
        told = find(self.window, QLabel, "at_once_caption").text()
        if source is not None and not told.startswith(f"“{once.view.title}”"):
            found.append(f"At once says {told} of {once.view.title}")
        if not find(self.window, QToolButton, "samples_once").isChecked():
            found.append("At once is on, and its button is not")
        return found

    def _theory(self) -> list[str]:
        """⟨f⟩ of what is generated stands beside the very target that it answers."""
        dock, tilt, found = self.window.docks["theory"], self.bench.target.tilt, list[str]()
        if not dock.made or tilt is None:
            return []
        stale = tilt.generated is not None and tilt.generated.stale
        if stale and self.bench.means.generated("class:0") is not None:
            found.append(f"⟨f⟩ of what is generated is shown beside {tilt.generated}")
        panel = dock.widget()
        assert isinstance(panel, TheoryPanel)
        if seen(panel):
            name, chip = panel.controls.choice.currentData(), panel.legend.chips["generated"]
            mean = self.bench.means.generated(name)
            said = "–" if mean is None else with_error(mean, panel._unit)
            if not chip.text().endswith(said):
                found.append(f"Theory says {chip.text()} of {said}")
        return found

    def _weights(self) -> list[str]:
        """What the data is worth, on the card of weights, is of the target that is shown."""
        dock, tilt = self.window.docks["weights"], self.bench.target.tilt
        panel = dock.widget() if dock.made else None
        if not isinstance(panel, WeightsPanel) or not seen(panel):
            return []
        said = "" if tilt is None else f"{compact(100 * tilt.trained.summary.efficiency, 2)}\u00a0%"
        return [] if panel.figures.endswith(said) else [f"The card of weights says {panel.figures}, not {said}"]


def _trains(runs: RunControl) -> bool:
    return runs.run.phase in (RunPhase.RUNNING, RunPhase.PAUSED)


def _known(tilt: TiltView) -> bool:
    """Whether what the target's terms make of the shares is known."""
    return (tilt.energies is None) != tilt.perturbation.by_example and tilt.dataset.plane is None


def _shares(target: Perturbation, tilt: TiltView) -> np.ndarray[tuple[int], np.dtype[np.float64]] | None:
    """p′ by class offsets alone; None where terms count."""
    if tilt.energies is not None or target.by_example:
        return None
    return target_shares(tilt.dataset.counts, target.class_energies)


def _stamp(folder: Path) -> float:
    return stamp(folder / "metrics.sqlite")


@lru_cache(maxsize=64)
def _kept(folder: Path, step: int, at: float) -> list[Evaluated]:
    """The last evaluations at or before a step, the oldest first."""
    found = newest_evaluations(folder, step, 9) if at else []
    return [
        Evaluated(step=each.step, seconds=each.seconds, revision=each.revision, evaluation=evaluation_of(each.record))
        for each in found
    ]

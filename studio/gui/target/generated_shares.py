"""What a run generates, beside the target that is shown, and by how much it corrects that."""

from __future__ import annotations

import math
from dataclasses import replace

from PySide6.QtCore import QObject, Signal, Slot

from studio.gui.evaluation.evaluation_control import EvaluationControl
from studio.gui.run.run_control import RunControl
from studio.gui.state.subject import Aspect
from studio.gui.state.tilt_view import Generated
from studio.gui.timeline.subject_control import SubjectControl
from studio.gui.timeline.subject_data import SubjectData
from studio.gui.timeline.time_cursor import TimeCursor
from studio.training.messages.events import Evaluated
from studio.training.messages.marks import MarkKind
from studio.training.storage.metrics import held_column

BEFORE = "of step {:,}, of the target before"
AFTER = "of step {:,}, of the target after it"


class GeneratedShares(QObject):
    """Of the run at the time cursor.

    Attributes:
        at_once: of this target without training, in place of what was evaluated.
        correction: applied − asked ΔH per class; zeros where nothing is corrected, or it is another's.
    """

    changed = Signal()  # it is another, or of another target, than when it was last asked for
    corrected = Signal()  # otherwise than before

    def __init__(
        self,
        runs: RunControl,
        evaluations: EvaluationControl,
        time: TimeCursor,
        subjects: SubjectControl,
        data: SubjectData,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._runs, self._evaluations, self._time, self._subjects, self._data = runs, evaluations, time, subjects, data
        self.at_once: Generated | None = None
        self.correction: tuple[float, ...] = ()
        self._error = math.nan  # of points, that was told of
        self._shown: tuple[Evaluated | None, str] = (None, "")  # and its note
        evaluations.shown_changed.connect(self._look)
        subjects.subject_changed.connect(self._look)
        time.history_shown.connect(self._on_history)

    def now(self) -> Generated | None:
        """What is generated, if by a run of the data set in use."""
        if self.at_once is not None:
            return self.at_once
        evaluated, dataset = self._evaluations.shown, self._data.view
        latest, note = self._shown = (evaluated.latest, self._note(evaluated.latest))
        if latest is None or dataset is None or self.of_other_data:
            return None
        if latest.evaluation.class_names != dataset.class_names:  # a judge of other data told them apart
            return None
        return Generated.of(latest, note, evaluated.recent)

    @Slot()
    def _look(self) -> None:
        latest, (before, self._error) = self._evaluations.shown.latest, (self._error, self.point_error)
        another = repr(self._error) != repr(before)  # NaN is not itself
        if another or latest is not self._shown[0] or self._note(latest) != self._shown[1]:
            self.changed.emit()

    def answers(self, revision: int) -> bool:
        """Whether what was trained towards a target of this revision answers the one that is shown, on these data."""
        others = self._subjects.subject.others
        return others is None and not self.of_other_data and self._data.is_target(revision)

    @property
    def of_other_data(self) -> bool:
        return self._time.config is not None and not self._data.is_of_run

    @property
    def point_error(self) -> float:
        """Exact total variation of the shares of points at the time cursor; NaN where not known, or another's."""
        history = self._time.history
        shown = history.cursor if self._data.fixed and history.cursor is not None else math.inf
        edits = (mark.step for mark in history.marks if mark.kind in (MarkKind.EDIT, MarkKind.RETURN))
        edited = any(history.step <= step < shown for step in edits)
        another = edited or self.of_other_data or self._subjects.subject.others is not None
        return math.nan if another else history.current("plane_tv")

    @Slot()
    def _on_history(self) -> None:
        """Holding has moved on, perhaps, or another step is looked at."""
        before = self.correction
        self.find_correction()
        if self.correction != before:
            self.corrected.emit()
        self._look()

    def find_correction(self) -> None:
        """At the time cursor, of the data set that is shown."""
        names = self._data.view.class_names if self._data.view is not None else ()
        history = self._time.history
        known = any(held_column(0, name) in history.history.names for name in names[:1])
        if self._subjects.subject.aspect is Aspect.TRAINING and history.cursor is None:  # what is to come is shown
            known = known and history.step > self._runs.released
        if not known or self.of_other_data or self._subjects.subject.others is not None:
            self.correction = (0.0,) * len(names)
            return
        found = (history.current(held_column(place, name)) for place, name in enumerate(names))
        self.correction = tuple(0.0 if math.isnan(value) else value for value in found)

    def _note(self, latest: Evaluated | None) -> str:
        """Why what is generated is no answer to the target; empty if it is."""
        others = self._subjects.subject.others
        if latest is None:
            return ""
        if others is not None:
            return replace(others, step=latest.step).words
        if self._data.is_target(latest.revision):
            return ""
        edited = self._data.fixed and latest.revision > self._data.revision  # at its own step, before it was evaluated
        return (AFTER if edited else BEFORE).format(latest.step)

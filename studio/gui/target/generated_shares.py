"""What a run generates, beside the target that is shown, and by how much it corrects that."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from studio.gui.evaluation.evaluation_control import EvaluationControl
from studio.gui.state.generated import Generated
from studio.gui.timeline.subject_control import SubjectControl
from studio.gui.timeline.subject_data import SubjectData
from studio.gui.timeline.time_cursor import TimeCursor
from studio.training.messages.events import Evaluated
from studio.training.storage.metrics import held_column

BEFORE = "of step {:,}, of the target before"


class GeneratedShares:
    """Of the run at the time cursor.

    Attributes:
        at_once: of this target without training, in place of what was evaluated.
    """

    def __init__(
        self,
        evaluations: EvaluationControl,
        time: TimeCursor,
        subjects: SubjectControl,
        data: SubjectData,
    ) -> None:
        self._evaluations, self._time, self._subjects, self._data = evaluations, time, subjects, data
        self.at_once: Generated | None = None
        self._shown: tuple[Evaluated | None, str] = (None, "")  # and its note

    def now(self) -> Generated | None:
        """What is generated, if by a run of the data set in use."""
        if self.at_once is not None:
            return self.at_once
        latest, note = self._shown = (self._evaluations.shown.latest, self._note())
        dataset = self._data.view
        if latest is None or dataset is None or self.of_other_data:
            return None
        if latest.evaluation.class_names != dataset.class_names:  # a judge of other data told them apart
            return None
        return Generated.of(latest, note, self._evaluations.shown.recent)

    @property
    def has_news(self) -> bool:
        """Whether it is another, or of another target, than when it was last asked for."""
        return self._evaluations.shown.latest is not self._shown[0] or self._note() != self._shown[1]

    def answers(self, revision: int) -> bool:
        """Whether what was trained towards a target of this revision answers the one that is shown, on these data."""
        others = self._subjects.subject.others
        return others is None and not self.of_other_data and self._data.is_target(revision)

    @property
    def of_other_data(self) -> bool:
        return self._time.config is not None and not self._data.is_of_run

    def correction(self, names: Sequence[str]) -> tuple[float, ...]:
        """Applied − asked ΔH per class at the time cursor; zeros where nothing is corrected, or it is another's."""
        history = self._time.history
        known = any(held_column(0, name) in history.history.names for name in names[:1])
        if not known or self.of_other_data or self._subjects.subject.others is not None:
            return (0.0,) * len(names)
        found = (history.current(held_column(place, name)) for place, name in enumerate(names))
        return tuple(0.0 if math.isnan(value) else value for value in found)

    def _note(self) -> str:
        """Why what is generated is no answer to the target; empty if it is."""
        latest, others = self._evaluations.shown.latest, self._subjects.subject.others
        if latest is None:
            return ""
        if others is not None:
            return replace(others, step=latest.step).words
        return "" if self._data.is_target(latest.revision) else BEFORE.format(latest.step)

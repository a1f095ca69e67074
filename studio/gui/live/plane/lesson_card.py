"""The card of the lesson that is open: its steps, and a button for what each of them says."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QFrame, QGridLayout, QWidget

from studio.gui.live.plane.lesson_control import LessonControl
from studio.gui.live.plane.lessons import Lesson, ModelChange, OffsetChange, Opening, Trial
from studio.gui.widgets.buttons import tool_button
from studio.gui.widgets.labels import wrapped_label
from studio.gui.widgets.theme import ThemeManager


class LessonCard(QFrame):
    """What is set up, what will be seen, and what to try then; hidden until there is a lesson."""

    def __init__(self, lessons: LessonControl, theme: ThemeManager, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lessons, self._runs = lessons, lessons.runs
        self.setObjectName("lesson_card")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        tip = "Close the lesson; the set-up from before it comes back."
        close = tool_button("lesson_close", "Close", tip, lessons.close)
        self.start = tool_button("lesson_start", "Start", "Train what the lesson has set up.", lessons.start_asked)
        tip = "Do what this step says; a run that is in the way is stopped first."
        self.tries = tool_button("lesson_try", "", tip, lessons.try_out)
        self.texts = tuple(wrapped_label(f"lesson_step_{number}") for number in (1, 2, 3))
        grid = QGridLayout(self)
        half = theme.tokens.spacing // 2
        grid.setContentsMargins(theme.tokens.spacing, half, half, half)
        grid.setVerticalSpacing(half)
        grid.setColumnStretch(0, 1)
        for row, (text, button) in enumerate(zip(self.texts, (close, self.start, self.tries), strict=True)):
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            grid.addWidget(text, row, 0)
            grid.addWidget(button, row, 1, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight)
        lessons.changed.connect(self._show)
        lessons.runs.run_changed.connect(self._show_button)
        self._show(lessons.lesson)

    @Slot(object)
    def _show(self, lesson: Lesson | None) -> None:
        self.setVisible(lesson is not None)
        if lesson is None:
            return
        self.setAccessibleName(f"Lesson: {lesson.title}")
        texts = f"{lesson.title}. {lesson.setting}", lesson.sight, lesson.trial
        for label, text in zip(self.texts, texts, strict=True):
            label.setText(text)
        self.tries.setVisible(lesson.tries is not None)
        self._show_button()

    @Slot()
    def _show_button(self) -> None:
        """What the last step does, which may have to stop a run first."""
        active = self._runs.run.phase.active
        self.start.setEnabled(not active)
        lesson = self._lessons.lesson
        if lesson is not None and lesson.tries is not None:
            self.tries.setText(_title(lesson.tries, active=active))
            self.tries.setAccessibleName(self.tries.text())


def _title(tries: Trial, *, active: bool) -> str:
    match tries:
        case ModelChange():
            return "Set it and start again"
        case OffsetChange(class_name=name, offset=offset):
            return f"Set ΔH of {name} to {offset:g}".replace("-", "−")
        case Opening():
            return "Stop, save and open it" if active else "Open it"

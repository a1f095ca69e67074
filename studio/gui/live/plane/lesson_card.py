"""The card of the lesson that is open: its steps, and a button for what each of them says.

Where there is little room it has one step at a time, with its button below it.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QFrame, QGridLayout, QWidget

from studio.gui.live.plane.lesson_control import LessonControl
from studio.gui.live.plane.lessons import Lesson, ModelChange, OffsetChange, Opening, Trial
from studio.gui.widgets.buttons import tool_button
from studio.gui.widgets.labels import wrapped_label
from studio.gui.widgets.theme import ThemeManager
from studio.number_text import plain


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
        for text in self.texts:
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._buttons = (close, self.start, self.tries)
        self.next = tool_button("lesson_next", "", "Show the next step of the lesson.", self._go_on)
        self._small, self._step = False, 0  # the step that a small card shows
        self._grid = QGridLayout(self)
        half = theme.tokens.spacing // 2
        self._grid.setContentsMargins(theme.tokens.spacing, half, half, half)
        self._grid.setVerticalSpacing(half)
        self._grid.setColumnStretch(0, 1)
        self._lay_out()
        lessons.changed.connect(self._show)
        lessons.runs.run_changed.connect(self._show_button)
        self._show(lessons.lesson)

    def set_small(self, small: bool) -> None:
        """Make do with little room, or no longer."""
        if small is not self._small:
            self._small = small
            self._lay_out()

    def _lay_out(self) -> None:
        """A step is a row, or a page of its text above its button."""
        grid, small, right = self._grid, self._small, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop
        for row, (text, button) in enumerate(zip(self.texts, self._buttons, strict=True)):
            grid.addWidget(text, row, 0, 1, 2 if small else 1)
            grid.addWidget(button, 3 if small else row, 1, right)
            shown = not small or row == self._step
            text.setVisible(shown)
            button.setVisible(shown and not self._lacks(button))
        grid.addWidget(self.next, 3, 0, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.next.setVisible(small)
        self.next.setText(f"Step {self._step + 1} of {len(self.texts)} ›")
        grid.setRowStretch(4, int(small))

    def _lacks(self, button: QWidget) -> bool:
        """Whether there is nothing to try by a button."""
        return button is self.tries and (self._lessons.lesson is None or self._lessons.lesson.tries is None)

    @Slot()
    def _go_on(self) -> None:
        self._step = (self._step + 1) % len(self.texts)
        self._lay_out()

    @Slot(object)
    def _show(self, lesson: Lesson | None) -> None:
        self.setVisible(lesson is not None)
        if lesson is None:
            return
        self.setAccessibleName(f"Lesson: {lesson.title}")
        texts = f"{lesson.title}. {lesson.setting}", lesson.sight, lesson.trial
        for label, text in zip(self.texts, texts, strict=True):
            label.setText(text)
        self._step = 0
        self._lay_out()
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
            return f"Set ΔH of {name} to {plain(offset)}"
        case Opening():
            return "Stop, save and open it" if active else "Open it"

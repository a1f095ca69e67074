"""The card that says what to see in the lesson that is open."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QWidget

from studio.gui.live.plane.lesson_control import LessonControl
from studio.gui.live.plane.lessons import Lesson
from studio.gui.widgets.buttons import tool_button
from studio.gui.widgets.theme import ThemeManager


class LessonCard(QFrame):
    """A lesson's title and its three sentences; hidden until there is one."""

    def __init__(self, lessons: LessonControl, theme: ThemeManager, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("lesson_card")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.text = QLabel(wordWrap=True)
        self.text.setObjectName("lesson_text")
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        close = tool_button("lesson_close", "Close", "Close the lesson; the set-up from before it comes back.")
        close.clicked.connect(lessons.close)
        row = QHBoxLayout(self)
        half = theme.tokens.spacing // 2
        row.setContentsMargins(theme.tokens.spacing, half, half, half)
        row.addWidget(self.text, 1)
        row.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        lessons.changed.connect(self._show)
        self._show(lessons.lesson)

    @Slot(object)
    def _show(self, lesson: Lesson | None) -> None:
        self.setVisible(lesson is not None)
        if lesson is None:
            return
        self.setAccessibleName(f"Lesson: {lesson.title}")
        self.text.setText(f"{lesson.title}. {lesson.text}")

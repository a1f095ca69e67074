"""The card that says what to see in the lesson that is open."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QWidget

from studio.gui.live.plane.lessons import Lesson
from studio.gui.widgets.buttons import tool_button
from studio.gui.widgets.theme import ThemeManager


class LessonCard(QFrame):
    """A lesson's title and its three sentences; hidden until there is one."""

    def __init__(self, theme: ThemeManager, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("lesson_card")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.text = QLabel(wordWrap=True)
        self.text.setObjectName("lesson_text")
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        close = tool_button("lesson_close", "Close", "Hide the lesson's text; what it set up stays.")
        close.clicked.connect(self.hide)
        row = QHBoxLayout(self)
        half = theme.tokens.spacing // 2
        row.setContentsMargins(theme.tokens.spacing, half, half, half)
        row.addWidget(self.text, 1)
        row.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        self.hide()

    @Slot(object)
    def show_lesson(self, lesson: Lesson) -> None:
        """Say what to see."""
        self.setAccessibleName(f"Lesson: {lesson.title}")
        self.text.setText(f"{lesson.title}. {lesson.text}")
        self.show()

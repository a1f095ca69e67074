"""The menu of lessons, and the card that says what to see in the one that is open."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QSizePolicy, QWidget

from studio.gui.live.plane.lessons import LESSONS, Lesson
from studio.gui.widgets.buttons import tool_button
from studio.gui.widgets.theme import ThemeManager
from studio.gui.window.config_files import ConfigFiles


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


def fill_lessons(menu: QMenu, files: ConfigFiles, show: Callable[[Lesson], None]) -> None:
    """Add an entry for each lesson.

    Args:
        menu: to add them to.
        files: takes over a lesson's configuration.
        show: says what to see, once it is set up.
    """
    menu.setToolTipsVisible(True)
    for lesson in LESSONS:
        action = menu.addAction(lesson.title, partial(_open, lesson, files, show))
        action.setToolTip(lesson.setting)
        action.setObjectName(f"lesson_{lesson.name}")


def _open(lesson: Lesson, files: ConfigFiles, show: Callable[[Lesson], None]) -> None:
    if files.open(lesson.path, preset=True):
        show(lesson)

"""The menu of lessons."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtWidgets import QMenu

from studio.gui.live.plane.lessons import LESSONS, Lesson
from studio.gui.window.config_files import ConfigFiles


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

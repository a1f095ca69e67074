"""The menu of lessons."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtWidgets import QMenu

from studio.gui.live.plane.lesson_control import LessonControl
from studio.gui.live.plane.lessons import LESSONS
from studio.gui.window.config_files import ConfigFiles


def fill_lessons(menu: QMenu, files: ConfigFiles, lessons: LessonControl) -> None:
    """Add an entry for each lesson."""
    menu.setToolTipsVisible(True)
    opening: dict[str, Callable[[], None]] = {}
    for lesson in LESSONS:
        take = partial(files.open, lesson.path, preset=True)
        opening[lesson.name] = partial(lessons.open, lesson, take)
        action = menu.addAction(lesson.title, partial(files.when_free, opening[lesson.name]))
        action.setToolTip(lesson.setting)
        action.setObjectName(f"lesson_{lesson.name}")
    lessons.open_asked.connect(lambda name: opening[name]() if name in opening else files.open_preset(name))

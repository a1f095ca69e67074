"""The window as benchmarks need it: off screen, light, and with a run under way."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from studio.gui.widgets.theme import ThemeManager
    from studio.gui.window.controls import Controls


def application() -> tuple[QApplication, ThemeManager]:
    """The process's application in its light look."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from studio.gui.widgets.theme import ThemeManager, ThemeMode  # isort: skip - before Qt, whose hook on imports goes
    from PySide6.QtWidgets import QApplication

    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    theme = ThemeManager(ThemeMode.LIGHT)
    theme.apply(app)
    return app, theme


def wait_until_ready(bench: Controls) -> None:
    from tests.screenshots import _wait

    _wait("data and torch", lambda: bench.setup.dataset is not None and bench.tasks.view is None)


@contextmanager
def training(bench: Controls, first_steps: int) -> Iterator[None]:
    """Have a run train from its first steps on until the block ends."""
    from tests.screenshots import _wait

    wait_until_ready(bench)
    bench.starter.start()
    _wait("the first steps", lambda: bench.runs.run.step >= first_steps)
    yield
    bench.starter.stop()
    _wait("the end", lambda: not bench.starter.blocked)

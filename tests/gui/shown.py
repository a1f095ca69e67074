"""What a run would send, made up, for tests of the live panels."""

from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPoint
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QApplication, QToolTip, QWidget
from pytestqt.qtbot import QtBot

from studio.gui.state.history import History
from studio.training.messages.snapshot import PlannedExamples, SampleGrid, Snapshot

_MOVES = (QEvent.Type.LayoutRequest, QEvent.Type.Resize, QEvent.Type.Show, QEvent.Type.Paint)


def make_history(points: int = 300, **columns: float) -> History:
    """A history with everything that a run of a WGAN-GP logs."""
    rng = np.random.default_rng(0)
    history = History()
    for index in range(points):
        values = {
            "batch_size": 50.0 + rng.integers(8),
            "adjusted_size": 64 + rng.standard_normal(),
            "average_size": 64.0,
            "ess": 44 + rng.standard_normal(),
            "err": abs(rng.standard_normal()),
            "skipped": 0.0,
            "critic_gap": 9 * np.exp(-index / 50) + 1,
            "gradient_penalty": 0.1 + 0.01 * rng.random(),
            "loss_critic": 1.0,
            "loss_generator": -3 + 0.1 * rng.standard_normal(),
        }
        history.append(10 * index, values | columns)
    return history


def make_snapshot(step: int = 120, images: int = 9, **parts: Any) -> Snapshot:
    """A snapshot with a grid and a batch of 8×8 grey images."""
    rng = np.random.default_rng(step)
    pixels = rng.integers(0, 256, (2, images, 8, 8, 1), dtype=np.uint8)
    whole: dict[str, Any] = {
        "grid": SampleGrid(step=step - 20, raw=pixels[0], averaged=pixels[1]),
        "planned": PlannedExamples(
            images=pixels[0], labels=np.arange(images) % 10, weights=np.linspace(0.5, 1.5, images)
        ),
        "diagnosed": step - 20,
        "recent_weights": np.repeat([0.778, 3.03], [90, 10]),
    }
    return Snapshot(
        step=step,
        revision=1,
        seconds=3.0,
        epoch=0.5,
        examples=900,
        steps_per_second=40.0,
        examples_per_second=2500.0,
        **(whole | parts),
    )


def show(qtbot: QtBot, panel: QWidget, width: int = 480, height: int = 400) -> None:
    """Put a panel on the screen."""
    qtbot.addWidget(panel)
    panel.resize(width, height)
    panel.show()
    qtbot.waitExposed(panel)


def show_active(qtbot: QtBot, window: QWidget) -> None:
    """Put a window on the screen, with the keyboard."""
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()


class _Eye(QObject):
    """Sees whether anything is laid out or painted."""

    seen = False

    def eventFilter(self, _: QObject, event: QEvent) -> bool:
        self.seen = self.seen or event.type() in _MOVES
        return False


def come_to_rest(qtbot: QtBot) -> None:
    """Wait until nothing has been laid out or painted for three looks in a row."""
    eye, quiet = _Eye(), 0
    QApplication.instance().installEventFilter(eye)

    def at_rest() -> bool:
        nonlocal quiet
        QApplication.processEvents()
        quiet, eye.seen = 0 if eye.seen else quiet + 1, False
        return quiet == 3

    qtbot.waitUntil(at_rest)
    QApplication.instance().removeEventFilter(eye)


def tooltip_at(widget: QWidget, place: QPoint) -> str:
    """The tooltip that comes up when the mouse rests there."""
    # Qt hides a tooltip only after a while, so an old one is told from a new one by its text.
    QToolTip.showText(QPoint(), "none")
    QApplication.sendEvent(widget, QHelpEvent(QHelpEvent.Type.ToolTip, place, widget.mapToGlobal(place)))
    text = QToolTip.text()
    QToolTip.hideText()
    return "" if text == "none" else text

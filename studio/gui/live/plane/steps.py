"""Steps of one network alone, and slow motion: to see what each of the two players does."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QToolButton, QWidget

from studio.gui.run.run_control import RunControl
from studio.gui.state.run_view import RunPhase
from studio.gui.timeline.time_cursor import TimeCursor
from studio.gui.widgets.buttons import toggle_button, tool_button
from studio.gui.widgets.layouts import row_of
from studio.gui.widgets.theme import ThemeManager
from studio.names import spoken
from studio.training.messages.commands import SetDelay, Step

SLOW_SECONDS = 0.5


class PlaneSteps(QWidget):
    """A button for each network of the run's model, and one for slow motion; hidden while nothing runs, or another run
    is looked at.
    """

    def __init__(self, runs: RunControl, time: TimeCursor, theme: ThemeManager) -> None:
        super().__init__()
        self._runs, self._time = runs, time
        self._names: tuple[str, ...] = ()
        self.buttons: dict[str, QToolButton] = {}
        tip = f"Take a step each {SLOW_SECONDS:g} s, so that every one of them can be followed."
        self.slow = toggle_button("plane_slow", "Slow motion", tip, self._set_delay)
        self._row = row_of(self.slow, inside=self, spacing=2)
        for changed in (runs.run_changed, time.run_shown):
            changed.connect(self._show_run)
        self.hide()

    @Slot()
    def _show_run(self) -> None:
        run, running = self._runs.run, self._runs.config
        ready = run.phase in (RunPhase.RUNNING, RunPhase.PAUSED) and running is not None
        self.setVisible(ready and self._time.old is None)
        if not ready or running is None:
            self.slow.setChecked(False)
            return
        names = tuple(running.model.learning_rates)
        if names != self._names:
            self._names = names
            self._offer(names if len(names) > 1 else ())

    def _offer(self, names: tuple[str, ...]) -> None:
        """Buttons for these networks; a model of one network has the toolbar's step alone."""
        for button in self.buttons.values():
            self._row.removeWidget(button)
            button.hide()
            button.deleteLater()
        self.buttons = {}
        for name in names:
            plain = spoken(name)
            button = tool_button(
                f"plane_step_{name}",
                f"{plain.capitalize()} step",
                f"Train the {plain} alone for one step, then wait; the other network stays as it is.",
            )
            button.clicked.connect(lambda _=False, name=name: self._runs.send(Step(network=name)))
            self._row.addWidget(button)
            self.buttons[name] = button

    @Slot(bool)
    def _set_delay(self, on: bool) -> None:
        self._runs.send(SetDelay(seconds=SLOW_SECONDS if on else 0.0))

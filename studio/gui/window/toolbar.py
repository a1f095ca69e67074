"""The toolbar at the top: what is set up, the run's buttons, what the window is about, and which view it has."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QGridLayout, QToolButton

from studio.data.catalog import dataset_spec
from studio.gui.run.run_actions import RunActions
from studio.gui.state.run_view import RunView
from studio.gui.state.subject import Aspect
from studio.gui.widgets.buttons import menu_button, toggle_button, tool_button
from studio.gui.widgets.labels import Elided
from studio.gui.widgets.layouts import row_of
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import set_help
from studio.gui.window.banner import Banner
from studio.gui.window.controls import Controls
from studio.gui.window.status import RunFigures
from studio.models.catalog import model_title

_BIG = ("start", "pause", "stop")
_ARROW = " ▸ "
_WORDS = ("Start", "Pause", "Resume")
"""What stands on the button that begins, holds and goes on, which keeps its place and its width."""


class ActionButton(QToolButton):
    """A button with a word that does what an action does.

    Args:
        role: "primary" stands out, as what one most likely wants; "big" is beside it.
    """

    let_go = Signal()  # of the keyboard, as it can do nothing now

    def __init__(self, action: QAction, theme: ThemeManager, role: str = "") -> None:
        super().__init__()
        self.action_shown, self._theme, self._role = action, theme, role
        self.setObjectName(f"{action.objectName()}_button")
        self.setProperty("role", role)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.clicked.connect(action.trigger)
        action.changed.connect(self._mirror)
        theme.changed.connect(self._mirror)
        self._mirror()

    @Slot()
    def _mirror(self) -> None:
        action, tokens = self.action_shown, self._theme.tokens
        self.setText(action.text())
        self.setToolTip(action.toolTip())
        if self.hasFocus() and not action.isEnabled():
            self.clearFocus()  # Qt would hand it to whatever is next
            self.let_go.emit()
        self.setEnabled(action.isEnabled())
        name = str(action.property("iconName"))
        self.setIcon(self._theme.icon(name, tokens.on_accent if self._role == "primary" else ""))


class SetupPath(Elided):
    """Data, model and batch size; where there is little room the last goes first, then the data; the model stays."""

    def __init__(self) -> None:
        super().__init__("setup_path", snug=True)
        self._parts = ("", "", "")

    def show_setup(self, data: str, model: str, batch: str) -> str:
        """Show them, and return them as text."""
        self._parts = data, model, batch
        text = _ARROW.join(self._parts)
        self.setMinimumWidth(self._width_of(f"…{_ARROW}{model}") + 1)
        self.show_text(text, "strong")
        return text

    def shortened(self, width: int) -> str:
        data, model, _batch = self._parts
        for text in (_ARROW.join(self._parts), f"{data}{_ARROW}{model}"):
            if self._width_of(text) <= width:
                return text
        room = width - self._width_of(f"{_ARROW}{model}")
        return f"{self.fontMetrics().elidedText(data, Qt.TextElideMode.ElideRight, room) or '…'}{_ARROW}{model}"

    def _width_of(self, text: str) -> int:
        return self.fontMetrics().horizontalAdvance(text)


class BenchRow(QFrame):
    """What the Workbench has room for beside: single steps, and the run's figures."""

    def __init__(self, controls: Controls, actions: RunActions, theme: ThemeManager) -> None:
        super().__init__()
        self.setProperty("role", "toolbar")
        buttons = (ActionButton(actions[name], theme) for name in ("step", "sample", "evaluate"))
        figures, air = RunFigures(controls.runs, controls.subjects, theme), theme.tokens.spacing
        row_of(*buttons, (figures, 1), inside=self, margins=(air, 0, air, 0))


class Toolbar(QFrame):
    """One row, which shortens its texts where it is narrow, and one more for a banner that has much to say."""

    def __init__(
        self, controls: Controls, actions: RunActions, view: QAction, banner: Banner, theme: ThemeManager
    ) -> None:
        super().__init__()
        self.setProperty("role", "toolbar")
        self._setup, self._subjects, self._runs = controls.setup, controls.subjects, controls.runs
        self.path = SetupPath()
        self.change = tool_button("setup_change", "Change…", "Open the set-up: data, model and training (Alt+1).")
        self.buttons = {
            name: ActionButton(actions[name], theme, "big" if name == "stop" else "primary") for name in _BIG
        }
        self._awaits_focus = False
        for button in self.buttons.values():
            button.let_go.connect(self._await_focus)
        self.more = self._more(actions)
        self.view = toggle_button("view_toggle", view.text(), view.toolTip())
        self.view.setDefaultAction(view)
        self._banner = banner
        self._lay_out(theme.tokens.spacing)
        banner.widened.connect(self._place_banner)
        controls.subjects.subject_changed.connect(self._on_subject)
        controls.runs.run_changed.connect(self._show_run)
        for changed in (controls.setup.config_changed, controls.setup.dataset_changed):
            changed.connect(self._show_setup)
        self._show_setup()
        self._show_run(controls.runs.run)

    def _more(self, actions: RunActions) -> QToolButton:
        button, menu = menu_button("run_more", "More", "More actions for the run.")
        menu.addActions([action for action in actions.all() if action.objectName().removeprefix("run_") not in _BIG])
        return button

    def _lay_out(self, spacing: int) -> None:
        """The parts to the left and right of the buttons have widths that no text changes."""
        self._grid = grid = QGridLayout(self)
        grid.setContentsMargins(spacing, spacing // 2, spacing, spacing // 2)
        grid.setSpacing(spacing)
        grid.addLayout(row_of(self.path, self.change, 1), 0, 0)
        grid.addLayout(row_of(*self.buttons.values(), self.more), 0, 1)
        grid.addWidget(self.view, 0, 3)
        grid.setColumnStretch(0, 4)
        grid.setColumnStretch(2, 5)
        self._place_banner()
        self._keep_widths()

    def changeEvent(self, event: QEvent) -> None:
        """Measure anew where a style makes texts wider."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._keep_widths()

    def _keep_widths(self) -> None:
        """Let nothing move when a text changes."""
        begin, hold = self.buttons["start"], self.buttons["pause"]
        hold.ensurePolished()
        shown, widths = hold.text(), []
        for text in _WORDS:
            hold.setText(text)
            widths.append(hold.sizeHint().width())
        hold.setText(shown)
        for button in (begin, hold):
            button.setMinimumWidth(max(widths))

    @Slot()
    def _place_banner(self) -> None:
        """In the row, or below it across the whole width."""
        place = (1, 0, 1, 4) if self._banner.wide else (0, 2, 1, 1)
        at = self._grid.indexOf(self._banner)
        if at < 0 or self._grid.getItemPosition(at) != place:
            self._grid.removeWidget(self._banner)
            self._grid.addWidget(self._banner, *place)

    @property
    def _beside(self) -> bool:
        """Whether a run is looked at that is not the set-up's."""
        subject = self._subjects.subject
        return subject.aspect is Aspect.LOOKING and not subject.live

    @Slot()
    def _on_subject(self) -> None:
        if self._beside is not self._shown_beside:  # not at every step of a run
            self._show_setup()

    @Slot()
    def _show_setup(self) -> None:
        config, dataset, self._shown_beside = self._setup.config, self._setup.dataset, self._beside
        data = dataset.name if dataset is not None else "No data"
        if self._setup.awaits_data:
            data = dataset_spec(config.dataset.kind).title
        whose = ""
        if self._shown_beside:
            whose = "Trains: " if self._runs.run.phase.active else "Next: "
        model, batch = model_title(config.model), f"{config.batch.average_size:g} a batch"
        text = self.path.show_setup(f"{whose}{data}", model, batch)
        set_help(self.path, "Set-up", f"{text}: what Start trains.")

    @Slot(object)
    def _show_run(self, run: RunView) -> None:
        active = run.phase.active
        if active is self.buttons["start"].isVisibleTo(self):
            self._show_setup()
        self.buttons["start"].setVisible(not active)
        self.buttons["pause"].setVisible(active)
        first = self.buttons["pause" if active else "start"]
        if self._awaits_focus and first.isEnabled():
            self._awaits_focus = False
            if self.window().focusWidget() is None:
                first.setFocus()

    @Slot()
    def _await_focus(self) -> None:
        """Start, Pause and Stop hand the keyboard on to each other, as soon as one of them can do something."""
        self._awaits_focus = True

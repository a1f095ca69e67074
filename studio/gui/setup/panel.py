"""The set-up panel: what the next start takes. Composition only; the parts are in the modules beside it."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from studio.errors import UserError
from studio.gui.run.run_control import RunControl
from studio.gui.run.run_starter import RunStarter
from studio.gui.setup.data import DataSection
from studio.gui.setup.model import ModelSection
from studio.gui.setup.training import TrainingSection
from studio.gui.state.setup import Setup
from studio.gui.state.task_runner import TaskRunner
from studio.gui.state.view_state import RunView
from studio.gui.widgets.tab_order import follow_layout
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import tooltip

_IDLE = "What the next start takes."
_ACTIVE = "Stop the run to change the set-up."
_LIVE = "Stop the run to change more than learning rates."
_WHY = "The run under way was built with these settings. Offsets and learning rates can be edited while it trains."


class SetupPanel(QWidget):
    """Data, model and training, one below the other."""

    NAME = "setup"
    TITLE = "Set-up"

    def __init__(
        self,
        setup: Setup,
        runs: RunControl,
        starter: RunStarter,
        tasks: TaskRunner,
        theme: ThemeManager,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName(self.NAME)
        self.setAccessibleName(self.TITLE)
        self.data = DataSection(setup, tasks, theme)
        self.model = ModelSection(setup, starter, theme)
        self.training = TrainingSection(setup, theme)
        self.state = QLabel(_IDLE)
        self.state.setTextFormat(Qt.TextFormat.PlainText)
        self.state.setObjectName("setup_state")
        self.state.setProperty("role", "small")
        self.state.setWordWrap(True)
        self._lay_out(theme.tokens.spacing)
        runs.run_changed.connect(self._show_run)
        setup.edit_rejected.connect(self._reject)
        self._show_run(runs.run)

    def _lay_out(self, spacing: int) -> None:
        content = QWidget()
        sections = QVBoxLayout(content)
        sections.setContentsMargins(spacing, spacing // 2, spacing, spacing)
        sections.setSpacing(spacing)
        for title, section in (("Data", self.data), ("Model", self.model), ("Training", self.training)):
            heading = QLabel(title)
            heading.setProperty("role", "heading")
            sections.addWidget(heading)
            sections.addWidget(section)
        sections.addStretch(1)
        follow_layout(content)
        self.content, self.area = content, QScrollArea()
        self.area.setWidget(content)
        content.setAutoFillBackground(False)
        self.area.setWidgetResizable(True)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # its fields have it; the wheel and Tab scroll
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setProperty("role", "bare")
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.state.setContentsMargins(spacing, spacing // 2, spacing, spacing // 2)
        column.addWidget(self.state)
        column.addWidget(self.area, 1)

    def minimumSizeHint(self) -> QSize:
        """As wide as its rows need, for it scrolls up and down alone."""
        least, bar = self.content.minimumSizeHint(), self.area.verticalScrollBar().sizeHint()
        return QSize(least.width() + bar.width(), super().minimumSizeHint().height())

    @Slot(object)
    def _show_run(self, run: RunView) -> None:
        active = run.phase.active
        why = tooltip(_ACTIVE, _WHY) if active else ""
        for section in (self.data, self.training):
            section.setEnabled(not active)
            section.setToolTip(why)
        self.data.show_run(run)
        self.model.lock(why)
        locked = _LIVE if self.model.is_live else _ACTIVE
        self.state.setText(locked if active else _IDLE)

    @Slot(object)
    def _reject(self, error: UserError) -> None:
        """Show a refusal beside its cause; those about offsets are the offsets panel's."""
        section, *path = error.field.split(".") if error.field else [""]
        match section:
            case "perturbation":
                return
            case "dataset":
                self.data.show_error(error)
            case "model":
                self.model.show_error(error, path)
            case _:
                self.training.show_error(error, [section, *path])

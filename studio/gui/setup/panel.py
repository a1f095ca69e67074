"""The set-up panel: what a start trains. Composition only; the parts are in the modules beside it."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtWidgets import QWidget

from studio.errors import UserError
from studio.gui.run.run_control import RunControl
from studio.gui.run.run_starter import RunStarter
from studio.gui.setup.data import DataSection
from studio.gui.setup.model import ModelSection
from studio.gui.setup.training import TrainingSection
from studio.gui.state.run_view import RunView
from studio.gui.state.setup import Setup
from studio.gui.state.task_runner import TaskRunner
from studio.gui.widgets.foldable import Foldable, Folds
from studio.gui.widgets.labels import plain_label
from studio.gui.widgets.layouts import column_of, scrolled
from studio.gui.widgets.tab_order import follow_layout
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import tooltip

_IDLE = "Start trains with these settings."
_ACTIVE = "Stop the run to change the set-up."
_LIVE = "Stop the run to change more than learning rates."
_WHY = "The run under way was built with these settings. Offsets and learning rates can be edited while it trains."


class SetupPanel(QWidget):
    """What a first look needs of data, model and training, and all else in one section that folds away.

    Attributes:
        folds: sections that are open.
    """

    NAME, TITLE = "setup", "Set-up"

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
        self._starter = starter
        self.data = DataSection(setup, tasks, theme)
        self.folds = Folds(self)
        self.model = ModelSection(setup, starter, self.folds, theme)
        self.training = TrainingSection(setup, self.folds, theme)
        self.state = plain_label(_IDLE, name="setup_state", role="small", wraps=True)
        self._lay_out(theme.tokens.spacing)
        setup.config_changed.connect(self._count)
        self._count()
        self._runs = runs
        runs.run_changed.connect(self._show_run)
        starter.changed.connect(self._show_state)
        setup.edit_rejected.connect(self._reject)
        self._show_run(runs.run)

    def _lay_out(self, spacing: int) -> None:
        content, rest, half = QWidget(), QWidget(), spacing // 2
        self.more = Foldable("more", "More", rest, self.folds, indent=spacing)
        self.more.header.setToolTip(tooltip("Everything else that can be set: of the model, of training, of data."))
        sections = _titled({"Data": self.data, "Model": self.model, "Training": self.training})
        margins = (spacing, half, spacing, spacing)
        column_of(*sections, self.more, 1, inside=content, margins=margins, spacing=spacing)
        apart = {"Model": self.model.more, "Training": self.training.more, "Data": self.data.more}
        column_of(*_titled(apart), inside=rest, margins=None)
        follow_layout(content)
        self.content, self.area = content, scrolled(content)
        content.setAutoFillBackground(False)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # its fields have it; the wheel and Tab scroll
        self.area.setProperty("role", "bare")
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.state.setContentsMargins(spacing, half, spacing, half)
        column_of(self.state, (self.area, 1), inside=self, spacing=0)

    def minimumSizeHint(self) -> QSize:
        """As wide as its rows need, for it scrolls up and down alone."""
        least, bar = self.content.minimumSizeHint(), self.area.verticalScrollBar().sizeHint()
        return QSize(least.width() + bar.width(), super().minimumSizeHint().height())

    @Slot()
    def _count(self) -> None:
        self.more.count(self.model.changes + self.training.changes)

    @Slot()
    def _show_state(self) -> None:
        """Whether it can be started, and if not, why."""
        self._show_run(self._runs.run)

    @Slot(object)
    def _show_run(self, run: RunView) -> None:
        active = run.phase.active
        why = tooltip(_ACTIVE, _WHY) if active else ""
        for section in (self.data, self.data.more, self.training, self.training.more):
            if section.toolTip() != why:  # asked at every report of the run
                section.setEnabled(not active)
                section.setToolTip(why)
        self.data.show_run(run)
        self.model.lock(why)
        locked = _LIVE if self._starter.model_is_live else _ACTIVE
        self.state.setText(locked if active else self._starter.blocked or _IDLE)

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


def _titled(sections: dict[str, QWidget]) -> list[QWidget]:
    return [part for title, section in sections.items() for part in (plain_label(title, role="heading"), section)]

"""The training part of the set-up: planner and batch size, device, seed, and what else a RunConfig holds."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from studio.errors import UserError
from studio.gui.forms.fields import ChoiceField
from studio.gui.forms.form_row import editor_width, reset_room
from studio.gui.forms.forms import SettingsForm
from studio.gui.state.setup import Setup
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import tooltip
from studio.training.config.run_config import BatchConfig, RunConfig

_ELSEWHERE = ("dataset", "model", "perturbation", "batch", "device")


class TrainingSection(QWidget):
    """Two generated forms and the list of devices, which is known only once the engine is there."""

    def __init__(self, setup: Setup, theme: ThemeManager, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._setup = setup
        self._batch = SettingsForm(BatchConfig, theme, title="Batch")
        self._batch.setObjectName("batch")
        self._rest = SettingsForm(RunConfig, theme, exclude=_ELSEWHERE, folded=("cadence",), title="Run")
        self._rest.setObjectName("run")
        info = RunConfig.model_fields["device"]
        self.device = ChoiceField(list(setup.devices))
        self.device.setObjectName("device")
        self.device.setAccessibleName("Device")
        self.device.setToolTip(tooltip(info.description or ""))
        label = QLabel(info.title or "Device")
        label.setBuddy(self.device)
        label.setToolTip(self.device.toolTip())
        row = QHBoxLayout()
        row.setSpacing(theme.tokens.spacing // 2)
        self.device.setFixedWidth(editor_width(self.device))
        row.addWidget(label, 1)
        row.addWidget(self.device)
        row.addWidget(reset_room(theme, self))  # as the rows above have
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.tokens.spacing // 2)
        column.addWidget(self._batch)
        column.addLayout(row)
        column.addWidget(self._rest)
        self._batch.changed.connect(self._edit_batch)
        self._rest.changed.connect(self._edit_rest)
        self.device.edited.connect(self._edit_device)
        setup.config_changed.connect(self._show_config)
        setup.engine_ready.connect(self._show_devices)
        self._show_config(setup.config)

    @Slot(object)
    def _show_config(self, config: RunConfig) -> None:
        self._batch.set_value(config.batch)
        self._rest.set_value(config)
        if self.device.findData(config.device) < 0:
            self.device.addItem(f"{config.device} (not here)", config.device)
        self.device.show_value(config.device)

    @Slot(object)
    def _show_devices(self, devices: Sequence[tuple[str, str]]) -> None:
        self.device.clear()
        for value, title in devices:
            self.device.addItem(title, value)
        self._show_config(self._setup.config)

    def show_error(self, error: UserError, path: Sequence[str]) -> None:
        """Show a refusal beside the field that it names."""
        if path and path[0] == "batch":
            self._batch.show_error(error, path[1:])
        else:
            self._rest.show_error(error, path)

    @Slot(object)
    def _edit_batch(self, batch: BatchConfig) -> None:
        self._setup.edit(batch=batch)

    @Slot(object)
    def _edit_rest(self, entered: RunConfig) -> None:
        current = self._setup.config
        names = [name for name in RunConfig.model_fields if name not in _ELSEWHERE]
        sections = {name: getattr(entered, name) for name in names if getattr(entered, name) != getattr(current, name)}
        if sections:
            self._setup.edit(**sections)

    @Slot()
    def _edit_device(self) -> None:
        self._setup.edit(device=self.device.raw())

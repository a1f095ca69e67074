"""The training part of the set-up: batch size and name, and apart from them all else that a RunConfig holds."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QWidget

from studio.errors import UserError
from studio.gui.forms.fields import ChoiceField
from studio.gui.forms.form_row import editor_width, reset_room
from studio.gui.forms.forms import SettingsForm
from studio.gui.state.setup import Setup
from studio.gui.widgets.foldable import Folds
from studio.gui.widgets.labels import plain_label
from studio.gui.widgets.layouts import column_of, row_of
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import tooltip
from studio.training.config.run_config import BatchConfig, RunConfig
from studio.training.config.run_title import own_name

_FIRST = ("name",)
_ELSEWHERE = ("dataset", "model", "perturbation", "batch", "device")


class TrainingSection(QWidget):
    """Generated forms and the list of devices, which is known only once the engine is there.

    Attributes:
        more: planner, device, seed and the like.
    """

    def __init__(self, setup: Setup, folds: Folds, theme: ThemeManager, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._setup = setup
        self._size = SettingsForm(BatchConfig, theme, only=("average_size",))
        self._planner = SettingsForm(BatchConfig, theme, exclude=("average_size",))
        self._name = SettingsForm(RunConfig, theme, only=_FIRST)
        self._rest = SettingsForm(RunConfig, theme, exclude=_FIRST + _ELSEWHERE, folds=folds)
        self.more = QWidget()
        spacing = theme.tokens.spacing // 2
        column_of(self._size, self._name, inside=self, spacing=spacing)
        column_of(self._planner, self._device_row(theme, spacing), self._rest, inside=self.more, spacing=spacing)
        for form in (self._size, self._planner):
            form.changed.connect(lambda batch: setup.edit(batch=batch))
        for form in (self._name, self._rest):
            form.changed.connect(self._edit_run)
        setup.config_changed.connect(self._show_config)
        setup.engine_ready.connect(self._show_devices)
        self._show_config(setup.config)

    def _device_row(self, theme: ThemeManager, spacing: int) -> QHBoxLayout:
        info = RunConfig.model_fields["device"]
        self.device = ChoiceField(list(self._setup.devices))
        self.device.setObjectName("device")
        self.device.setAccessibleName("Device")
        self.device.setToolTip(tooltip(info.description or ""))
        self.device.setFixedWidth(editor_width(self.device))
        self.device.edited.connect(lambda: self._setup.edit(device=self.device.raw()))
        label = plain_label(info.title or "Device", of=self.device)
        label.setToolTip(self.device.toolTip())
        room = reset_room(theme, self)  # as the other rows have
        return row_of((label, 1), self.device, room, spacing=spacing)

    @property
    def changes(self) -> int:
        """How many of the settings apart differ from what is usual."""
        return self._planner.changes + self._rest.changes

    @Slot(object)
    def _show_config(self, config: RunConfig) -> None:
        for form in (self._size, self._planner):
            form.set_value(config.batch)
        self._name.set_value(config.model_copy(update={"name": own_name(config)}))
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
        match path:
            case ["batch", "average_size"]:
                self._size.show_error(error, path[1:])
            case ["batch", *inside]:
                self._planner.show_error(error, inside)
            case ["name"]:
                self._name.show_error(error, path)
            case _:
                self._rest.show_error(error, path)

    @Slot(object)
    def _edit_run(self, entered: RunConfig) -> None:
        current = self._setup.config
        names = [name for name in RunConfig.model_fields if name not in _ELSEWHERE]
        sections = {name: getattr(entered, name) for name in names if getattr(entered, name) != getattr(current, name)}
        if sections:
            self._setup.edit(**sections)

"""The choice of whose judge looks: the data set's own, or that of another data set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QFileDialog, QWidget

from studio.gui.forms.fields import ChoiceField
from studio.gui.widgets.tooltip import tooltip
from studio.training.examples.judges import known_judges

_OWN = "These data"
_BROWSE = "\0browse"
_FOLDER = "folder:"


class JudgeField(ChoiceField):
    """Names of judges; the last entry asks for a folder of images with a sub-folder per class."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__([("", _OWN), *known_judges(), (_BROWSE, "A folder…")], parent)
        self._given = ""

    def raw(self) -> str:
        found = self.currentData()
        return self._given if found == _BROWSE else str(found)

    def show_value(self, value: Any) -> None:
        self._given = str(value)
        if self.findData(self._given) < 0:
            place = self.count() - 1
            path = self._given.removeprefix(_FOLDER)
            self.insertItem(place, f"Folder {Path(path).name}" if path != self._given else self._given, self._given)
            self.setItemData(place, tooltip(path), Qt.ItemDataRole.ToolTipRole)
        super().show_value(self._given)

    @Slot()
    def _chosen(self) -> None:
        if self.currentData() == _BROWSE:
            path = QFileDialog.getExistingDirectory(self, "Folder with a sub-folder of images for each class")
            self.show_value(_FOLDER + path if path else self._given)
        super()._chosen()

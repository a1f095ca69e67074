"""Small parts of the set-up panel: what goes on while a data set loads, where it is kept, and what is loaded."""

from __future__ import annotations

from PySide6.QtWidgets import QProgressBar, QPushButton, QWidget

from studio.gui.forms.fields import PathField
from studio.gui.state.dataset_view import DatasetView
from studio.gui.state.task_runner import TaskView
from studio.gui.widgets.labels import wrapped_label
from studio.gui.widgets.layouts import column_of, row_of
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import tooltip
from studio.number_text import classes


class LoadingBar(QWidget):
    """What goes on, how far it is, and a button that cancels it; hidden when nothing goes on."""

    def __init__(self, theme: ThemeManager, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = wrapped_label("dataset_progress", "small")
        self._bar = QProgressBar(textVisible=False)
        self.cancel = QPushButton("Cancel")
        self.cancel.setObjectName("cancel_loading")
        row = row_of((self._bar, 1), self.cancel)
        column_of(self._text, row, inside=self, spacing=theme.tokens.spacing // 2)

    def show_task(self, task: TaskView | None) -> None:
        self.setVisible(task is not None)
        if task is None:
            return
        self._text.setText(task.text)
        self._bar.setRange(0, 0 if task.fraction is None else 1000)
        self._bar.setValue(round(1000 * (task.fraction or 0.0)))
        self.cancel.setEnabled(task.cancellable)


class DataFolder(QWidget):
    """Where downloads are kept."""

    def __init__(self, theme: ThemeManager) -> None:
        super().__init__()
        self.field = PathField(folder=True, title="Data folder")
        self.field.setObjectName("data_root")
        tip = "Downloaded data sets are kept here, laid out as torchvision has it, so that both can use them."
        self.field.setToolTip(tooltip(tip))
        label = wrapped_label("data_root_label", text="Data folder, for what is downloaded", of=self.field.line)
        label.setToolTip(tooltip(tip))
        column_of(label, self.field, inside=self, spacing=theme.tokens.spacing // 2)


def card_text(view: DatasetView) -> str:
    """What is loaded, in two lines."""
    count = int(view.counts.sum())
    return f"{view.name} · {view.form}\n{count:,} {view.noun} · {classes(len(view.class_names))}"

"""What is in a folder of images, shown before it is loaded: classes, counts, examples, and what is left out."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import QSize, Qt, QTimer, Slot
from PySide6.QtGui import QCloseEvent, QIcon, QImage, QKeyEvent, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QListWidget,
    QProgressBar,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from studio.background import Background
from studio.data.folder import FolderConfig, FolderPreview, inspect_folder
from studio.errors import Cancelled, UserError
from studio.gui.forms.forms import SettingsForm
from studio.gui.widgets.labels import plain_label
from studio.gui.widgets.layouts import column_of, resize_to_fit, row_of
from studio.gui.widgets.number_entry import shown_bytes
from studio.gui.widgets.pictures import image_of
from studio.gui.widgets.tables import cell
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import named, set_help
from studio.names import shown_name
from studio.number_text import classes
from studio.settings import Settings

_POLL_MS = 40
_THUMBNAIL = 40
_JOIN_S = 2.0
_SHOWN_SKIPPED = 500
_HIGHEST_LIST = 110  # pixels of those
_SHOWN_LEVELS = 3


class FolderPreviewDialog(QDialog):
    """Asks whether to load a folder; `config` is what was agreed on once it is accepted."""

    def __init__(self, config: FolderConfig, theme: ThemeManager, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("folder_preview")
        self.setWindowTitle("Folder of images")
        self.config, self._theme = config, theme
        self._work: Background[FolderPreview] | None = None
        self._abandoned: list[Background[FolderPreview]] = []
        self._timer = QTimer(self, interval=_POLL_MS)
        self._timer.timeout.connect(self._poll)
        self._make_widgets()
        self._lay_out()
        self._inspect()

    # -- building

    def _make_widgets(self) -> None:
        self.place = plain_label(shown_name(self.config.path), wraps=True)
        self.form = SettingsForm(FolderConfig, self._theme, exclude=("path",))
        self.form.set_value(self.config)
        self.form.changed.connect(self._entered)
        self.total = plain_label(name="folder_total", wraps=True)
        self.message = plain_label(name="folder_message", role="error", wraps=True)
        self.progress = QProgressBar(textVisible=False)
        kept = self.progress.sizePolicy()
        kept.setRetainSizeWhenHidden(True)  # so that nothing jumps
        self.progress.setSizePolicy(kept)
        self.classes = _class_table()
        self.notes = plain_label(name="folder_notes", role="warning", wraps=True)
        self.levels = QWidget()
        self.skipped_title = plain_label(role="warning", wraps=True)
        tip = "Files that are no images of one size, each with its reason."
        self.skipped = named(QListWidget(), "folder_skipped", "Files that are skipped", tip)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.load = self.buttons.addButton("Load", QDialogButtonBox.ButtonRole.AcceptRole)
        self.load.setObjectName("load_folder")
        set_help(self.load, "Load", "Read these images and use them as the data set.")
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)

    def _lay_out(self) -> None:
        row_of(inside=self.levels)
        above = (self.place, self.form, self.message, self.progress, self.total, self.notes, self.levels)
        below, spacing = (self.skipped_title, self.skipped, self.buttons), self._theme.tokens.spacing
        column_of(*above, (self.classes, 1), *below, inside=self, margins=None, spacing=spacing)
        for widget in (self.message, self.notes, self.levels, self.skipped_title, self.skipped):
            widget.hide()
        resize_to_fit(self, QSize(460, 620))

    # -- looking into the folder, beside the window

    @Slot(object)
    def _entered(self, config: Settings) -> None:
        assert isinstance(config, FolderConfig)
        self.config = config
        self._inspect()

    def _inspect(self) -> None:
        config = self.config
        self._abandon()
        self._work = Background(lambda progress: inspect_folder(config, progress), "folder preview")
        self._work.start()
        self.load.setEnabled(False)
        self.message.hide()
        self.progress.setRange(0, 0)
        self.progress.show()
        self._timer.start()

    def _abandon(self) -> None:
        if self._work is not None:
            self._work.cancel()
            self._abandoned = [work for work in [*self._abandoned, self._work] if not work.done]
            self._work = None

    @Slot()
    def _poll(self) -> None:
        if self._work is None:
            self._timer.stop()
            return
        text, fraction = self._work.progress
        if not self._work.done:
            self.total.setText(text)
            self.progress.setRange(0, 0 if fraction is None else 1000)
            self.progress.setValue(round(1000 * (fraction or 0.0)))
            return
        self._timer.stop()
        self.progress.hide()
        work, self._work = self._work, None
        try:
            self._show(work.result())
        except Cancelled:
            pass
        except UserError as error:
            self.classes.setRowCount(0)
            self.total.clear()
            self._show_levels(())
            for widget in (self.notes, self.skipped_title, self.skipped):
                widget.hide()
            self.message.setText(str(error))
            self.message.show()

    def _show(self, preview: FolderPreview) -> None:
        place = "in memory" if preview.in_memory else "in a temporary file, more than memory should hold"
        self.total.setText(
            f"{preview.files:,} files, {classes(len(preview.classes))} · {shown_bytes(preview.pixel_bytes)} {place}"
        )
        self.classes.setRowCount(len(preview.classes))
        self.classes.setIconSize(QSize(4 * (_THUMBNAIL + 2), _THUMBNAIL))
        for row, one in enumerate(preview.classes):
            count = cell(QTableWidgetItem(f"{one.files:,}"), right=True)
            examples = QTableWidgetItem()
            if len(one.thumbnails):
                examples.setIcon(_strip([image_of(pixels) for pixels in one.thumbnails]))
            else:
                examples.setText("none can be read")
            for column, item in enumerate((QTableWidgetItem(one.name), count, examples)):
                self.classes.setItem(row, column, item)
        self.notes.setText(" ".join(preview.report.notes))
        self.notes.setVisible(bool(preview.report.notes))
        self._show_levels(preview.better)
        self._show_skipped(preview)
        self.load.setEnabled(True)
        if isinstance(self.focusWidget(), QPushButton):
            self.load.setFocus()

    def _show_levels(self, folders: tuple[Path, ...]) -> None:
        """A button for each folder that looks more like what is wanted."""
        row = self.levels.layout()
        assert row is not None
        while (item := row.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        for folder in folders[:_SHOWN_LEVELS]:
            name = shown_name(folder.name)
            button = QPushButton(f"Use “{name}”".replace("&", "&&"))
            set_help(button, f"Use {name}", f"Take {shown_name(str(folder))}, whose sub-folders look like classes.")
            button.clicked.connect(partial(self._use, folder))
            row.addWidget(button)
        self.levels.setVisible(bool(folders))

    def _use(self, folder: Path) -> None:
        self.config = self.config.model_copy(update={"path": str(folder)})
        self.place.setText(shown_name(self.config.path))
        self._inspect()

    def _show_skipped(self, preview: FolderPreview) -> None:
        report = preview.report
        self.skipped.clear()
        for file in report.skipped[:_SHOWN_SKIPPED]:
            self.skipped.addItem(f"{file.path}: {file.reason}")
        lines = self.skipped.sizeHintForRow(0) * self.skipped.count() + 2 * self.skipped.frameWidth()
        self.skipped.setFixedHeight(min(lines, _HIGHEST_LIST))
        parts = []
        if report.skipped:
            verb = "is" if len(report.skipped) == 1 else "are"
            parts.append(f"{len(report.skipped):,} cannot be read and {verb} skipped, of those looked at so far.")
        if report.loose_files:
            loose = "1 file beside" if report.loose_files == 1 else f"{report.loose_files:,} files beside"
            parts.append(f"Left out because no class is theirs: {loose} the sub-folders.")
        self.skipped_title.setText(" ".join(parts))
        self.skipped_title.setVisible(bool(parts))
        self.skipped.setVisible(bool(report.skipped))

    # -- the end

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter loads, unless it has finished a field, for which the folder is looked into anew."""
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if not enter or isinstance(self.focusWidget(), QPushButton):
            super().keyPressEvent(event)
        elif self.load.isEnabled():
            self.accept()

    def done(self, result: int) -> None:
        self._end()
        super().done(result)

    def closeEvent(self, event: QCloseEvent) -> None:
        self._end()
        super().closeEvent(event)

    def _end(self) -> None:
        """Leave no thread behind."""
        self._timer.stop()
        self._abandon()
        for work in self._abandoned:
            work.join(_JOIN_S)
        self._abandoned.clear()


def _class_table() -> QTableWidget:
    tip = "Each sub-folder is a class: its name, files, and first images."
    classes = named(QTableWidget(0, 3), "folder_classes", "Classes of the folder", tip)
    classes.setHorizontalHeaderLabels(["Class", "Files", "Examples"])
    classes.setTabKeyNavigation(False)  # Tab goes on to the next control
    classes.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    classes.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    classes.setShowGrid(False)
    classes.verticalHeader().hide()
    classes.verticalHeader().setDefaultSectionSize(_THUMBNAIL + 6)
    head = classes.horizontalHeader()
    head.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    head.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    head.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
    head.setSectionResizeMode(2, QHeaderView.ResizeMode.ResizeToContents)
    return classes


def _strip(images: list[QImage]) -> QIcon:
    """Images side by side, with their pixels left sharp where they are enlarged."""
    gap = 2
    strip = np.zeros((_THUMBNAIL, len(images) * (_THUMBNAIL + gap), 4), dtype=np.uint8)
    for place, image in enumerate(images):
        scaled = image.scaled(_THUMBNAIL, _THUMBNAIL).convertToFormat(QImage.Format.Format_RGBA8888)
        pixels = np.frombuffer(scaled.constBits(), dtype=np.uint8).reshape(_THUMBNAIL, _THUMBNAIL, 4)
        strip[:, place * (_THUMBNAIL + gap) : place * (_THUMBNAIL + gap) + _THUMBNAIL] = pixels
    height, width, _ = strip.shape
    return QIcon(QPixmap.fromImage(QImage(strip.data, width, height, 4 * width, QImage.Format.Format_RGBA8888).copy()))

"""The data part of the set-up: which data set, where it lies, what was loaded, and what went wrong."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtWidgets import QGroupBox, QPushButton, QVBoxLayout, QWidget

from studio.data.catalog import DATASETS, DatasetConfig, DatasetSpec, dataset_spec
from studio.data.folder import FolderConfig
from studio.errors import UserError
from studio.gui.forms.fields import ChoiceField, PathField
from studio.gui.forms.forms import SettingsForm
from studio.gui.setup.folder_preview import FolderPreviewDialog
from studio.gui.setup.loading import DataFolder, LoadingBar, card_text
from studio.gui.state.dataset_view import DatasetView
from studio.gui.state.run_view import RunView
from studio.gui.state.setup import Setup
from studio.gui.state.task_runner import TaskRunner, TaskView
from studio.gui.widgets.labels import wrapped_label
from studio.gui.widgets.layouts import column_of
from studio.gui.widgets.number_entry import shown_bytes
from studio.gui.widgets.tab_order import follow_layout
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import tooltip
from studio.training.config.run_config import RunConfig

_SETTLE_MS = 500
"""Loading waits this long for the next keystroke in a data set's form."""
_NO_FOLDER = "No folder of images is chosen yet: choose one in the set-up."


class DataSection(QWidget):
    """Chooses and loads a data set; nothing is downloaded before the person says so.

    Attributes:
        more: where downloads are kept.
    """

    def __init__(self, setup: Setup, tasks: TaskRunner, theme: ThemeManager, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._setup, self._tasks, self._theme = setup, tasks, theme
        self._drafts: dict[str, DatasetConfig] = {}
        self._offered: DatasetSpec | None = None
        self._shown: tuple[DatasetConfig, Path] | None = None
        self._loading = False
        self._dialog: FolderPreviewDialog | None = None
        self._settle = QTimer(self, interval=_SETTLE_MS, singleShot=True)
        self._edited_from = setup.config.dataset  # what an entry under way would replace
        self._settle.timeout.connect(lambda: self._load(self._draft(dataset_spec(self.choice.raw()))))
        self._make_widgets()
        self._lay_out(theme.tokens.spacing)
        self._connect()
        self._show_config(setup.config)
        self._show_dataset(setup.dataset)

    # -- building

    def _make_widgets(self) -> None:
        self.choice = ChoiceField([(spec.kind, spec.title) for spec in DATASETS])
        self.choice.setObjectName("dataset")
        self.choice.setAccessibleName("Data set")
        self.summary = wrapped_label("dataset_summary", "small")
        self.offer = wrapped_label("dataset_offer", "warning")
        self.download = QPushButton()
        self.download.setObjectName("download")
        self.folder = PathField(folder=True, title="Your images")
        self.folder.setObjectName("image_folder")
        tip = "A folder with a sub-folder of images per class, named after it, or of images alone, without classes."
        self.folder.setToolTip(tooltip(tip))
        self._folder_label = wrapped_label("image_folder_label", text="Your images", of=self.folder.line)
        self.card = wrapped_label("dataset_card")
        self.message = wrapped_label("dataset_message", "error")
        self.loading = LoadingBar(self._theme)
        self.more = DataFolder(self._theme)
        self._form: SettingsForm | None = None
        self._form_kind = ""

    def _lay_out(self, spacing: int) -> None:
        self._forms = QVBoxLayout()
        box, half = QGroupBox("In use"), spacing // 2
        column_of(self.card, inside=box, margins=(spacing, half, spacing, half))
        above = (self.offer, self.download, self._folder_label, self.folder)
        below = (self.message, self.loading)
        column_of(self.choice, self.summary, *above, self._forms, *below, box, inside=self, spacing=half)
        for widget in (*above, *below):
            widget.hide()

    def _connect(self) -> None:
        self._setup.config_changed.connect(self._show_config)
        self._setup.dataset_changed.connect(self._show_dataset)
        self._setup.dataset_failed.connect(self.show_error)
        self._setup.lacking_changed.connect(self._on_lacking)
        self._tasks.changed.connect(self._show_task)
        self.choice.edited.connect(self._chosen)
        self.download.clicked.connect(self._download)
        self.folder.edited.connect(self._open_folder)
        self.more.field.edited.connect(self._move)
        self.loading.cancel.clicked.connect(self._cancel)

    # -- state in

    @Slot(object)
    def _show_config(self, config: RunConfig) -> None:
        # Edits of offsets come by here too; they must not take back a choice or an entry under way.
        state = (config.dataset, self._setup.data_root)
        if state == self._shown or (self._settle.isActive() and config.dataset == self._edited_from):
            return
        self._settle.stop()  # another data set has come, as from a file: an entry must not replace that
        self._shown = state
        self._drafts[config.dataset.kind] = config.dataset
        self.more.field.show_value(str(self._setup.data_root))
        self._name_choices()
        if self._offered is None and self._dialog is None:
            self._show_kind(dataset_spec(config.dataset.kind))

    def _show_again(self) -> None:
        """Show what is set up, in place of what was chosen or entered."""
        self._shown = None
        self._show_config(self._setup.config)

    def _show_kind(self, spec: DatasetSpec) -> None:
        config = self._draft(spec)
        self.choice.show_value(spec.kind)
        self.choice.setToolTip(tooltip(spec.summary))
        self.summary.setText(spec.summary)
        for widget in (self._folder_label, self.folder):
            widget.setVisible(isinstance(config, FolderConfig))
        if isinstance(config, FolderConfig):
            self.folder.show_value(config.path)
        self._show_form(spec, config)

    def _show_form(self, spec: DatasetSpec, config: DatasetConfig) -> None:
        if self._form is None or self._form_kind != spec.kind:
            if self._form is not None:
                self._form.hide()
                self._form.deleteLater()
            self._form = SettingsForm(spec.config, self._theme, exclude=("path",))
            self._form_kind = spec.kind
            self._form.changed.connect(self._entered)
            self._forms.addWidget(self._form)
            follow_layout(self)
        self._form.setVisible(not self._form.is_empty and not (isinstance(config, FolderConfig) and not config.path))
        self._form.set_value(config)

    def _name_choices(self) -> None:
        for place, spec in enumerate(DATASETS):
            missing = spec.download_bytes(self._setup.data_root)
            more = f" ({shown_bytes(missing)} to download)" if missing else ""
            self.choice.setItemText(place, spec.title + more)
            self.choice.setItemData(place, tooltip(spec.summary), Qt.ItemDataRole.ToolTipRole)

    @Slot(object)
    def _show_dataset(self, view: DatasetView | None) -> None:
        self._loading = False
        self._offered = None
        self._show_task(None)
        self._show_offer()
        self.message.hide()
        self.card.setText(card_text(view) if view is not None else "No data set is loaded yet.")
        self._setup.lack("")
        self._show_again()

    @Slot()
    def _on_lacking(self) -> None:
        """A whole set-up has come, and what was chosen before it counts no more."""
        other = self.choice.raw() != self._setup.config.dataset.kind
        if other and not self._setup.lacking and not self._loading:
            self._offered = None
            self._show_offer()
            self._show_again()

    @Slot(object)
    def show_error(self, error: UserError) -> None:
        """Say what went wrong, beside the choice, and offer the download again if that is what failed."""
        self._end_loading()
        self.message.setText(str(error))
        self.message.show()

    def show_run(self, run: RunView) -> None:
        """Take back an entry that comes too late for a run."""
        if run.phase.active and self._settle.isActive():
            self._settle.stop()  # it trains on what was loaded, so that is what stands here
            self._setup.lack("")
            self._show_again()

    @Slot(object)
    def _show_task(self, task: TaskView | None) -> None:
        self.loading.show_task(task if self._loading else None)

    def _show_offer(self) -> None:
        spec = None if self._loading else self._offered
        self.offer.setVisible(spec is not None)
        self.download.setVisible(spec is not None)
        if spec is not None:
            size = shown_bytes(spec.download_bytes(self._setup.data_root))
            loaded = self._setup.dataset
            stays = f" {loaded.name} stays in use until then." if loaded is not None else ""
            self.offer.setText(f"{spec.title} is not in the data folder yet.{stays}")
            self.download.setText(f"Download {size}")

    def _end_loading(self) -> None:
        """It failed or was cancelled: what is still to be downloaded can be asked for again."""
        self._loading = False
        self._show_task(None)
        spec = dataset_spec(self.choice.raw())
        self._offered = spec if spec.download_bytes(self._setup.data_root) else None
        self._show_offer()
        if self._offered is not None:
            self._setup.lack(_not_here(spec))

    # -- intent out

    def _draft(self, spec: DatasetSpec) -> DatasetConfig:
        return self._drafts.setdefault(spec.kind, spec.config())

    @Slot()
    def _chosen(self) -> None:
        self._settle.stop()
        spec = dataset_spec(self.choice.raw())
        config = self._draft(spec)
        self._offered = None
        self.message.hide()
        self._show_kind(spec)
        lacking = ""
        if isinstance(config, FolderConfig) and not config.path:
            self.folder.browse.setFocus()
            lacking = _NO_FOLDER
        elif spec.download_bytes(self._setup.data_root):
            self._offered = spec
            lacking = _not_here(spec)
        elif spec.kind != self._setup.config.dataset.kind or self._setup.dataset is None:
            self._load(config)
        self._show_offer()
        self._setup.lack(lacking)

    @Slot()
    def _download(self) -> None:
        if self._offered is not None:
            self._load(self._draft(self._offered))

    def _load(self, config: DatasetConfig) -> None:
        self._settle.stop()
        self._drafts[config.kind] = config
        self.message.hide()
        self._loading = True
        self._show_offer()
        self._setup.set_dataset(config)
        self._setup.lack("")

    @Slot()
    def _cancel(self) -> None:
        self._tasks.cancel()
        self._end_loading()

    @Slot(object)
    def _entered(self, config: DatasetConfig) -> None:
        self._drafts[config.kind] = config
        self._edited_from = self._setup.config.dataset
        self._settle.start()
        self._setup.lack("The data set is about to be read anew.")

    @Slot()
    def _open_folder(self) -> None:
        """Show what is in the folder before it is loaded."""
        draft = self._draft(dataset_spec(self.choice.raw()))
        if not isinstance(draft, FolderConfig):
            return
        self._dialog = FolderPreviewDialog(draft.model_copy(update={"path": self.folder.raw()}), self._theme, self)
        self._dialog.finished.connect(self._previewed)
        self._dialog.open()

    @Slot(int)
    def _previewed(self, result: int) -> None:
        dialog, self._dialog = self._dialog, None
        if dialog is None:
            return
        if result == dialog.DialogCode.Accepted:
            self._load(dialog.config)
        else:
            self._setup.lack("")
            self._show_again()
        dialog.deleteLater()

    @Slot()
    def _move(self) -> None:
        folder = Path(text := self.more.field.raw().strip()).expanduser()
        if not text or (folder.exists() and not folder.is_dir()):
            self.show_error(UserError("The data folder must be a folder", f"“{text}” is none."))
            return
        self.message.hide()
        self._setup.set_data_root(folder)
        self._name_choices()
        if self._offered is not None:
            self._chosen()  # it may lie there


def _not_here(spec: DatasetSpec) -> str:
    return f"{spec.title} is not in the data folder yet: download it in the set-up."

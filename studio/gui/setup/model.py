"""The model part of the set-up: which one, and its settings by the form that its fields make."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QWidget

from studio.errors import UserError
from studio.gui.forms.fields import ChoiceField
from studio.gui.forms.forms import SettingsForm
from studio.gui.run.run_starter import RunStarter
from studio.gui.state.setup import Setup
from studio.gui.widgets.foldable import Folds
from studio.gui.widgets.labels import wrapped_label
from studio.gui.widgets.layouts import column_of
from studio.gui.widgets.tab_order import follow_layout
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import tooltip
from studio.models.catalog import MODELS, misfit, model_spec
from studio.models.config import ModelConfig
from studio.training.config.run_config import RunConfig


class ModelSection(QWidget):
    """Chooses a model; the settings of each are remembered while another is looked at.

    Attributes:
        more: its settings.
    """

    def __init__(
        self, setup: Setup, starter: RunStarter, folds: Folds, theme: ThemeManager, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._setup, self._starter, self._folds, self._theme = setup, starter, folds, theme
        self._drafts: dict[str, ModelConfig] = {}
        self._forms: dict[str, SettingsForm] = {}
        self._shown = ""
        self._why = ""
        self._locked: tuple[str, bool, int] = ("", False, 0)
        self.choice = ChoiceField([(spec.kind, spec.title) for spec in MODELS])
        self.choice.setObjectName("model")
        self.choice.setAccessibleName("Model")
        for place, spec in enumerate(MODELS):
            self.choice.setItemData(place, tooltip(spec.summary, spec.measured), Qt.ItemDataRole.ToolTipRole)
        self.summary = wrapped_label("model_summary", "small")
        self.misfit = wrapped_label("model_misfit", "error")
        column_of(self.choice, self.summary, self.misfit, inside=self, spacing=theme.tokens.spacing // 2)
        self.more = QWidget()
        self._settings = column_of(inside=self.more)
        self.choice.edited.connect(self._chosen)
        setup.config_changed.connect(self._show_config)
        setup.dataset_changed.connect(self._show_misfit)
        self._show_config(setup.config)

    @Slot(object)
    def _show_config(self, config: RunConfig) -> None:
        spec = model_spec(config.model.kind)
        self._drafts[spec.kind] = config.model
        self.choice.show_value(spec.kind)
        self.choice.setToolTip(tooltip(spec.summary, spec.measured))
        self.summary.setText(spec.summary)
        self.summary.setToolTip(tooltip(spec.measured))
        if spec.kind not in self._forms:
            self._forms[spec.kind] = form = SettingsForm(spec.config, self._theme, folds=self._folds)
            form.changed.connect(self._edit)
            form.settled.connect(self._starter.send_live_settings)
            self._settings.addWidget(form)
            follow_layout(self.more)
        if spec.kind != self._shown:
            self._shown = spec.kind
            for kind, form in self._forms.items():
                form.setVisible(kind == spec.kind)
        self._forms[spec.kind].set_value(config.model)
        self.lock(self._why)
        self._show_misfit()

    @Slot()
    def _show_misfit(self) -> None:
        """Say at once why the model cannot learn the data set, if it cannot."""
        data = self._setup.images
        error = misfit(self._setup.config.model, planar=data is not None and data.plane is not None)
        self.misfit.setText(str(error or ""))
        self.misfit.setVisible(error is not None)

    def lock(self, why: str) -> None:
        """Let nothing be changed but what reaches the run under way; an empty `why` unlocks."""
        live = self._starter.model_is_live
        if (why, live, len(self._forms)) == self._locked:
            return  # asked at every report of the run
        self._why, self._locked = why, (why, live, len(self._forms))
        self.choice.setEnabled(not why)
        spec = model_spec(self._shown)
        self.choice.setToolTip(why or tooltip(spec.summary, spec.measured))
        for form in self._forms.values():
            form.setEnabled(not why or live)
            form.setToolTip(why if why and not live else "")
            form.lock(bool(why), why)

    @property
    def changes(self) -> int:
        """How many settings differ from the model's own."""
        return self._forms[self._shown].changes

    def show_error(self, error: UserError, path: Sequence[str]) -> None:
        self._forms[self._shown].show_error(error, path)

    @Slot(object)
    def _edit(self, config: ModelConfig) -> None:
        self._setup.edit(model=config)

    @Slot()
    def _chosen(self) -> None:
        kind = self.choice.raw()
        if kind != self._setup.config.model.kind:
            self._edit(self._drafts.get(kind) or model_spec(kind).config(kind=kind))

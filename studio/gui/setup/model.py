"""The model part of the set-up: which one, and its settings by the form that its fields make."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QWidget

from studio.data.planar.config import PlanarConfig
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
from studio.training.config.presets import usual_model
from studio.training.config.run_config import RunConfig


class ModelSection(QWidget):
    """Chooses a model; the settings of each are remembered while another is looked at.

    Attributes:
        more: its settings but for the foremost ones.
    """

    def __init__(
        self, setup: Setup, starter: RunStarter, folds: Folds, theme: ThemeManager, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._setup, self._starter, self._folds, self._theme = setup, starter, folds, theme
        self._drafts: dict[str, ModelConfig] = {}
        self._forms: dict[str, list[SettingsForm]] = {}  # of what is folded away, and of what is not
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
        self._foremost = column_of(
            self.choice, self.summary, self.misfit, inside=self, spacing=theme.tokens.spacing // 2
        )
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
            self._forms[spec.kind] = self._made(spec.config)
        if spec.kind != self._shown:
            self._shown = spec.kind
            for kind, forms in self._forms.items():
                for form in forms:
                    form.setVisible(kind == spec.kind)
        for form in self._forms[spec.kind]:
            form.set_value(config.model)
        self.lock(self._why)
        self._show_misfit()

    def _made(self, kind: type[ModelConfig]) -> list[SettingsForm]:
        forms = [SettingsForm(kind, self._theme, exclude=kind.FOREMOST, folds=self._folds)]
        self._settings.addWidget(forms[0])
        follow_layout(self.more)
        if kind.FOREMOST:
            forms.append(SettingsForm(kind, self._theme, only=kind.FOREMOST))
            self._foremost.addWidget(forms[1])
            follow_layout(self)
        for form in forms:
            form.changed.connect(self._edit)
            form.settled.connect(self._starter.send_live_settings)
        return forms

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
        for form in chain.from_iterable(self._forms.values()):
            form.setEnabled(not why or live)
            form.setToolTip(why if why and not live else "")
            form.lock(bool(why), why)

    @property
    def changes(self) -> int:
        """How many of the settings that are folded away differ from the model's own."""
        return self._forms[self._shown][0].changes

    def show_error(self, error: UserError, path: Sequence[str]) -> None:
        forms = self._forms[self._shown]
        forms[-1 if path and path[0] in self._setup.config.model.FOREMOST else 0].show_error(error, path)

    @Slot(object)
    def _edit(self, config: ModelConfig) -> None:
        self._setup.edit(model=config)

    @Slot()
    def _chosen(self) -> None:
        kind = self.choice.raw()
        if kind != self._setup.config.model.kind:
            points, draft = isinstance(self._setup.config.dataset, PlanarConfig), self._drafts.get(kind)
            untouched = draft is None or draft == usual_model(kind, points=not points)
            self._edit(usual_model(kind, points=points) if untouched or draft is None else draft)

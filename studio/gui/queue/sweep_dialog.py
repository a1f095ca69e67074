"""A sweep put together: which settings vary, over which values, how many seeds; shown as the runs that it comes to."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QCompleter,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from studio.errors import UserError
from studio.gui.queue.sweep_fields import SweptField, sweepable
from studio.gui.queue.sweep_form import SweepForm
from studio.gui.queue.sweep_row import SweepRow
from studio.gui.widgets.choice_box import ChoiceBox
from studio.gui.widgets.number_entry import MINUS
from studio.gui.widgets.number_format import format_eta
from studio.gui.widgets.style_property import set_style_property
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import set_help
from studio.jobs.sweep import Sweep
from studio.jobs.sweep_plan import Combination, SweepPlan, Varied
from studio.training.config.limit import StopCondition
from studio.training.config.run_config import RunConfig
from studio.training.config.sweep_mark import title_of

_SIZE = (760, 620)
_PAUSE = 150
"""Milliseconds after the last key until the runs are worked out."""

_MOST_SHOWN = 200

Seconds = Callable[[StopCondition, int], float | None]


class SweepDialog(QDialog):
    """Asks for a sweep over what is set up; `sweep` and `title` hold it once it is accepted.

    Args:
        config: what all runs have in common.
        class_names: of its data set.
        seconds: how long so many runs of a length take in the queue, about; None where that is not known.
    """

    def __init__(
        self,
        config: RunConfig,
        class_names: Sequence[str],
        seconds: Seconds,
        theme: ThemeManager,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("sweep_dialog")
        self.setWindowTitle("Sweep")
        self.resize(*_SIZE)
        self.sweep: Sweep | None = None
        self._config, self._seconds = config, seconds
        self._fields = {field.path: field for field in sweepable(config, class_names)}
        self.rows: list[SweepRow] = []
        self._settle = QTimer(self, interval=_PAUSE, singleShot=True)
        self._settle.timeout.connect(self.show_plan)
        column = QVBoxLayout(self)
        column.setSpacing(theme.tokens.spacing)
        column.addWidget(self._make_head())
        column.addWidget(self._make_area(theme), 3)
        column.addLayout(self._make_adding())
        self.form = SweepForm()
        self.form.changed.connect(self._later)
        column.addWidget(self.form)
        column.addWidget(self._make_summary())
        column.addWidget(self._make_preview(), 2)
        column.addWidget(self._make_buttons())
        self.vary(self._first_field())
        self.show_plan()

    @property
    def title(self) -> str:
        """What the sweep is to be called."""
        return self.form.title

    # -- building

    def _make_head(self) -> QLabel:
        name = self._config.name or f"{self._config.dataset.kind}-{self._config.model.kind}"
        head = QLabel(f"Every run is “{name}” as it is set up now, but for what varies here.", wordWrap=True)
        head.setTextFormat(Qt.TextFormat.PlainText)
        return head

    def _make_area(self, theme: ThemeManager) -> QScrollArea:
        content = QWidget()
        self._column = QVBoxLayout(content)
        self._column.setSpacing(theme.tokens.spacing)
        self._column.addStretch(1)
        area = QScrollArea()
        area.setObjectName("sweep_rows")
        area.setWidgetResizable(True)
        area.setWidget(content)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        set_help(area, "Settings that vary", "Each with the values that it takes.")
        area.setToolTip("")
        return area

    def _make_adding(self) -> QHBoxLayout:
        self.choice = ChoiceBox()
        self.choice.setObjectName("sweep_field")
        self.choice.setEditable(True)
        self.choice.setInsertPolicy(ChoiceBox.InsertPolicy.NoInsert)
        for field in self._fields.values():
            self.choice.addItem(field.label, field.path)
        completer = self.choice.completer()
        assert completer is not None
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        self.choice.setCurrentIndex(-1)
        line = self.choice.lineEdit()
        assert line is not None
        line.setPlaceholderText("Another setting: choose it, or type a part of its name")
        set_help(
            self.choice, "Setting to vary", "Any setting of the configuration. Type a part of its name to find it."
        )
        self.vary_button = QPushButton("&Vary it")
        self.vary_button.setObjectName("sweep_vary")
        self.vary_button.setAutoDefault(False)
        set_help(self.vary_button, "Vary it", "Let the setting that is chosen beside differ between the runs.")
        self.vary_button.clicked.connect(self._vary_chosen)
        row = QHBoxLayout()
        row.addWidget(self.choice, 1)
        row.addWidget(self.vary_button)
        return row

    def _make_summary(self) -> QLabel:
        self.summary = QLabel(wordWrap=True)
        self.summary.setObjectName("sweep_summary")
        self.summary.setTextFormat(Qt.TextFormat.PlainText)
        return self.summary

    def _make_preview(self) -> QListWidget:
        self.preview = QListWidget()
        self.preview.setObjectName("sweep_preview")
        self.preview.setMinimumHeight(60)
        set_help(self.preview, "Runs", "The runs that this comes to, in their order.")
        return self.preview

    def _make_buttons(self) -> QDialogButtonBox:
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.add = buttons.addButton("&Add to the queue", QDialogButtonBox.ButtonRole.AcceptRole)
        self.add.setObjectName("sweep_add")
        self.add.setDefault(True)
        buttons.button(QDialogButtonBox.StandardButton.Cancel).setAutoDefault(False)
        set_help(self.add, "Add to the queue", "Queue these runs behind all others, as they are set up now.")
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        return buttons

    def _first_field(self) -> SweptField:
        """The offset of the class that is tilted most; it is what one is most likely to vary."""
        offsets = self._config.perturbation.offsets
        strongest = max(offsets, key=lambda name: abs(offsets[name]), default="")
        return self._fields.get(f"perturbation.offsets.{strongest}") or next(iter(self._fields.values()))

    # -- what the person does

    def vary(self, field: SweptField) -> SweepRow:
        """Let a setting vary, or go to it if it does already."""
        row = next((row for row in self.rows if row.field.path == field.path), None)
        if row is None:
            row = SweepRow(field)
            row.changed.connect(self._later)
            row.removed.connect(lambda row=row: self._remove(row))
            self.rows.append(row)
            self._column.insertWidget(self._column.count() - 1, row)
            self._later()
        row.values.setFocus()
        return row

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Return adds the setting that is being chosen, and not the sweep."""
        if self.choice.hasFocus() and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._vary_chosen()
        else:
            super().keyPressEvent(event)

    @Slot()
    def _vary_chosen(self) -> None:
        text = self.choice.currentText().strip().casefold()
        found = [field for field in self._fields.values() if text and text in field.label.casefold()]
        exact = [field for field in found if field.label.casefold() == text]
        if len(exact) == 1 or len(found) == 1:
            self.choice.setCurrentIndex(-1)
            self.vary((exact or found)[0])
        elif text:
            what = f"{len(found)} settings have" if found else "No setting has"
            self._say(f"{what} “{text}” in the name: choose one of the list.", "error")
            self.choice.setFocus()

    def _remove(self, row: SweepRow) -> None:
        self.rows.remove(row)
        self._column.removeWidget(row)
        row.hide()
        row.deleteLater()
        (self.rows[-1].values if self.rows else self.choice).setFocus()
        self._later()

    @Slot()
    def _later(self) -> None:
        self._settle.start()

    def accept(self) -> None:
        """Take the sweep as it stands, if it is one."""
        plan = self.show_plan()
        if plan is None:
            set_style_property(self.summary, "role", "error")  # what was only missing so far is a fault now
            return
        try:
            self.sweep = plan.sweep()
        except UserError as error:
            self._say(str(error), "error")
            return
        super().accept()

    # -- what is shown

    @Slot()
    def show_plan(self) -> SweepPlan | None:
        """Say what it comes to, or what is wrong; the plan, if nothing is."""
        self._settle.stop()
        self.form.name.setPlaceholderText(self._name())
        values = [row.show_state() for row in self.rows]
        fault = self.form.fault()
        plan = None
        if any(each is None for each in values):
            untouched = all(row.untouched for row, each in zip(self.rows, values, strict=True) if each is None)
            self._say(
                "Give the values above." if untouched else "Correct the values above.",
                "muted" if untouched else "error",
            )
        elif fault:
            self._say(fault, "error")
        else:
            plan = self._plan([each for each in values if each is not None])
            plan = self._show(plan)
        if plan is None:
            self.preview.clear()
        return plan

    def _plan(self, values: Sequence[tuple[object, ...]]) -> SweepPlan:
        return SweepPlan(
            base=self._config,
            varied=tuple(Varied(path=row.field.path, values=each) for row, each in zip(self.rows, values, strict=True)),
            combination=Combination(self.form.combination.currentData()),
            seeds=self.form.number_of_seeds,
            limit=self.form.limit,
        )

    def _show(self, plan: SweepPlan) -> SweepPlan | None:
        """Say how many runs there are, and list their names; None if it is no sweep."""
        try:
            number = plan.count()
            runs = plan.first(_MOST_SHOWN)
        except UserError as error:
            self._say(str(error), "error" if any(not row.untouched for row in self.rows) else "muted")
            return None
        names = [title_of(values).replace("=-", f"={MINUS}") for values in runs]
        more = [f"… and {number - len(names):,} more"] if number > len(names) else []
        self.preview.clear()
        self.preview.addItems([*names, *more])
        self._say(f"{number:,} runs{self._duration(plan.limit, number)}", "ok")
        return plan

    def _name(self) -> str:
        titles = " × ".join(row.field.title for row in self.rows)
        return f"{titles or 'Seeds'} of {self._config.name or self._config.model.kind}"[:80]

    def _duration(self, limit: StopCondition, number: int) -> str:
        seconds = self._seconds(limit, number)
        if seconds is None:
            return "; how long they take is known once one of them has ended."
        long = _spoken(seconds)
        return f", about {long} of training; through at about {format_eta(seconds)} if the queue runs from now on."

    def _say(self, text: str, role: str) -> None:
        self.summary.setText(text)
        set_style_property(self.summary, "role", role)


def _spoken(seconds: float) -> str:
    minutes = max(1, round(seconds / 60))
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes < 48 * 60 else f"{minutes / 1440:.1f} days"

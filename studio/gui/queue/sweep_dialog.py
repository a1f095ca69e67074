"""A sweep put together: a table of settings and the values they take, how many seeds, and the runs that it comes to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QSize, Qt, QTimer, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QCompleter,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QListWidget,
    QTableWidget,
    QWidget,
)

from studio.errors import UserError
from studio.gui.forms.number_field import NumberField, NumberStyle, Range
from studio.gui.queue.length import LengthField
from studio.gui.queue.sweep_fields import SweptField, sweepable
from studio.gui.queue.sweep_row import HOW, SweepRow
from studio.gui.widgets.buttons import push_button, tool_button
from studio.gui.widgets.choice_box import ChoiceBox
from studio.gui.widgets.labels import plain_label
from studio.gui.widgets.layouts import column_of, resize_to_fit, row_of
from studio.gui.widgets.number_entry import MINUS
from studio.gui.widgets.stylesheet import set_style_property
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import named, set_help
from studio.jobs.sweep import Sweep
from studio.jobs.sweep_plan import Combination, SweepPlan, Varied
from studio.number_text import format_eta, spoken_duration
from studio.training.config.run_config import RunConfig, StopCondition
from studio.training.config.run_title import kinds, own_name
from studio.training.config.sweep_mark import title_of

_SIZE = (760, 620)
_PAUSE = 150
"""Milliseconds after the last key until the runs are worked out."""
_MOST_SHOWN, _MOST_SEEDS = 200, 100
_COLUMNS = ("Setting", "Values", "Comes to", "")

Seconds = Callable[[StopCondition, int], float | None]


class SweepDialog(QDialog):
    """Asks for a sweep over what is set up; `sweep` and `title` hold it once it is accepted.

    Args:
        seconds, before: how long so many runs of a length take, and what is queued already; None where not known.
    """

    def __init__(
        self,
        config: RunConfig,
        class_names: Sequence[str],
        seconds: Seconds,
        before: float | None,
        theme: ThemeManager,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("sweep_dialog")
        self.setWindowTitle("Sweep")
        resize_to_fit(self, QSize(*_SIZE))
        self.sweep: Sweep | None = None
        self._config, self._seconds, self._before = config, seconds, before
        self._fields = {field.path: field for field in sweepable(config, class_names)}
        self.rows: list[SweepRow] = []
        self._settle = QTimer(self, interval=_PAUSE, singleShot=True)
        self._settle.timeout.connect(self.show_plan)
        name = own_name(config) or kinds(config)
        head = plain_label(f"Every run is “{name}” as it is set up now, but for what varies here. {HOW}", wraps=True)
        self.summary = plain_label(name="sweep_summary", wraps=True)
        self.preview = named(QListWidget(), "sweep_preview", "Runs", "The runs that this comes to, in their order.")
        self.preview.setMinimumHeight(60)
        parts = ((self._make_table(), 3), self._make_adding(), self._make_form(), self.summary, (self.preview, 2))
        column_of(head, *parts, self._make_buttons(), inside=self, margins=None, spacing=theme.tokens.spacing)
        self.vary(self._first_field())
        self.show_plan()

    # -- building

    def _make_table(self) -> QTableWidget:
        tip = "Each with the values that it takes."
        self.table = named(QTableWidget(0, len(_COLUMNS)), "sweep_rows", "Settings that vary", tip)
        self.table.setToolTip("")
        self.table.setHorizontalHeaderLabels(_COLUMNS)
        self.table.verticalHeader().hide()
        self.table.setSelectionMode(QTableWidget.SelectionMode.NoSelection)
        self.table.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        head = self.table.horizontalHeader()
        head.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        for place, mode in enumerate(("ResizeToContents", "Stretch", "Stretch", "ResizeToContents")):
            head.setSectionResizeMode(place, QHeaderView.ResizeMode[mode])
        return self.table

    def _make_adding(self) -> QHBoxLayout:
        tip = "Any setting of the configuration. Type a part of its name to find it."
        self.choice = named(ChoiceBox(), "sweep_field", "Setting to vary", tip)
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
        tip = "Let the setting that is chosen beside differ between the runs."
        self.vary_button = push_button("sweep_vary", "&Vary it", tip, self._vary_chosen)
        self.vary_button.setAutoDefault(False)
        return row_of((self.choice, 1), self.vary_button)

    def _make_form(self) -> QFormLayout:
        self.combination = ChoiceBox()
        for each in Combination:
            self.combination.addItem(each.label, each)
        self.combination.currentIndexChanged.connect(self._later)
        self.seeds = NumberField(NumberStyle(integer=True, step=1, unit="seeds"), Range(lowest=1, highest=_MOST_SEEDS))
        self.seeds.show_value(1)
        self.seeds.edited.connect(self._later)
        self.length = LengthField("sweep")
        self.length.changed.connect(self._later)
        self.name = QLineEdit(maxLength=80)
        combined = (
            "Every value of one setting with every value of the others; or side by side: the first value of each, then "
            "the second of each, and so on."
        )
        seeds = "Runs of each combination, with as many seeds: they tell chance from what a value does."
        form = QFormLayout()
        for title, widget, name, tip in (
            ("&Combine", self.combination, "combination", combined),
            ("R&uns of each", self.seeds, "seeds", seeds),
            ("&Name", self.name, "name", "What to call the sweep; also part of its runs' folders."),
        ):
            widget.setObjectName(f"sweep_{name}")
            set_help(widget, name.capitalize(), tip)
            form.addRow(title, widget)
        form.insertRow(2, "T&rain for", self.length)
        return form

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
            row.values.textChanged.connect(self._later)
            self.rows.append(row)
            place = len(self.rows) - 1
            self.table.insertRow(place)
            remove = tool_button("sweep_remove", "Remove", "Let it be the same in all runs again.")
            remove.setAccessibleName(f"Remove {field.label}")
            remove.clicked.connect(lambda _, row=row: self._remove(row))
            for column, widget in enumerate((row.title, row.values, row.message, remove)):
                self.table.setCellWidget(place, column, widget)
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
        self.table.removeRow(self.rows.index(row))
        self.rows.remove(row)
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

    @property
    def title(self) -> str:
        return self.name.text().strip() or self.name.placeholderText()

    @Slot()
    def show_plan(self) -> SweepPlan | None:
        """Say what it comes to, or what is wrong; the plan, if nothing is."""
        self._settle.stop()
        titles = " × ".join(row.field.title for row in self.rows)
        self.name.setPlaceholderText(f"{titles or 'Seeds'} of {own_name(self._config) or kinds(self._config)}"[:80])
        self.preview.clear()
        values = [row.show_state() for row in self.rows]
        missing = [row for row, each in zip(self.rows, values, strict=True) if each is None]
        if missing:
            faults = [row.message.text() for row in missing if not row.untouched]
            self._say(
                f"Correct the values above: {faults[0]}" if faults else "Give the values above.",
                "error" if faults else "muted",
            )
            return None
        fault = self._fault()
        if fault:
            self._say(fault, "error")
            return None
        return self._show([each for each in values if each is not None])

    def _fault(self) -> str:
        """What keeps the form from being taken; empty if nothing does."""
        if fault := self.seeds.fault():
            return fault
        seeds = self.seeds.raw()
        if not isinstance(seeds, int):
            return "The number of seeds must be whole."
        most = f"The number of seeds must lie from 1 to {_MOST_SEEDS}."
        return self.length.fault() if 1 <= seeds <= _MOST_SEEDS else most

    def _show(self, values: Sequence[tuple[Any, ...]]) -> SweepPlan | None:
        """Say how many runs there are, and list their names; the plan, or None if it is no sweep."""
        plan = SweepPlan(
            base=self._config,
            varied=tuple(Varied(path=row.field.path, values=each) for row, each in zip(self.rows, values, strict=True)),
            combination=Combination(self.combination.currentData()),
            seeds=int(self.seeds.raw()),
            limit=self.length.limit,
        )
        try:
            number, runs = plan.count(), plan.first(_MOST_SHOWN)
        except UserError as error:
            self._say(str(error), "error" if self.rows else "muted")
            return None
        self.preview.addItems([title_of(each).replace("=-", f"={MINUS}") for each in runs])
        if number > len(runs):
            self.preview.addItem(f"… and {number - len(runs):,} more")
        self._say(f"{number:,} runs{self._duration(plan.limit, number)}", "ok")
        return plan

    def _duration(self, limit: StopCondition, number: int) -> str:
        seconds = self._seconds(limit, number)
        if seconds is None:
            return "; how long they take is known once one of them has ended."
        long, end = spoken_duration(seconds), None if self._before is None else format_eta(self._before + seconds)
        through = "" if end is None else f"; through at about {end} if the queue runs from now on"
        return f", about {long} of training{through}."

    def _say(self, text: str, role: str) -> None:
        self.summary.setText(text)
        set_style_property(self.summary, "role", role)

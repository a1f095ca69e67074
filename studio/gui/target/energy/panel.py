"""The energy panel: ΔH(x, y) as a sum of rows, and what it makes of the data before anything is trained."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from studio.errors import UserError
from studio.gui.state.judge_offers import class_names_of, judges_on_offer, mended
from studio.gui.state.setup import Setup
from studio.gui.state.view_state import TiltView
from studio.gui.target.energy.add_term import AddTermButton
from studio.gui.target.energy.preview import EnergyPreview
from studio.gui.target.energy.sum_row import EnergySum
from studio.gui.target.energy.term_row import TermRow
from studio.gui.target.energy_control import EnergyControl
from studio.gui.target.target_control import TargetControl
from studio.gui.target.terms import KINDS, changed_value, fresh_term, label_help, observed, term_title
from studio.gui.widgets.buttons import icon_button
from studio.gui.widgets.panel import LivePanel
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import set_help, tooltip
from studio.training.config.energy import (
    ColumnTermConfig,
    EnergyConfig,
    JudgeTermConfig,
    TermConfig,
)

_EMPTY = "Terms of the energy beside the class offsets appear here.\nOpen a data set under “Set-up” first."
_NO_TERMS = "No terms yet: {alone}. “Add term” favours slanted, thick or any other examples."
_ROWS_LEAST = 92


def _shape(term: TermConfig) -> tuple[object, ...]:
    """What makes a row another one: its kind, and whose classes it chooses from."""
    return type(term), term.data if isinstance(term, JudgeTermConfig) else ""


class EnergyPanel(LivePanel):
    """Rows of terms above a preview of the target."""

    NAME = "energy"
    TITLE = "Energy"

    def __init__(
        self,
        setup: Setup,
        target: TargetControl,
        energies: EnergyControl,
        theme: ThemeManager,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, parent)
        self._setup, self._target, self._energies = setup, target, energies
        self.rows: list[TermRow] = []
        self._focus_new = False
        self._faulty = False
        self._fixed = False  # it is the target of a run from disk
        self._left: QWidget | None = None  # had the keyboard before an edit had to wait
        self._offered: tuple[object, ...] = ()  # features, classes and judges that rows choose from
        self.sum = EnergySum(theme, self)
        self.preview = EnergyPreview(theme)
        self.message = QLabel(wordWrap=True)
        self.message.setObjectName("energy_message")
        self.message.setProperty("role", "error")
        self.message.setTextFormat(Qt.TextFormat.PlainText)
        self.message.hide()
        self.body.addLayout(self._toolbar())
        for part in (self._rows_area(), self.preview):
            # By the stretches alone: a plot would else ask for most of the height.
            part.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Ignored)
        self.body.addWidget(self._area, 1)
        self.body.addWidget(self.message)
        self.body.addWidget(self.sum.cost)
        self.body.addWidget(self.preview, 1)
        self.show_empty(_EMPTY)
        self._connect()
        self._on_dataset(target.data.view)
        self._on_config()

    def _toolbar(self) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(self.theme.tokens.spacing // 2)
        self.add = AddTermButton()
        self.add.chosen.connect(self._add_chosen)
        line.addWidget(self.add)
        self.busy = QLabel("measuring…")
        self.busy.setObjectName("energy_busy")
        self.busy.setProperty("role", "warning")
        set_help(self.busy, "Measuring", "A feature of every example is being measured; Cancel is in the status bar.")
        self.busy.hide()
        line.addWidget(self.busy)
        line.addStretch(1)
        line.addWidget(self.sum.controls)
        stack = self._setup.undo_stack
        self._undo = icon_button(
            self.theme, "undo", "energy_undo", "Undo", "Undo the last edit of the target (Ctrl+Z)."
        )
        self._redo = icon_button(
            self.theme, "redo", "energy_redo", "Redo", "Redo the edit that was undone (Ctrl+Shift+Z)."
        )
        for button, act, able, changed in (
            (self._undo, stack.undo, stack.canUndo(), stack.canUndoChanged),
            (self._redo, stack.redo, stack.canRedo(), stack.canRedoChanged),
        ):
            button.clicked.connect(act)
            button.setEnabled(able)
            changed.connect(button.setEnabled)
            line.addWidget(button)
        return line

    def _rows_area(self) -> QScrollArea:
        inside = QWidget()
        self._column = QVBoxLayout(inside)
        half = self.theme.tokens.spacing // 2
        self._column.setContentsMargins(half, half, half, half)
        self._column.setSpacing(half)
        self._nothing = QLabel(wordWrap=True)
        self._nothing.setProperty("role", "muted")
        self._nothing.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._column.addWidget(self.sum.offsets_row)
        self._column.addWidget(self._nothing)
        self._column.addStretch(1)
        self._area = QScrollArea()
        self._area.setObjectName("energy_rows")
        self._area.setAccessibleName("Terms of the energy")
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.StyledPanel)
        self._area.setMinimumHeight(_ROWS_LEAST)
        self._area.setWidget(inside)
        return self._area

    def _connect(self) -> None:
        self._target.data.dataset_changed.connect(self._on_dataset)
        self._target.data.dataset_changed.connect(self._on_config)
        self._target.data.target_changed.connect(self._on_config)
        self._setup.config_changed.connect(self._on_config)
        self._target.changed.connect(self._on_tilt)
        self._energies.rejected.connect(self._reject)
        self._energies.busy_changed.connect(self._on_busy)
        self._energies.trying_changed.connect(self._on_trying)
        self.sum.edited.connect(self._set_energy)
        self.preview.wanted.connect(self._measure_for_preview)

    # -- state in

    @property
    def energy(self) -> EnergyConfig:
        """What counts now."""
        return self._target.data.config.perturbation.energy_part()

    @Slot(object)
    def _on_dataset(self, dataset: object) -> None:
        measured = self._target.data.measured
        if dataset is None or measured is None:
            self.show_empty(self._target.data.missing or _EMPTY)
            return
        self.show_body()
        self._offer_observables()
        labelled = measured is not None and len(measured.class_names) > 1
        alone = "the class offsets alone tilt the target" if labelled else "nothing tilts the target"
        self._nothing.setText(_NO_TERMS.format(alone=alone))
        judges = judges_on_offer(self._target.data.judges)
        offered = (tuple(feature.name for feature in measured.features), measured.class_names, judges)
        if offered != self._offered:
            self._offered = offered
            self.add.offer(measured.features, judges)
            self._rebuild(self.energy.terms)
        self.request_draw()

    def _offer_observables(self) -> None:
        if self._target.data.measured is not None:
            self.preview.offer(self._energies.observables())

    @Slot()
    def _on_config(self) -> None:
        energy = self.energy
        if self._fixed != bool(self._target.data.fixed):
            self._fixed = not self._fixed
            self._let_edit(not self._fixed)
        self.sum.show_energy(energy)
        self._offer_observables()
        if [_shape(row.term) for row in self.rows] == [_shape(term) for term in energy.terms]:
            for row, term in zip(self.rows, energy.terms, strict=True):
                row.show_term(term)
        else:
            self._rebuild(energy.terms)

    def _rebuild(self, terms: tuple[TermConfig, ...]) -> None:
        """Rows anew, because one came or went."""
        for row in self.rows:
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        measured, dataset = self._target.data.measured, self._target.data.view
        features = measured.features if measured is not None else ()
        about_label = label_help(dataset.class_names) if dataset is not None else ""
        helps = {
            kind: tooltip(text, about_label if kind.__name__.startswith("Formula") else "") for kind, _, text in KINDS
        }
        judges = self._target.data.judges
        self.rows = [
            TermRow(term, place, features, class_names_of(judges, term), self.theme, helps[type(term)])
            for place, term in enumerate(terms)
        ]
        for row in self.rows:
            self._column.insertWidget(self._column.count() - 1, row)
            row.show()  # at once, so that it can have the keyboard
            row.edited.connect(self._edit)
            row.removed.connect(self._remove)
            row.chosen.connect(self._choose)
            row.told.connect(self._show_row)
        self._nothing.setVisible(not self.rows)
        self.message.hide()
        if self._focus_new and self.rows:
            self._focus_new = False
            self._choose(len(self.rows) - 1)
            self._go_to(self.rows[-1])

    @Slot(int)
    def edit_term(self, place: int) -> None:
        """Put the keyboard into a term; where there is none, open the menu of those that can be added."""
        if 0 <= place < len(self.rows):
            self._choose(place)
            self._go_to(self.rows[place])
        else:
            self.add.setFocus(Qt.FocusReason.OtherFocusReason)
            self.add.menu().popup(self.add.mapToGlobal(self.add.rect().bottomLeft()))

    def _go_to(self, row: TermRow) -> None:
        own = [name for name in row.fields if name not in ("enabled", "scale", "feature", "data", "of")]
        target = row.fields[own[0]]
        if isinstance(target, QWidget):
            target.setFocus(Qt.FocusReason.OtherFocusReason)
        if isinstance(target, QLineEdit):
            target.selectAll()
        self._show_row(row.place)

    @Slot(int)
    def _show_row(self, place: int) -> None:
        """Scroll to a row, once it has the size that it takes."""
        QTimer.singleShot(0, self, lambda: self._scroll_to(place))

    def _scroll_to(self, place: int) -> None:
        if place < len(self.rows):
            self._area.ensureWidgetVisible(self.rows[place])

    @Slot(object)
    def _on_tilt(self, tilt: TiltView | None) -> None:
        self.request_draw()

    @Slot(bool)
    def _on_busy(self, busy: bool) -> None:
        self.busy.setVisible(busy)
        if not busy:
            self.request_draw()

    @Slot(bool)
    def _on_trying(self, trying: bool) -> None:
        """An edit waits for values: another one would be lost."""
        if trying:
            focus = QApplication.focusWidget()
            self._left = focus if focus is not None and self.isAncestorOf(focus) else None
        self._let_edit(not trying)
        if not trying and self._left is not None and isValid(self._left):
            self._left.setFocus(Qt.FocusReason.OtherFocusReason)

    def _let_edit(self, free: bool) -> None:
        for widget in (self.add, self._area, self.sum.controls):
            widget.setEnabled(free)

    def draw(self) -> None:
        """Show the newest target."""
        tilt, loaded = self._target.tilt, self._target.data.loaded
        if tilt is None or loaded is None or len(loaded.measured) != len(tilt.dataset.labels):
            return
        self._offer_observables()  # of a data set that has come just now, too
        self.sum.show_tilt(tilt, loaded.measured.remarks(tilt.perturbation.energy.names))
        if tilt.fault is not None:
            self._reject(tilt.fault)
        elif self._faulty:
            self._forget_faults()
        self._faulty = tilt.fault is not None
        self.preview.show_tilt(tilt, loaded.measured, loaded.images)

    def _forget_faults(self) -> None:
        """The terms fit again, as after a change of the data set."""
        self.message.hide()
        for row in self.rows:
            row.say("")

    @Slot(object)
    def _reject(self, error: UserError) -> None:
        """An edit that changed nothing: said at its row, or below the rows."""
        self._focus_new = False
        place = error.field.removeprefix("perturbation.terms.")
        if place.isdigit() and int(place) < len(self.rows):
            self.rows[int(place)].show_error(error)
            self.message.hide()
        else:
            self.message.setText(str(error))
            self.message.show()

    # -- intent out

    def _set_energy(self, energy: EnergyConfig, text: str) -> None:
        self.message.hide()
        self._target.set_energy(energy, text)

    def _set_terms(self, terms: list[TermConfig], text: str) -> None:
        self._set_energy(self.energy.model_copy(update={"terms": tuple(terms)}), text)

    @Slot(int, object)
    def _edit(self, place: int, term: TermConfig) -> None:
        self._energies.acquaint(term, lambda: self._take(place, term), self.rows[place].show_error)

    def _take(self, place: int, term: TermConfig) -> None:
        terms = list(self.energy.terms)
        what = changed_value(terms[place], term)
        terms[place] = term = mended(self._target.data.judges, term)
        self._choose(place)
        self._set_terms(terms, f"{what} of {term_title(term)} (term {place + 1})")

    @Slot(int)
    def _remove(self, place: int) -> None:
        terms = list(self.energy.terms)
        gone = terms.pop(place)
        self._set_terms(terms, f"Remove {term_title(gone)}")

    @Slot(int)
    def _choose(self, place: int) -> None:
        self.preview.choose(observed(self.rows[place].term))

    def _add(self, term: TermConfig) -> None:
        self._focus_new = True
        self._set_terms([*self.energy.terms, term], f"Add {term_title(term)}")

    @Slot(object)
    def _add_chosen(self, seed: TermConfig) -> None:
        """Add a term with numbers that fit the data."""
        energies, needed = self._energies, observed(seed)
        if isinstance(seed, ColumnTermConfig) or not needed:
            self._add(seed)
            return

        def add() -> None:
            assert energies.measured is not None
            self._add(fresh_term(seed, energies.measured.values(needed)))

        energies.prepare([needed], add, self._reject)

    @Slot(str)
    def _measure_for_preview(self, name: str) -> None:
        if not self._energies.busy:
            self._energies.prepare([name], self.request_draw, self._reject)

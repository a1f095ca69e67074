"""The energy panel: ΔH(x, y) as a sum of rows, and what it makes of the data before anything is trained."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QSizePolicy, QWidget
from shiboken6 import isValid

from studio.errors import UserError
from studio.gui.state.judge_offers import judges_on_offer, mended
from studio.gui.state.setup import Setup
from studio.gui.target.energy.add_term import AddTermButton
from studio.gui.target.energy.preview import EnergyPreview
from studio.gui.target.energy.sum_row import EnergySum
from studio.gui.target.energy.term_row import TermRow
from studio.gui.target.energy.term_rows import TermRows
from studio.gui.target.energy_control import EnergyControl
from studio.gui.target.target_control import TargetControl
from studio.gui.target.terms import changed_value, fresh_term, observed, term_title
from studio.gui.widgets.buttons import undo_buttons
from studio.gui.widgets.flow_layout import FlowLayout, flow_of
from studio.gui.widgets.labels import plain_label
from studio.gui.widgets.layouts import fill
from studio.gui.widgets.live_panel import LivePanel
from studio.gui.widgets.theme import ThemeManager
from studio.training.config.energy import ColumnTermConfig, EnergyConfig, TermConfig

_EMPTY = "Terms of the energy beside the class offsets appear here.\nChoose a data set under “Change…” first."
_NO_TERMS = "No terms yet: {alone}. “Add term” tilts by a feature, a formula, a file or a judge, too."


class EnergyPanel(LivePanel):
    """Rows of terms above a preview of the target."""

    NAME, TITLE = "energy", "Energy"

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
        self._faulty = False
        self._fixed = False  # it is the target of a run from disk
        self._left: QWidget | None = None  # had the keyboard before an edit had to wait
        self._offered: tuple[object, ...] = ()  # features, classes and judges that rows choose from
        self.sum = EnergySum(theme, self)
        self._rows = TermRows(self.sum.offsets_row, theme)
        self.preview = EnergyPreview(theme)
        self.message = plain_label(name="energy_message", role="error", wraps=True)
        self.message.hide()
        self.body.addLayout(self._toolbar())
        for part in (self._rows, self.preview):
            # By the stretches alone: a plot would else ask for most of the height.
            part.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Ignored)
        fill(self.body, (self._rows, 1), self.message, self.sum.cost, (self.preview, 1))
        self.show_empty(_EMPTY)
        self._connect()
        self._on_dataset(target.data.view)
        self._on_config()

    def _toolbar(self) -> FlowLayout:
        self.add = AddTermButton()
        self.add.chosen.connect(self._add_chosen)
        tip = "A feature of every example is being measured; Cancel is in the status bar."
        self.busy = plain_label("measuring…", name="energy_busy", role="warning", title="Measuring", tip=tip)
        self.busy.hide()
        self._undo, self._redo = undo_buttons(self.theme, self._setup.undo_stack, "energy_")
        parts = (self.add, self._undo, self._redo, self.busy, self.sum.controls)
        return flow_of(*parts, spacing=self.theme.tokens.spacing // 2)

    def _connect(self) -> None:
        self._target.data.dataset_changed.connect(self._on_dataset)
        self._target.data.dataset_changed.connect(self._on_config)
        self._target.data.target_changed.connect(self._on_config)
        self._setup.config_changed.connect(self._on_config)
        self._target.changed.connect(self.request_draw)
        self._energies.rejected.connect(self._reject)
        self._energies.busy_changed.connect(self._on_busy)
        self._energies.trying_changed.connect(self._on_trying)
        self.sum.edited.connect(self._set_energy)
        self._rows.edited.connect(self._edit)
        self._rows.removed.connect(self._remove)
        self._rows.chosen.connect(self._choose)
        self.preview.wanted.connect(self._measure_for_preview)

    # -- state in

    @property
    def rows(self) -> list[TermRow]:
        return self._rows.rows

    @property
    def energy(self) -> EnergyConfig:
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
        self._rows.nothing.setText(_NO_TERMS.format(alone=alone))
        judges = judges_on_offer(self._target.data.judges)
        offered = (tuple(feature.name for feature in measured.features), measured.class_names, judges)
        if offered != self._offered:
            self._offered = offered
            self.add.offer(measured.features, judges)
            self._show_terms(anew=True)
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
        self._show_terms()

    def _show_terms(self, *, anew: bool = False) -> None:
        if self._rows.show_terms(self.energy.terms, self._target.data, anew=anew):
            self.message.hide()

    @Slot(int)
    def edit_term(self, place: int) -> None:
        """Put the keyboard into a term; where there is none, open the menu of those that can be added, if any can."""
        if 0 <= place < len(self.rows):
            self._rows.go_to(place)
        elif self.add.isEnabled():
            self.add.setFocus(Qt.FocusReason.OtherFocusReason)
            self.add.menu().popup(self.add.mapToGlobal(self.add.rect().bottomLeft()))

    @Slot(bool)
    def _on_busy(self, busy: bool) -> None:
        self.busy.setVisible(busy)
        if not busy:
            self.request_draw()

    @Slot(bool)
    def _on_trying(self, trying: bool) -> None:
        """An edit waits for values: another one would be lost."""
        if trying:
            focus = self.window().focusWidget()  # also while the dialog that asked for a file has the keyboard
            self._left = focus if focus is not None and self.isAncestorOf(focus) else None
        self._let_edit(not trying)
        if not trying and self._left is not None and isValid(self._left):
            self._left.setFocus(Qt.FocusReason.OtherFocusReason)

    def _let_edit(self, free: bool) -> None:
        for widget in (self.add, self._rows, self.sum.controls):
            widget.setEnabled(free)

    def draw(self) -> None:
        tilt, loaded = self._target.tilt, self._target.data.loaded
        if tilt is None or loaded is None or len(loaded.measured) != len(tilt.dataset.labels):
            return
        self._offer_observables()  # of a data set that has come just now, too
        self.sum.show_tilt(tilt, loaded.measured.remarks(tilt.perturbation.energy.names))
        if tilt.fault is not None:
            self._reject(tilt.fault)
        elif self._faulty:
            self.message.hide()
            self._rows.forget_faults()
        self._faulty = tilt.fault is not None
        self.preview.show_tilt(tilt, loaded.measured, loaded.images)

    @Slot(object)
    def _reject(self, error: UserError) -> None:
        """An edit that changed nothing: said at its row, or below the rows."""
        self._rows.focus_newest(False)
        self.message.setText(str(error))
        self.message.setHidden(self._rows.say(error.field.removeprefix("perturbation.terms."), error))

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
        self._rows.focus_newest(True)
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

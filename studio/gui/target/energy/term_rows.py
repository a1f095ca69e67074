"""The terms of the energy, one row each, in a column that scrolls."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QFrame, QLineEdit, QScrollArea, QWidget

from studio.errors import UserError
from studio.gui.state.judge_offers import class_names_of
from studio.gui.target.energy.term_row import TermRow
from studio.gui.target.terms import KINDS, label_help
from studio.gui.timeline.subject_data import SubjectData
from studio.gui.widgets.labels import wrapped_label
from studio.gui.widgets.layouts import column_of
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import tooltip
from studio.training.config.energy import JudgeTermConfig, TermConfig

_LEAST_HEIGHT = 92


class TermRows(QScrollArea):
    """Rows are made anew only where a term came, went or is of another kind: the keyboard stays where it is."""

    edited = Signal(int, object)  # place, TermConfig: another valid term
    removed = Signal(int)  # place
    chosen = Signal(int)  # place: the person is at it

    def __init__(self, first: QWidget, theme: ThemeManager) -> None:
        """Below a first row, which is always there."""
        super().__init__()
        self._theme = theme
        self.rows: list[TermRow] = []
        self._focus_newest = False
        inside, half = QWidget(), theme.tokens.spacing // 2
        self.nothing = wrapped_label("", "muted")
        self._column = column_of(first, self.nothing, 1, inside=inside, margins=half, spacing=half)
        self.setObjectName("energy_rows")
        self.setAccessibleName("Terms of the energy")
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setMinimumHeight(_LEAST_HEIGHT)
        self.setWidget(inside)

    def show_terms(self, terms: tuple[TermConfig, ...], data: SubjectData, *, anew: bool = False) -> bool:
        """Show these terms; whether rows were made anew, as they are if what can be chosen from has changed."""
        if not anew and [_shape(row.term) for row in self.rows] == [_shape(term) for term in terms]:
            for row, term in zip(self.rows, terms, strict=True):
                row.show_term(term)
            return False
        for row in self.rows:
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        self.rows = self._made(terms, data)
        self.nothing.setVisible(not self.rows)
        for row in self.rows:
            self._column.insertWidget(self._column.count() - 1, row)
            row.show()  # at once, so that it can have the keyboard
            row.edited.connect(self.edited)
            row.removed.connect(self.removed)
            row.chosen.connect(self.chosen)
            row.told.connect(self._show_row)
        if self._focus_newest and self.rows:
            self._focus_newest = False
            self.go_to(len(self.rows) - 1)
        return True

    def _made(self, terms: tuple[TermConfig, ...], data: SubjectData) -> list[TermRow]:
        features = data.measured.features if data.measured is not None else ()
        about_label = label_help(data.view.class_names) if data.view is not None else ""
        helps = {
            kind: tooltip(text, about_label if kind.__name__.startswith("Formula") else "") for kind, _, text in KINDS
        }
        return [
            TermRow(term, place, features, class_names_of(data.judges, term), self._theme, helps[type(term)])
            for place, term in enumerate(terms)
        ]

    def focus_newest(self, wanted: bool) -> None:
        """The next term that comes has the keyboard, or has not."""
        self._focus_newest = wanted

    def go_to(self, place: int) -> None:
        """Put the keyboard into what is a term's own."""
        row = self.rows[place]
        own = [name for name in row.fields if name not in ("enabled", "scale", "feature", "data", "of")]
        field = row.fields[own[0]]
        self.chosen.emit(place)
        if isinstance(field, QWidget):
            field.setFocus(Qt.FocusReason.OtherFocusReason)
        if isinstance(field, QLineEdit):
            field.selectAll()
        self._show_row(place)

    def say(self, place: str, error: UserError) -> bool:
        """Say an error at the row that it names by its number; whether there is such a row."""
        if not place.isdigit() or int(place) >= len(self.rows):
            return False
        self.rows[int(place)].show_error(error)
        return True

    def forget_faults(self) -> None:
        """The terms fit again, as after a change of the data set."""
        for row in self.rows:
            row.say("")

    @Slot(int)
    def _show_row(self, place: int) -> None:
        """Scroll to a row, once it has the size that it takes."""

        def scroll() -> None:
            if place < len(self.rows):
                self.ensureWidgetVisible(self.rows[place])

        QTimer.singleShot(0, self, scroll)


def _shape(term: TermConfig) -> tuple[object, ...]:
    """What makes a row another one: its kind, and whose classes it chooses from."""
    return type(term), term.data if isinstance(term, JudgeTermConfig) else ""

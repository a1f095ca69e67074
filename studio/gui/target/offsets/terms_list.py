"""Energy terms below the classes: a switch each, what it says, and what it adds to the share that is tilted most."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QFrame, QLabel, QScrollArea, QWidget

from studio.gui.target.terms import kind_title, term_sign, term_words
from studio.gui.widgets.buttons import tool_button
from studio.gui.widgets.labels import plain_label
from studio.gui.widgets.layouts import column_of, row_of
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import set_help
from studio.number_text import fixed, percent
from studio.training.config.energy import TermConfig

_SHOWN = 3
_LONGEST = 44


class TermsList(QWidget):
    """Rows of terms, and the button that leads to more."""

    switched = Signal(int, bool)  # place, on
    opened = Signal(int)  # place of the term to edit; −1 to add one

    def __init__(self, theme: ThemeManager, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._terms: tuple[TermConfig, ...] = ()
        self._rows: list[_TermLine] = []
        self._area = QScrollArea()
        self._area.setObjectName("offsets_terms")
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setProperty("role", "bare")
        self._area.setWidgetResizable(True)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        title = "+ Tilt by a feature, a formula, a judge, a file…"
        tip = "Favour slanted, thick or any other examples: opens the panel “Energy”."
        self.add = tool_button("offsets_add_term", title, tip, lambda: self.opened.emit(-1))
        self.add.setProperty("kind", "link")
        column = column_of(self._area, inside=self, spacing=0)
        column.addWidget(self.add, 0, Qt.AlignmentFlag.AlignLeft)
        self.show_terms(())

    def show_terms(self, terms: tuple[TermConfig, ...]) -> None:
        """Show these; rows stay where there are as many, so that the keyboard does, too."""
        if len(terms) != len(self._rows) or self._area.widget() is None:
            rows = QWidget()
            column = column_of(inside=rows, spacing=0)
            self._rows = [_TermLine(self, place, self._theme.tokens.spacing) for place in range(len(terms))]
            for row in self._rows:
                column.addWidget(row)
            self._area.setWidget(rows)
            self._area.setVisible(bool(terms))
            each = max((row.sizeHint().height() for row in self._rows), default=0)
            self._area.setFixedHeight(each * min(_SHOWN, len(terms)) + 2 * self._area.frameWidth() + 2)
        self._terms = terms
        self.put_back()

    def put_back(self) -> None:
        """Have the switches show what counts, whatever was asked for."""
        for row, term in zip(self._rows, self._terms, strict=True):
            row.show_term(term)

    @property
    def effects(self) -> list[QLabel]:
        """What each term adds, in words."""
        return [row.effect for row in self._rows]

    def show_effects(self, name: str, shares: Sequence[tuple[float, float] | None]) -> None:
        """What each term does to a class.

        Args:
            name: of the class.
            shares: without the term and with it, in 0…1; None where that is not known or the term is off.
        """
        for label, term, share in zip(self.effects, self._terms, shares, strict=True):
            if share is None:
                label.setText("…" if term.enabled else "off")
                set_help(label, "Effect", "Not known yet." if term.enabled else "This term does not count.")
                continue
            without, with_it = share
            points = fixed(100 * abs(with_it - without), 1)
            says = f"adds {points} points to" if with_it >= without else f"takes {points} points from"
            label.setText(f"{says} {name}")
            said = f"“{name}” has {percent(with_it)} of the target, and without this term {percent(without)}."
            set_help(label, "Effect", said)


class _TermLine(QWidget):
    """One term."""

    def __init__(self, of: TermsList, place: int, spacing: int) -> None:
        super().__init__()
        self._place = place
        self._switch, self.effect = QCheckBox(), plain_label(name=f"offsets_term_{place}_effect", role="muted")
        self._switch.setObjectName(f"offsets_term_{place}")
        self._switch.clicked.connect(lambda on: of.switched.emit(place, on))
        self._text = tool_button(f"offsets_term_{place}_edit", "", "", lambda: of.opened.emit(place))
        self._text.setProperty("kind", "link")
        row_of(self._switch, self._text, 1, self.effect, inside=self, margins=(2, 0, spacing, 0))

    def show_term(self, term: TermConfig) -> None:
        words = term_words(term)
        self._switch.setChecked(term.enabled)
        set_help(self._switch, f"Term {self._place + 1}: {words}", "Whether this term counts.")
        short = words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"
        self._text.setText(f"{term_sign(term)}  {short}")
        set_help(self._text, f"Edit term {self._place + 1}", f"{kind_title(term)}: {words}. Edit it.")

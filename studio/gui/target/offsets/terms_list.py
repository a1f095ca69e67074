"""Energy terms below the classes: a switch each, what it says, and what it adds to the share that is tilted most."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from studio.gui.target.terms import kind_title, term_sign, term_words
from studio.gui.widgets.buttons import tool_button
from studio.gui.widgets.number_entry import MINUS
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import set_help
from studio.training.config.energy import TermConfig

_SHOWN = 3
_LONGEST = 44
_DIRECT = Qt.FindChildOption.FindDirectChildrenOnly


class TermsList(QWidget):
    """Rows of terms, and the button that leads to more."""

    switched = Signal(int, bool)  # place, on
    opened = Signal(int)  # place of the term to edit; −1 to add one

    def __init__(self, theme: ThemeManager, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._terms: tuple[TermConfig, ...] = ()
        self.effects: list[QLabel] = []
        self._area = QScrollArea()
        self._area.setObjectName("offsets_terms")
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setProperty("role", "bare")
        self._area.setWidgetResizable(True)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.add = tool_button(
            "offsets_add_term",
            "+ Tilt by a feature, a formula, a judge, a file…",
            "Favour slanted, thick or any other examples: opens the panel “Energy”.",
        )
        self.add.setProperty("role", "link")
        self.add.clicked.connect(lambda: self.opened.emit(-1))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._area)
        column.addWidget(self.add, 0, Qt.AlignmentFlag.AlignLeft)
        self.show_terms(())

    def show_terms(self, terms: tuple[TermConfig, ...]) -> None:
        """Rows anew where the terms are others."""
        if terms == self._terms and self._area.widget() is not None:
            return
        self._terms, self.effects = terms, []
        rows = QWidget()
        column = QVBoxLayout(rows)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for place, term in enumerate(terms):
            column.addWidget(self._row(place, term))
        self._area.setWidget(rows)
        self._area.setVisible(bool(terms))
        each = max((row.sizeHint().height() for row in rows.findChildren(QWidget, "", _DIRECT)), default=0)
        self._area.setFixedHeight(each * min(_SHOWN, len(terms)) + 2 * self._area.frameWidth() + 2)

    def _row(self, place: int, term: TermConfig) -> QWidget:
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(2, 0, self._theme.tokens.spacing, 0)
        switch = QCheckBox()
        switch.setObjectName(f"offsets_term_{place}")
        switch.setChecked(term.enabled)
        words = term_words(term)
        set_help(switch, f"Term {place + 1}: {words}", "Whether this term counts.")
        switch.clicked.connect(lambda on, place=place: self.switched.emit(place, on))
        short = words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"
        text = tool_button(
            f"offsets_term_{place}_edit", f"{term_sign(term)}  {short}", f"{kind_title(term)}: {words}. Edit it."
        )
        text.clicked.connect(lambda _=False, place=place: self.opened.emit(place))
        effect = QLabel()
        effect.setObjectName(f"offsets_term_{place}_effect")
        effect.setProperty("role", "muted")
        self.effects.append(effect)
        line.addWidget(switch)
        line.addWidget(text)
        line.addStretch(1)
        line.addWidget(effect)
        return row

    def show_effects(self, name: str, shares: Sequence[tuple[float, float] | None]) -> None:
        """What each term does to a class.

        Args:
            name: of the class.
            shares: without the term and with it, in 0…1; None where that is not known or the term is off.
        """
        for label, term, share in zip(self.effects, self._terms, shares, strict=False):
            if share is None:
                label.setText("…" if term.enabled else "off")
                set_help(label, "Effect", "Not known yet." if term.enabled else "This term does not count.")
                continue
            without, with_it = (100 * each for each in share)
            label.setText(f"adds {with_it - without:+.1f} % to {name}".replace("-", MINUS))
            set_help(
                label, "Effect", f"“{name}” has {with_it:.2f} % of the target, and without this term {without:.2f} %."
            )

"""One term of the energy as a row: on or off, scale, its own settings, and what is wrong with it."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QFrame, QLabel, QLayout, QWidget

from studio.errors import UserError
from studio.gui.forms.field_info import fault_text, make_field, title_of
from studio.gui.forms.fields import ChoiceField, Field, JudgeField, TextField
from studio.gui.target.energy.formula_field import FormulaField
from studio.gui.target.terms import kind_title
from studio.gui.widgets.buttons import icon_button
from studio.gui.widgets.flow_layout import flow_bar
from studio.gui.widgets.labels import plain_label
from studio.gui.widgets.layouts import column_of, row_of
from studio.gui.widgets.stylesheet import set_style_property
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import set_help
from studio.perturb.features import Feature
from studio.perturb.formula import LOG_ODDS, Formula, parse_formula
from studio.perturb.formula_text import FormulaError
from studio.perturb.terms import FormulaTerm
from studio.training.config.energy import FormulaTermConfig, JudgeTermConfig, TermConfig

_NUMBER_WIDTH, _FEATURE_WIDTH = 80, 126
_WIDE = ("text", "path")


class TermRow(QFrame):
    """A row; what is entered is checked by the term's own class.

    Args:
        term: what it shows at first; only terms of this kind can be shown later.
        place: its number, from 0.
        class_names: what the term's judge tells apart; any other term has no use for them.
    """

    edited = Signal(int, object)  # place, TermConfig: another valid term
    removed = Signal(int)  # place
    chosen = Signal(int)  # place: the person is at it
    told = Signal(int)  # place: something is wrong with it

    def __init__(
        self,
        term: TermConfig,
        place: int,
        features: tuple[Feature, ...],
        class_names: tuple[str, ...],
        theme: ThemeManager,
        help_text: str,
    ) -> None:
        super().__init__()
        self.place, self.term, self._features, self._class_names = place, term, features, class_names
        self._choices: dict[str, list[tuple[Any, str]]] = {
            "feature": [(feature.name, feature.title) for feature in features],
            "of": [(name, name) for name in class_names],
        }
        if isinstance(term, JudgeTermConfig) and term.of not in class_names:
            self._choices["of"].append((term.of, f"{term.of} (unknown to it)" if class_names else term.of))
        self.setObjectName(f"term_{place}")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAccessibleName(f"Term {place + 1}: {kind_title(term)}")
        self.fields: dict[str, Field] = {}
        self._parts: dict[str, QWidget] = {}  # fields with their labels
        self.message = plain_label(name="term_message", role="error", wraps=True)
        self.message.hide()
        half = theme.tokens.spacing // 2
        column_of(*self._made(theme, help_text), self.message, inside=self, margins=half, spacing=half)
        self.show_term(term)

    def _made(self, theme: ThemeManager, help_text: str) -> list[QWidget | QLayout]:
        """Short settings flow beside one another; a text gets a line of its own."""
        names = [name for name in type(self.term).model_fields if name not in ("kind", "enabled", "scale")]
        wide = [name for name in names if name in _WIDE]
        title = QLabel(kind_title(self.term))
        title.setToolTip(help_text)
        short = [_together(self._field("enabled"), title)]
        for name in ("feature", *names, "scale"):
            if name in type(self.term).model_fields and name not in (*wide, *self.fields):
                self._parts[name] = _together(*self._labelled(name))
                short.append(self._parts[name])
        tip, act = "Remove this term from the energy.", lambda: self.removed.emit(self.place)
        remove = icon_button(theme, "clear", "term_remove", "Remove this term", tip, act)
        line = row_of((flow_bar(*short, spacing=theme.tokens.spacing), 1), remove)
        line.setAlignment(remove, Qt.AlignmentFlag.AlignTop)
        return [line, *map(self._field, wide)]

    def _labelled(self, name: str) -> list[QWidget]:
        field = self._field(name)
        if name == "feature":
            return [field]
        label = plain_label(title_of(name, type(self.term).model_fields[name]), role="muted", of=field)
        return [label, field]

    def _field(self, name: str) -> QWidget:
        info = type(self.term).model_fields[name]
        field: Any
        if name in self._choices:
            field = ChoiceField(self._choices[name])
        elif name == "text":
            field = FormulaField(self._features)
        else:
            field = make_field(name, info)
        field.setObjectName(f"term_{name}")
        set_help(field, f"{title_of(name, info)} of term {self.place + 1}", info.description or "")
        if info.annotation is float:
            field.setFixedWidth(_NUMBER_WIDTH)
        elif name in self._choices or isinstance(field, JudgeField):
            field.setFixedWidth(_FEATURE_WIDTH)
        field.edited.connect(self._typed)
        field.finished.connect(self._finished)
        self.fields[name] = field
        return field

    # -- state in

    def show_term(self, term: TermConfig) -> None:
        """Show a term of the same kind; its message goes when another term than before counts."""
        if term != self.term:
            self.say("")
        self.term = term
        for name, field in self.fields.items():
            field.show_value(getattr(term, name))
        if isinstance(term, FormulaTermConfig):
            self._show_judge(FormulaTerm(text=term.text).formula())

    def show_error(self, error: UserError) -> None:
        """What was entered does not fit; it stays to be mended."""
        self.say(str(error))

    def say(self, text: str, name: str = "") -> None:
        """Show what is wrong, with this field marked; nothing is wrong if the text is empty."""
        self.message.setText(text)
        self.message.setVisible(bool(text))
        if text:
            self.told.emit(self.place)
        for each, field in self.fields.items():
            if isinstance(field, QWidget):
                set_style_property(field, "invalid", "true" if text and each == name else "false")

    # -- intent out

    def _entered(self) -> dict[str, Any]:
        return {"kind": self.term.kind} | {name: field.raw() for name, field in self.fields.items()}

    @Slot()
    def _typed(self) -> None:
        """At every keystroke: where a formula is wrong, said at once; all else waits until the entry is finished."""
        self.chosen.emit(self.place)
        text = self.fields.get("text")
        if not isinstance(self.term, FormulaTermConfig) or not isinstance(text, TextField):
            return
        try:
            names = [feature.name for feature in self._features]
            formula = parse_formula(text.raw(), names, self._class_names or None)
        except FormulaError as error:
            self.say(str(error), "text")
        else:
            self.say("")
            self._show_judge(formula)

    def _show_judge(self, formula: Formula) -> None:
        """Whose judge looks matters only where the formula asks for its log-odds."""
        self._parts["data"].setVisible(any(name.startswith(LOG_ODDS) for name in formula.variables))

    @Slot()
    def _finished(self) -> None:
        """At Enter or when the focus leaves: hand on what is valid, say what is not."""
        for name, field in self.fields.items():
            if fault := field.fault():
                self.say(fault, name)
                return
        try:
            term = type(self.term).model_validate(self._entered())
        except ValidationError as error:
            found = error.errors()[0]
            name = str(found["loc"][0]) if found["loc"] else ""
            self.say(fault_text(found, type(self.term).model_fields.get(name)), name)
            return
        if term != self.term:
            self.say("")
            self.edited.emit(self.place, term)


def _together(*widgets: QWidget) -> QWidget:
    """Widgets that stay on one line."""
    whole = QWidget()
    row_of(*widgets, inside=whole)
    return whole

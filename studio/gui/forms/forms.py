"""A form made from a Settings class: every row comes from the field's own title, help, unit and bounds.

A new model or data set brings its form along by declaring its fields with `studio.settings.setting`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from studio.errors import UserError
from studio.gui.forms.field_info import fault_text, make_field, settings_type, title_of
from studio.gui.forms.form_row import FormRow
from studio.gui.widgets.foldable import Foldable, Folds, open_around
from studio.gui.widgets.labels import plain_label
from studio.gui.widgets.layouts import column_of
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import tooltip
from studio.settings import Settings


class SettingsForm(QWidget):
    """Rows for a Settings class; what is entered is checked by the class itself.

    Args:
        defaults: what the reset buttons return to; ``kind()`` if absent.
        only: names of the fields to show; all that have an editor if absent.
        folds: which groups are open; all are folded away if absent.

    Attributes:
        changes: how many settings differ from what they are reset to.
    """

    changed = Signal(object)  # Settings: valid, and other than before; at every keystroke
    settled = Signal()  # the person is done with an entry; `value` holds it, or what it went back to

    def __init__(
        self,
        kind: type[Settings],
        theme: ThemeManager,
        parent: QWidget | None = None,
        *,
        defaults: Settings | None = None,
        only: Sequence[str] | None = None,
        exclude: Collection[str] = (),
        folds: Folds | None = None,
    ) -> None:
        super().__init__(parent)
        self._kind, self._theme = kind, theme
        self._value = self._settled = self._defaults = defaults if defaults is not None else kind()
        self._rows: dict[str, FormRow] = {}
        self._parts: dict[str, SettingsForm] = {}
        self._groups: dict[str, Foldable] = {}
        self.changes = 0
        self._folds = folds if folds is not None else Folds(self)
        names = [name for name in (only or kind.model_fields) if name not in exclude]
        self._make_rows(names)
        self._filled = False
        self._lay_out()
        self.set_value(self._value)

    # -- building

    def _make_rows(self, names: Sequence[str]) -> None:
        for name in names:
            info = self._kind.model_fields[name]
            default = getattr(self._defaults, name)
            if (part := settings_type(info)) is not None and isinstance(default, Settings):
                self._parts[name] = SettingsForm(part, self._theme, defaults=default, folds=self._folds)
                self._parts[name].setObjectName(name)
                self._parts[name].changed.connect(lambda value, name=name: self._take({name: value}))
                self._parts[name].settled.connect(self.settled)
            elif (field := make_field(name, info)) is not None:
                row = FormRow(name, info, field, default, self._theme, self)
                row.edited.connect(self._edited)
                row.finished.connect(self._finished)
                self._rows[name] = row

    def _lay_out(self) -> None:
        spacing = self._theme.tokens.spacing
        column = column_of(self._grid(spacing), inside=self, spacing=spacing // 2)
        for name, part in self._parts.items():
            info = self._kind.model_fields[name]
            self._groups[name] = fold = Foldable(name, title_of(name, info), part, self._folds, indent=spacing)
            fold.header.setToolTip(tooltip(info.description or ""))
            column.addWidget(fold)
        self._message = plain_label(name="form_message", role="error", wraps=True)
        self._message.hide()
        column.addWidget(self._message)
        column.addStretch(1)

    def _grid(self, spacing: int) -> QGridLayout:
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(spacing // 2)
        grid.setVerticalSpacing(spacing // 2)
        grid.setColumnStretch(0, 1)
        for row in self._rows.values():
            row.lay_out(grid)
        return grid

    # -- state in

    def value(self) -> Settings:
        """The newest valid settings."""
        return self._value

    def lock(self, on: bool, why: str = "") -> None:
        """Let nothing be changed but what may be while a run is under way.

        Args:
            why: tooltip of what is locked.
        """
        for row in self._rows.values():
            row.lock(on and not row.live, why)
        for part in self._parts.values():
            part.lock(on, why)

    @property
    def is_empty(self) -> bool:
        return not self._rows and not self._parts

    def set_value(self, settings: Settings) -> None:
        """Show settings, without a signal. Nothing happens where it shows them already."""
        old, self._value = self._value, settings
        shown = (*self._rows, *self._parts)
        if self._filled and all(getattr(old, name) == getattr(settings, name) for name in shown):
            self._on_value()  # others may have changed on which it depends what is of use
            return  # an entry that cannot be used yet stays, with its message
        self._filled = True
        self._settled = settings
        for name, row in self._rows.items():
            row.show_value(getattr(settings, name))
        for name, part in self._parts.items():
            part.set_value(getattr(settings, name))
        self._message.hide()
        self._on_value()

    def show_error(self, error: UserError, path: Sequence[str]) -> None:
        """Show an error from outside beside the field at `path`, or below the form if there is none."""
        if path and path[0] in self._parts:
            self._parts[path[0]].show_error(error, path[1:])
        else:
            self._say({path[0] if path else "": str(error)})

    # -- intent out

    def _edited(self) -> None:
        """At every keystroke: what is good is told at once, so that a start by shortcut takes it along."""
        faults = self._take(self._rows_entered()) | self._unreadable()
        for name, row in self._rows.items():
            row.reset.setVisible(not row.is_default)
            if name not in faults:
                row.say("")  # mended; a new fault waits until the entry is finished

    def _finished(self) -> None:
        """At Enter or when the focus leaves: what is no good in the end goes back to what it was before."""
        entries = self._rows_entered()
        _, faults = self._checked({**self._fields(self._value), **entries})
        faults |= self._unreadable()
        back = {name: getattr(self._settled, name) for name in self._rows if name in faults or "" in faults}
        self._take({**entries, **back})
        self._settled = self._value
        self._say(faults)
        self.settled.emit()

    def _rows_entered(self) -> dict[str, Any]:
        """What stands in the rows, those that cannot be read left out."""
        return {name: row.field.raw() for name, row in self._rows.items() if not row.field.fault()}

    def _unreadable(self) -> dict[str, str]:
        faults = {name: row.field.fault() for name, row in self._rows.items()}
        return {name: fault for name, fault in faults.items() if fault}

    def _fields(self, settings: Settings) -> dict[str, Any]:
        return {name: getattr(settings, name) for name in self._kind.model_fields}

    def _take(self, entries: Mapping[str, Any]) -> dict[str, str]:
        """Take over what is valid and tell of it; faults in words by field, "" for the whole."""
        before = self._fields(self._value)
        new, faults = self._checked({**before, **entries})
        if new is None:
            mended = {name: value for name, value in entries.items() if name not in faults}
            new, whole = self._checked({**before, **mended})
            faults = {**whole, **faults}
        if new is not None and new != self._value:
            self._value = new
            self._on_value()
            self.changed.emit(new)
        return faults

    def _checked(self, entries: Mapping[str, Any]) -> tuple[Settings | None, dict[str, str]]:
        try:
            return self._kind.model_validate(dict(entries)), {}
        except ValidationError as error:
            faults: dict[str, str] = {}
            for fault in error.errors():
                name = str(fault["loc"][0]) if fault["loc"] else ""
                faults.setdefault(name, fault_text(fault, self._kind.model_fields.get(name)))
            return None, faults

    def _say(self, faults: Mapping[str, str]) -> None:
        for name, row in self._rows.items():
            row.say(faults.get(name, ""))
        rest = " ".join(text for name, text in faults.items() if name not in self._rows)
        self._message.setText(rest)
        self._message.setVisible(bool(rest))
        if faults:
            open_around(self._message)

    def _on_value(self) -> None:
        """Leave out what has nothing to do under these settings; say how much of each group was changed."""
        used = [row for row in self._rows.values() if row.is_of_use(self._value)]
        for row in self._rows.values():
            row.set_shown(row in used)
        for name, fold in self._groups.items():
            fold.count(self._parts[name].changes)
        changed = sum(getattr(self._value, row.name) != row.default for row in used)
        self.changes = changed + sum(part.changes for part in self._parts.values())

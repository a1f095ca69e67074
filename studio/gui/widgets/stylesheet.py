"""The one style sheet, made from the tokens: only what a palette cannot say.

Fusion darkens the window's colour for the frames of fields and boxes, which in a dark window cannot be seen; so these
have frames of their own here, and with them focus rings that can.
"""

from __future__ import annotations

from pathlib import Path
from string import Template

from PySide6.QtWidgets import QWidget

from studio.paths import resources
from studio.theme_tokens import Tokens

_SHEET = Template("""
QToolTip { color: $text; background: $raised; border: 1px solid $border; padding: 4px; }
QMainWindow::separator { background: $window; width: 5px; height: 5px; }
QMainWindow::separator:hover { background: $accent; }
QDockWidget { font-weight: 600; }
QDockWidget::title { background: $window; border-bottom: 1px solid $border; padding: 5px 8px; text-align: left; }
QHeaderView, QTableCornerButton::section { background: $window; border: 0; }
QHeaderView::section { background: $window; color: $text; border: 0; border-right: 1px solid $border;
    border-bottom: 1px solid $border; padding: 3px 6px; }
QHeaderView[role="quiet"], QHeaderView[role="quiet"]::section { background: $surface; border: 0; color: $muted; }
QGroupBox { border: 1px solid $border; border-radius: ${radius}px; margin-top: 1.3ex; padding-top: 1.2ex; }
QGroupBox::title { subcontrol-origin: margin; left: 8px; padding: 0 4px; color: $muted; }
QStatusBar { background: $window; color: $muted; border-top: 1px solid $border; }
QStatusBar::item { border: 0; }

QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }
QPushButton { background: $raised; color: $text; border: 1px solid $border; border-radius: ${radius}px;
    padding: 4px 12px; min-height: 1.2em; }
QPushButton:hover { background: $hover; }
QPushButton:pressed, QPushButton:checked { background: $border; }
QPushButton:default { border-color: $accent; }
QPushButton:focus { border: 2px solid $focus; padding: 3px 11px; }
QPushButton:disabled { color: $disabled; background: $window; border-color: $grid; }

QToolButton { color: $text; border: 1px solid transparent; border-radius: ${radius}px; padding: 3px; }
QToolButton:hover { background: $hover; border-color: $border; }
QToolButton:pressed { background: $border; }
QToolButton:checked { background: $hover; border-color: $accent; }
QToolButton:focus { border: 2px solid $focus; padding: 2px; }
QToolButton:disabled { color: $disabled; }
QToolButton:checked:disabled { border-color: $border; }

QToolButton[kind="action"], QToolButton[kind="toggle"] { border-color: $border; padding: 3px 6px; }
QToolButton[kind="action"] { background: $raised; }
QToolButton[kind="action"]:hover { background: $hover; }
QToolButton[kind="toggle"] { border-radius: 9px; padding: 3px 9px; color: $muted; }
QToolButton[kind="toggle"]:checked { background: $chosen; border-color: $accent; color: $text; }
QToolButton[kind="choice"] { border-width: 0 0 2px 0; border-radius: 0; padding: 3px 6px; color: $muted; }
QToolButton[kind="choice"]:checked { background: transparent; border-color: $accent; color: $text; }
QToolButton[kind="action"]:focus { border: 2px solid $focus; padding: 2px 5px; }
QToolButton[kind="toggle"]:focus { border: 2px solid $focus; padding: 2px 8px; }
QToolButton[kind="choice"]:focus { border: 2px solid $focus; padding: 1px 4px; }
QToolButton[kind="link"] { color: $accent; padding: 3px 6px; }
QToolButton[kind="link"]:focus { border: 2px solid $focus; padding: 2px 5px; }
QToolButton[kind]:disabled { color: $disabled; border-color: $grid; background: transparent; }

QToolButton[role="big"], QToolButton[role="primary"] { background: $raised; border-color: $border; padding: 5px 14px; }
QToolButton[role="big"]:hover { background: $hover; }
QToolButton[role="big"]:disabled { background: $window; border-color: $grid; }
QToolButton[role="primary"]:enabled { background: $accent; border-color: $accent; color: $on_accent; font-weight: 600; }
QToolButton[role="primary"]:enabled:hover { background: $progress; }
QToolButton[role="big"]:focus, QToolButton[role="primary"]:focus { border: 2px solid $focus; padding: 4px 13px; }
QToolButton[role="primary"]:enabled:focus { border-color: $text; }
QToolButton[head="true"] { font-weight: 600; padding: 3px 6px; }
QToolButton[head="true"]:hover { border-color: transparent; }
QToolButton[menu="true"] { padding-right: 16px; }
QToolButton[menu="true"]:focus { padding-right: 15px; }
QToolButton[menu="true"]::menu-indicator { image: url("$pictures/arrow_down-$look.svg"); width: 9px; height: 9px;
    subcontrol-origin: padding; subcontrol-position: right center; right: 4px; }

QToolButton[chip="true"] { padding: 1px 4px; }
QToolButton[chip="true"]:checked { background: transparent; border-color: transparent; }
QToolButton[chip="true"]:!checked { color: $disabled; }
QToolButton[chip="true"]:hover { background: $hover; }
QToolButton[chip="true"]:focus { border: 1px solid $focus; padding: 1px 4px; }

QLineEdit, QAbstractSpinBox, QComboBox { background: $surface; color: $text; border: 1px solid $border;
    border-radius: ${radius}px; padding: 2px 4px; min-height: 1.25em;
    selection-background-color: $accent; selection-color: $on_accent; }
QLineEdit:focus, QAbstractSpinBox:focus, QComboBox:focus { border: 2px solid $focus; padding: 1px 3px; }
QLineEdit:disabled, QAbstractSpinBox:disabled, QComboBox:disabled { background: $window; color: $disabled;
    border-color: $grid; }
QLineEdit[invalid="true"], QAbstractSpinBox[invalid="true"] { border: 2px solid $error; padding: 1px 3px; }
QAbstractItemView QLineEdit, QAbstractItemView QAbstractSpinBox { border-radius: 0; padding: 0 1px; min-height: 0; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { border: 0; width: 16px; background: transparent; }
QAbstractSpinBox::up-button { subcontrol-origin: border; subcontrol-position: top right; margin: 1px 1px 0 0; }
QAbstractSpinBox::down-button { subcontrol-origin: border; subcontrol-position: bottom right; margin: 0 1px 1px 0; }
QAbstractSpinBox::up-button:hover, QAbstractSpinBox::down-button:hover { background: $hover; }
QAbstractSpinBox::up-arrow { image: url("$pictures/arrow_up-$look.svg"); width: 8px; height: 8px; }
QAbstractSpinBox::down-arrow { image: url("$pictures/arrow_down-$look.svg"); width: 8px; height: 8px; }
QComboBox { padding: 2px 3px 2px 6px; background: $raised; combobox-popup: 0; }
QComboBox:focus { padding: 1px 2px 1px 5px; }
QComboBox::drop-down { border: 0; width: 20px; }
QComboBox::down-arrow { image: url("$pictures/arrow_down-$look.svg"); width: 9px; height: 9px; }
QComboBox QAbstractItemView { background: $raised; }
QComboBox QAbstractItemView::item { padding: 3px 8px 3px 4px; }
QAbstractItemView { selection-background-color: $accent; selection-color: $on_accent; }

QCheckBox, QRadioButton { spacing: 6px; border: 1px solid transparent; border-radius: ${radius}px; padding: 1px 2px; }
QCheckBox::indicator, QRadioButton::indicator, QTableView::indicator { width: 13px; height: 13px;
    border: 1px solid $muted; background: $surface; }
QCheckBox::indicator, QTableView::indicator { border-radius: 3px; }
QRadioButton::indicator { border-radius: 7px; }
QCheckBox::indicator:checked, QTableView::indicator:checked { background: $accent; border-color: $accent;
    image: url("$pictures/tick-$look.svg"); }
QRadioButton::indicator:checked { background: $accent; border-color: $accent; image: url("$pictures/dot-$look.svg"); }
QCheckBox:focus, QRadioButton:focus { border-color: $focus; }
QCheckBox::indicator:disabled, QRadioButton::indicator:disabled { border-color: $border; background: $window; }
QCheckBox:disabled, QRadioButton:disabled { color: $disabled; }

QTabBar::tab { background: $window; color: $muted; border: 1px solid $border; padding: 4px 6px; margin-right: 1px; }
QTabBar::tab:selected { background: $surface; color: $text; }
QTabBar::tab:hover { color: $text; }
QTabBar::tab:top:selected { border-top: 2px solid $accent; }
QTabBar::tab:bottom:selected { border-bottom: 2px solid $accent; }
QTabBar::tab:focus { border-color: $focus; }
QTabBar[role="flat"]::tab, QTabBar[role="flat"]::tab:top:selected { background: transparent; border: 0;
    border-bottom: 2px solid transparent; padding: 5px 8px; margin: 0 8px 0 4px; }
QTabBar[role="flat"]::tab:top:selected { color: $accent; font-weight: 600; border-bottom: 2px solid $accent; }
QTabBar[role="flat"]::tab:focus { background: $hover; }
QTabWidget::pane { border: 1px solid $border; background: $surface; }

QSlider::groove:horizontal { background: $border; height: 4px; border-radius: 2px; }
QSlider::sub-page:horizontal { background: $accent; border-radius: 2px; }
QSlider::handle:horizontal { background: $raised; border: 1px solid $muted; width: 12px; margin: -5px 0;
    border-radius: 6px; }
QSlider::handle:horizontal:hover { border-color: $accent; }
QSlider:focus { border: 1px solid $focus; border-radius: ${radius}px; }
QSlider::handle:horizontal:disabled { background: $border; border-color: $border; }
QSlider::sub-page:horizontal:disabled { background: $border; }

QProgressBar { color: $text; background: $surface; border: 1px solid $border; border-radius: ${radius}px;
    text-align: center; min-height: 1.2em; }
QProgressBar::chunk { background: $progress; border-radius: ${inner}px; }
QAbstractScrollArea { border: 1px solid $border; }
QAbstractScrollArea:focus { border: 1px solid $focus; }
QAbstractScrollArea[role="bare"] { border: 0; background: transparent; }
QFrame[role="card"] QGraphicsView, QFrame[role="card"] QTableView, QFrame[role="card"] QScrollArea {
    border-color: transparent; }
QFrame[role="card"] QGraphicsView:focus, QFrame[role="card"] QTableView:focus { border-color: $focus; }
QFrame[role="card"] { background: $surface; border: 1px solid $border; border-radius: ${round}px; }
QFrame[role="toolbar"] { background: $surface; border: 0; border-bottom: 1px solid $border; }
QFrame#banner { border: 1px solid $border; border-radius: ${round}px; }
QFrame#banner[wide="true"] { background: $chosen; border-color: $chosen; border-radius: ${radius}px; }
QSplitter::handle { background: transparent; }
QSplitter::handle:hover { background: $border; }
QMenu { background: $raised; border: 1px solid $border; padding: 3px; }
QMenu::item { padding: 4px 22px 4px 22px; border-radius: ${inner}px; }
QMenu::item:selected { background: $accent; color: $on_accent; }
QMenu::item:disabled { color: $disabled; }
QMenu::separator { height: 1px; background: $border; margin: 3px 6px; }

QFrame[role="answer"] { background: $window; border: 1px solid $grid; border-radius: ${radius}px; }
QFrame[role="answer"][answer="ok"] { background: $arrived; border-color: $arrived; }
QLabel[strong="true"] { font-weight: 600; }
*[role="muted"] { color: $muted; }
*[role="small"] { color: $muted; font-size: ${font_small}pt; }
*[role="heading"] { font-size: ${font_large}pt; font-weight: 600; }
*[role="strong"] { font-weight: 600; }
*[role="warning"] { color: $warning; }
*[role="error"] { color: $error; }
*[role="ok"] { color: $ok; }
""")


def stylesheet(tokens: Tokens) -> str:
    """The sheet of one look; ``resources/pictures`` has what it draws, in the look's colours."""
    values: dict[str, object] = {name: getattr(tokens, name) for name in Tokens.__slots__}
    values |= {"pictures": _quoted(resources() / "pictures"), "look": "dark" if tokens.dark else "light"}
    values["inner"], values["round"] = max(0, tokens.radius - 1), 2 * tokens.radius
    return _SHEET.substitute(
        values,
        progress=_mixed(tokens.accent, tokens.surface),
        chosen=_mixed(tokens.accent, tokens.surface, 0.15),
        arrived=_mixed(tokens.ok, tokens.surface, 0.12),
    )


def _quoted(folder: Path) -> str:
    return folder.as_posix().replace("\\", "\\\\").replace('"', '\\"')


def _mixed(first: str, second: str, part: float = 0.5) -> str:
    """So much of the first colour in the second: what text stays legible on."""
    pairs = ((int(first[i : i + 2], 16), int(second[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(part * a + (1 - part) * b):02x}" for a, b in pairs)


def set_style_property(widget: QWidget, name: str, value: str) -> None:
    """Set a property such as ``role`` or ``invalid``, and have the style sheet notice, which it does not by itself."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)

"""The one style sheet, made from the tokens: only what a palette cannot say."""

from __future__ import annotations

from string import Template

from studio.gui.tokens import Tokens

_SHEET = Template("""
QToolTip { color: $text; background: $raised; border: 1px solid $border; padding: 4px; }
QMainWindow::separator { background: $window; width: 5px; height: 5px; }
QMainWindow::separator:hover { background: $accent; }
QDockWidget { font-weight: 600; }
QDockWidget::title { background: $window; border-bottom: 1px solid $border; padding: 5px 8px; text-align: left; }
QHeaderView::section { background: $window; color: $text; border: 0; border-right: 1px solid $border;
    border-bottom: 1px solid $border; padding: 3px 6px; }
QGroupBox { border: 1px solid $border; border-radius: ${radius}px; margin-top: 1.3ex; padding-top: 1.2ex; }
QGroupBox::title { subcontrol-origin: margin; left: 8px; padding: 0 4px; color: $muted; }
QToolBar { border: 0; border-bottom: 1px solid $border; spacing: 3px; padding: 3px; background: $window; }
QStatusBar { background: $window; color: $muted; border-top: 1px solid $border; }
QStatusBar::item { border: 0; }

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

QProgressBar { color: $text; background: $surface; border: 1px solid $border; border-radius: ${radius}px;
    text-align: center; min-height: 1.2em; }
QProgressBar::chunk { background: $progress; border-radius: ${inner}px; }
QAbstractScrollArea { border: 1px solid $border; }
QAbstractScrollArea:focus { border: 1px solid $focus; }
QMenu { background: $raised; border: 1px solid $border; padding: 3px; }
QMenu::item { padding: 4px 22px 4px 22px; border-radius: ${inner}px; }
QMenu::item:selected { background: $accent; color: $on_accent; }
QMenu::item:disabled { color: $disabled; }
QMenu::separator { height: 1px; background: $border; margin: 3px 6px; }

*[role="muted"] { color: $muted; }
*[role="small"] { color: $muted; font-size: ${font_small}pt; }
*[role="heading"] { font-size: ${font_large}pt; font-weight: 600; }
*[role="warning"] { color: $warning; }
*[role="error"] { color: $error; }
*[role="ok"] { color: $ok; }
""")


def stylesheet(tokens: Tokens) -> str:
    """The sheet of one look."""
    values = {name: getattr(tokens, name) for name in Tokens.__slots__}
    return _SHEET.substitute(values, inner=max(0, tokens.radius - 1), progress=_mixed(tokens.accent, tokens.surface))


def _mixed(first: str, second: str) -> str:
    """Halfway between two colours: a bar that text stays legible on."""
    pairs = ((int(first[i : i + 2], 16), int(second[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{(a + b) // 2:02x}" for a, b in pairs)

"""A look that is put on, and taken off again so that what comes after it in this process is as it would be alone."""

from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtWidgets import QApplication

from studio.gui.widgets.theme import ThemeManager


@contextmanager
def put_on(theme: ThemeManager, app: QApplication) -> Iterator[None]:
    """Dress the application for as long as the block lasts."""
    with look_kept(app):
        theme.apply(app)
        yield


@contextmanager
def look_kept(app: QApplication) -> Iterator[None]:
    """Whatever the block does to the application's look, undo it afterwards."""
    sheet, palette, style, font = app.styleSheet(), app.palette(), app.style().objectName(), app.font()
    try:
        yield
    finally:
        app.setStyleSheet("")  # a style that is changed under a sheet took windows with it that wait to be deleted
        app.setStyle(style)
        app.setPalette(palette)
        app.setFont(font)
        app.setStyleSheet(sheet)

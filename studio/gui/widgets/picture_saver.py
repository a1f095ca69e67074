"""Asks where a picture goes, writes it there whole or not at all, and says below the panel's body how that went."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QIODevice, QSaveFile, QStandardPaths, Qt
from PySide6.QtGui import QImage, QImageWriter
from PySide6.QtWidgets import QFileDialog, QLabel, QSizePolicy

from studio.errors import UserError
from studio.gui.widgets.stylesheet import set_style_property
from studio.gui.widgets.tooltip import tooltip


def save_png(picture: QImage, path: Path) -> None:
    """Write `picture` to `path`, replacing what is there only when all of it is written.

    Raises:
        UserError: the folder cannot be written to, or the disk is full.
    """
    file = QSaveFile(str(path))
    if file.open(QIODevice.OpenModeFlag.WriteOnly):
        writer = QImageWriter(file, b"png")
        if writer.write(picture):
            if file.commit():
                return
        else:
            file.cancelWriting()
    raise UserError(
        "The picture was not saved", f"{path}: {file.errorString()}", "Choose another folder, or free some space."
    )


class PictureSaver(QLabel):
    """The message, hidden until there is one; its line is kept free, so that nothing moves when it comes."""

    def __init__(self) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        policy.setRetainSizeWhenHidden(True)
        self.setSizePolicy(policy)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.hide()

    def ask(self, title: str, name: str, picture: Callable[[], QImage]) -> None:
        """Ask where to, and save.

        Args:
            name: of the file that is proposed, without its ending.
            picture: makes the picture, once it is known that it is wanted.
        """
        folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.PicturesLocation)
        start = str(Path(folder) / f"{name}.png")
        chosen, _ = QFileDialog.getSaveFileName(self.window(), title, start, "PNG picture (*.png)")
        if chosen:
            self.save(picture(), Path(chosen))

    def save(self, picture: QImage, path: Path) -> None:
        path = path if path.suffix else path.with_suffix(".png")
        try:
            save_png(picture, path)
        except UserError as error:
            self.say(str(error), "error")
        else:
            self.say(f"Saved {path}", "small")

    def say(self, text: str, role: str = "small") -> None:
        self.setText(" ".join(text.split()))
        self.setToolTip(tooltip(text))
        set_style_property(self, "role", role)
        self.show()

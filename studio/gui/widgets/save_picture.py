"""Write a picture as PNG: to a temporary name first, so that a full disk leaves no half of a file."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QIODevice, QSaveFile
from PySide6.QtGui import QImage, QImageWriter

from studio.errors import UserError


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
        "The picture was not saved",
        f"{path}: {file.errorString()}",
        "Choose another folder, or free some space.",
    )

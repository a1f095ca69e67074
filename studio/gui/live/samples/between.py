"""The way between two samples as a row, or between four as a square, in the panel of the samples."""

from __future__ import annotations

from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from studio.gui.widgets.image_view import ImageView
from studio.gui.widgets.labels import plain_label
from studio.gui.widgets.layouts import column_of
from studio.gui.widgets.number_format import whole
from studio.gui.widgets.pictures import GAP, mosaic
from studio.gui.widgets.tooltip import tooltip
from studio.training.messages.snapshot import Interpolation

_TIP = "Images on the arc between the latents of the samples. slerp(a, b; t) = [sin((1−t)Ω)·a + sin(tΩ)·b]/sin Ω."


class BetweenView(QWidget):
    """A picture, and above it what it is."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("samples_way")
        self._found: Interpolation | None = None
        self.picture = QImage()
        self.caption = plain_label(role="small")
        self.caption.setToolTip(tooltip(_TIP))
        self.view = ImageView("Between samples")
        self.view.describe = self._describe
        column_of(self.caption, (self.view, 1), inside=self, spacing=2)

    @property
    def step(self) -> int:
        """Of what is shown."""
        return self._found.step if self._found is not None else 0

    def wait(self) -> None:
        """Nothing is there yet."""
        self._found, self.picture = None, QImage()
        self.caption.setText("Drawing the way between the samples…")
        self.view.set_picture(None)

    def show_between(self, found: Interpolation) -> None:
        self._found, self.picture = found, mosaic(found.images, found.columns)
        places = ", ".join(str(point.place + 1) for point in found.points)
        weights = "EMA" if found.averaged else "raw"
        self.caption.setText(f"Between samples {places} by {weights} weights, step {whole(found.step)}")
        self.view.setAccessibleDescription(self.caption.text())
        self.view.set_picture(self.picture)

    def _describe(self, x: int, y: int) -> str:
        found = self._found
        if found is None:
            return ""
        height, width = found.images.shape[1:3]
        column, row = min(x // (width + GAP), found.columns - 1), y // (height + GAP)
        last = found.columns - 1
        across = f"{column / last:.0%} of the way to the right"
        return tooltip(across if len(found.points) == 2 else f"{across}, {row / last:.0%} of the way down", _TIP)

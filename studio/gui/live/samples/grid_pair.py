"""One sample grid by the raw weights and by their average: one of them, or both zoomed and scrolled together."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Slot
from PySide6.QtGui import QImage, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QLabel, QWidget

from studio.gui.widgets.labels import plain_label
from studio.gui.widgets.layouts import column_of
from studio.gui.widgets.pictures import mosaic
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tile_view import TileView
from studio.gui.widgets.tooltip import tooltip
from studio.number_text import whole
from studio.training.messages.snapshot import SampleGrid

TIPS = {
    "raw": "Samples by the weights as they are at this step.",
    "averaged": "Samples by a moving average of the weights, which is steadier. EMA: θ̄ ← d·θ̄ + (1 − d)·θ each step.",
}
TITLES = {"raw": "Raw", "averaged": "EMA"}


class GridPair(QWidget):
    """Side by side in wide room, one above the other in high room.

    Attributes:
        shown: which of "raw" and "averaged" are.
        pictures: of those that were drawn, by name.
    """

    def __init__(self, shown: Sequence[str], theme: ThemeManager) -> None:
        super().__init__()
        self.views = {name: TileView(f"Samples, {title}", theme) for name, title in TITLES.items()}
        self.pictures: dict[str, QImage] = {}
        self.shown = list(shown)
        self._grid: SampleGrid | None = None
        self._sides: dict[str, tuple[QWidget, QLabel]] = {}
        self._line = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._line.setContentsMargins(0, 0, 0, 0)
        for name, view in self.views.items():
            side = QWidget()
            caption = plain_label(TITLES[name], role="small", title=TITLES[name], tip=TIPS[name])
            column_of(caption, (view, 1), inside=side, spacing=2)
            self._line.addWidget(side, 1)
            self._sides[name] = (side, caption)
            view.describe = partial(self._describe, name)
            view.viewed.connect(partial(self._on_viewed, name))
            view.resized.connect(self._on_resized)
        self.show_only(shown)

    def show_only(self, names: Sequence[str]) -> None:
        self.shown = list(names)
        for name, (side, caption) in self._sides.items():
            side.setVisible(name in names)
            caption.setVisible(len(names) > 1)

    def show_grid(self, grid: SampleGrid) -> None:
        self._grid = grid
        self._reflow()
        for name in self.shown:
            self.pictures[name] = mosaic(grid.raw if name == "raw" else grid.averaged, self.views[name].columns)
            self.views[name].set_picture(self.pictures[name])

    def _reflow(self) -> bool:
        """Break the rows of both views where the images are largest in the first; whether that is elsewhere now."""
        before = [view.columns for view in self.views.values()]
        room = self.views[self.shown[0]].viewport().size()
        for view in self.views.values():
            view.fill(room)
        return before != [view.columns for view in self.views.values()]

    @Slot()
    def _on_resized(self) -> None:
        if self._grid is not None and self.shown and self._reflow():
            self.show_grid(self._grid)

    def _on_viewed(self, name: str) -> None:
        for other, view in self.views.items():
            if other != name:
                view.follow(self.views[name])

    def _describe(self, name: str, x: int, y: int) -> str:
        grid, view = self._grid, self.views[name]
        place = view.place_at(x, y)
        if grid is None or place is None:
            return ""
        stays = "It is pinned." if place in view.pinned else "Its latent stays the same until others are rolled."
        return tooltip(
            f"Sample {place + 1} of {len(grid.raw)} at step {whole(grid.step)}, {TITLES[name]} weights. {stays}",
            "Click to pick it, Ctrl+click to pick more.",
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wide = self.width() >= self.height()
        self._line.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)

"""What one does with single samples: pick some, pin them, roll others, and ask for the way between two or four."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from studio.gui.live.samples.latent_control import LatentControl, LatentView
from studio.gui.widgets.buttons import icon_button, toggle_button
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tile_view import TileView
from studio.gui.widgets.tooltip import set_help
from studio.training.messages.latents import LatentPoint
from studio.training.messages.snapshot import SampleGrid

_REROLL = "Draw samples from other latents; pinned ones stay. z ~ N(0, 1) from a new seed, which the run keeps. Key R."
_PIN = "Keep the picked samples where they are when others are rolled, or let them go again. Key P."
_BETWEEN = (
    "The way between two picked samples as a row, between four as a square. Spherical interpolation of their latents. "
    "Key B."
)
_PICK = "Pick two or four samples first: click one, Ctrl+click others, or arrow keys and Space."


class SamplePicks(QObject):
    """Picks of both views, which are the same samples, and their buttons.

    Keys work within the parent, which is the panel.
    """

    changed = Signal()  # picks or pins

    def __init__(self, control: LatentControl, views: Sequence[TileView], theme: ThemeManager, parent: QWidget) -> None:
        super().__init__(parent)
        self._control, self._views = control, views
        self._grid: SampleGrid | None = None
        self._withheld = ""
        self.reroll = icon_button(theme, "reroll", "samples_reroll", "Re-roll", _REROLL, control.reroll)
        self.pin = icon_button(theme, "pin", "samples_pin", "Pin", _PIN)
        self.pin.setCheckable(True)
        self.pin.clicked.connect(self._pin_or_unpin)
        self.between = toggle_button("samples_between", "Between", _BETWEEN)
        for key, button in (("R", self.reroll), ("P", self.pin), ("B", self.between)):
            shortcut = QShortcut(QKeySequence(key), parent, button.click)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.setWhatsThis(button.accessibleName())
        for view in views:
            view.picks_changed.connect(self._on_picks)
        control.changed.connect(self._show)
        self._show(control.view)

    @property
    def points(self) -> list[LatentPoint]:
        """Latents of the picked samples, in the order of picking."""
        latents = self._grid.latents if self._grid is not None else None
        return [latents.at(place) for place in self._views[0].picked] if latents is not None else []

    @property
    def pinned(self) -> set[int]:
        """Places of the favourites among the samples that are shown."""
        chosen, shown = self._control.view.latents, self._grid.latents if self._grid is not None else None
        if chosen is None or shown is None:
            return set()
        return {place for place, seed in chosen.pins.items() if shown.at(place).seed == seed}

    @property
    def blocked(self) -> str:
        """Why nothing can be done with picked samples, in a sentence; empty where something can."""
        return self._withheld or self._control.view.pick_blocked

    def withhold(self, why: str) -> None:
        """Leave samples as they are for that reason, in a sentence; until it is empty."""
        self._withheld = why
        self._show(self._control.view)

    def show_grid(self, grid: SampleGrid) -> None:
        self._grid = grid
        for view in self._views:
            view.set_tiles(*grid.raw.shape[:3])
        self._control.show_grid(grid)
        self._show(self._control.view)

    def forget(self) -> None:
        self._grid = None
        for view in self._views:
            view.show_picks(())
        self._show(self._control.view)

    @Slot()
    def _pin_or_unpin(self) -> None:
        points = self.points
        if all(point.place in self.pinned for point in points):
            self._control.unpin(points)
        else:
            self._control.pin(points)
        self._show(self._control.view)

    @Slot(object)
    def _on_picks(self, picked: tuple[int, ...]) -> None:
        for view in self._views:
            view.show_picks(picked)
        self._show(self._control.view)
        self.changed.emit()

    @Slot(object)
    def _show(self, view: LatentView) -> None:
        pinned, points = self.pinned, self.points
        for tiles in self._views:
            tiles.show_pins(pinned)
        blocked, no_others = self.blocked, self._withheld or view.reroll_blocked
        self.reroll.setEnabled(not no_others)
        set_help(self.reroll, "Re-roll", no_others or _REROLL)
        self.pin.setEnabled(bool(points) and not blocked)
        self.pin.setChecked(bool(points) and all(point.place in pinned for point in points))
        set_help(self.pin, "Pin", blocked or (_PIN if points else f"{_PIN} {_PICK}"))
        enough = len(points) in (2, 4) and not blocked
        self.between.setEnabled(enough or self.between.isChecked())
        set_help(self.between, "Between", blocked or (_BETWEEN if enough else f"{_BETWEEN} {_PICK}"))

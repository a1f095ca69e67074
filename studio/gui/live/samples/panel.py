"""Generated images from latents that stay the same, by the raw and by the averaged weights, and ways between them."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QColor, QImage, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QBoxLayout, QButtonGroup, QLabel, QToolButton, QVBoxLayout, QWidget

from studio.errors import UserError
from studio.gui.live.samples.at_once_control import AtOnceControl, AtOnceView
from studio.gui.live.samples.at_once_view import AtOncePictures
from studio.gui.live.samples.between import BetweenView
from studio.gui.live.samples.latent_control import LatentControl
from studio.gui.live.samples.picks import SamplePicks
from studio.gui.timeline.time_cursor import TimeCursor
from studio.gui.widgets.buttons import icon_button, toggle_button
from studio.gui.widgets.flow_layout import FlowLayout
from studio.gui.widgets.image_view import ImageView
from studio.gui.widgets.number_format import FIGURE_SPACE, whole
from studio.gui.widgets.panel import LivePanel
from studio.gui.widgets.picture_saver import PictureSaver
from studio.gui.widgets.pictures import mosaic, side_by_side
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tile_view import TileView
from studio.gui.widgets.tooltip import set_help, tooltip
from studio.training.messages.snapshot import Interpolation, SampleGrid, Snapshot
from studio.training.storage.frames import Frame

_EMPTY = (
    "Images that the model generates, always from the same random numbers, so that you see each one change.\n"
    "Press Start to train; the first grid comes within seconds."
)
_TIPS = {
    "raw": "Samples by the weights as they are at this step.",
    "averaged": "Samples by a moving average of the weights, which is steadier. EMA: θ̄ ← d·θ̄ + (1 − d)·θ each step.",
}
_ONCE = (
    "What the trained model gives of the target in the table without training: its draws are kept or repeated by "
    "exp(−δH). Edits are answered within seconds. (A)"
)
_TITLES = {"raw": "Raw", "averaged": "EMA"}


class SamplesPanel(LivePanel):
    """Sample grids."""

    NAME = "samples"
    TITLE = "Samples"
    OF_RUN = True

    def __init__(
        self,
        time: TimeCursor,
        latents: LatentControl,
        once: AtOnceControl,
        theme: ThemeManager,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, parent)
        self._latents, self._once, self._others = latents, once, ""
        self._grid: SampleGrid | None = None
        self._pictures: dict[str, QImage] = {}
        self._chosen = "averaged"
        self._averaged = True  # what the way between samples is drawn by
        self.views = {name: TileView(f"Samples, {title}", theme) for name, title in _TITLES.items()}
        self.picks = SamplePicks(latents, list(self.views.values()), theme, self)
        self.picks.changed.connect(self._on_picks)
        self.way = BetweenView()
        self.once = AtOncePictures(once)
        for other in (self.way, self.once):
            other.hide()
        self._leave = QShortcut(QKeySequence(Qt.Key.Key_Escape), self, self._back_to_trained)
        self._leave.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        self._leave.setWhatsThis("Back")
        self._leave.setEnabled(False)  # else the picks have it
        self._sides: dict[str, QWidget] = {}
        self._time = time
        self._captions: list[QLabel] = []
        self.saver = PictureSaver()
        self.body.addWidget(self._controls())
        self.body.addLayout(self._view_pair(), 1)
        self.body.addWidget(self.saver)
        self.show_empty(_EMPTY)
        latents.grid_drawn.connect(self.take_grid)
        latents.between_drawn.connect(self.take_between)
        latents.failed.connect(self.take_failure)
        time.snapshot_shown.connect(self.take_snapshot)
        time.frame_shown.connect(self.take_frame)
        time.run_shown.connect(self.reset)
        once.changed.connect(self._on_once)
        self._on_once(once.view)

    def _controls(self) -> QWidget:
        bar = QWidget()
        row = FlowLayout(bar, spacing=2)
        self.which = QButtonGroup(self)
        tips = {
            "raw": _TIPS["raw"],
            "averaged": _TIPS["averaged"],
            "both": "Both side by side, zoomed and scrolled together.",
        }
        for name, tip in tips.items():
            button = toggle_button(f"samples_{name}", _TITLES.get(name, "Both"), tip, checked=name == self._chosen)
            self.which.addButton(button)
            row.addWidget(button)
        self.which.addButton(self.picks.between)
        row.addWidget(self.picks.between)
        self._once_button = toggle_button("samples_once", "At once", _ONCE)
        self.which.addButton(self._once_button)
        ask = QShortcut(QKeySequence("A"), self, self._once_button.click)
        ask.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        ask.setWhatsThis("At once")
        row.addWidget(self._once_button)
        self.which.buttonToggled.connect(self._on_which)
        for button in (self.picks.reroll, self.picks.pin):
            row.addWidget(button)
        for icon, title, tip, slot in (
            ("zoom_in", "Zoom in", "Larger. Also Ctrl+wheel, or + in the picture.", self._zoom_in),
            ("zoom_out", "Zoom out", "Smaller. Also Ctrl+wheel, or − in the picture.", self._zoom_out),
            ("fit", "Fit", "As large as fits. Also F in the picture.", self._fit),
            ("save", "Save picture", "Save what is shown as a PNG file, one pixel for one pixel.", self.save),
        ):
            button = icon_button(self.theme, icon, f"samples_{icon}", title, tip)
            button.clicked.connect(slot)
            row.addWidget(button)
        self._step = QLabel()
        self._step.setTextFormat(Qt.TextFormat.PlainText)
        self._step.setProperty("role", "muted")
        set_help(self._step, "Step of the samples", "Training steps taken when these images were generated.")
        row.addWidget(self._step)
        return bar

    def _view_pair(self) -> QBoxLayout:
        self._pair = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        for name, view in self.views.items():
            side = QWidget()
            column = QVBoxLayout(side)
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(2)
            caption = QLabel(_TITLES[name])
            caption.setProperty("role", "small")
            set_help(caption, _TITLES[name], _TIPS[name])
            caption.hide()
            self._captions.append(caption)
            column.addWidget(caption)
            column.addWidget(view, 1)
            self._pair.addWidget(side, 1)
            self._sides[name] = side
            view.describe = partial(self._describe, name)
            view.viewed.connect(partial(self._on_viewed, name))
            view.resized.connect(self._on_resized)
            side.setVisible(name == self._chosen)
        for other in (self.way, self.once):
            self._pair.addWidget(other, 1)
        return self._pair

    @property
    def shown(self) -> list[str]:
        """Which of "raw" and "averaged" are shown; none while the way between samples is, or samples at once."""
        if self._chosen in ("between", "once"):
            return []
        return [self._chosen] if self._chosen in self.views else list(self.views)

    @property
    def _seen(self) -> list[ImageView]:
        """The views on the screen."""
        other = self.once.view if self._chosen == "once" else self.way.view
        return [self.views[name] for name in self.shown] or [other]

    @Slot(object)
    def take_snapshot(self, snapshot: Snapshot) -> None:
        """A newer grid, perhaps."""
        if snapshot.grid is not None and snapshot.grid is not self._grid:
            self.take_grid(snapshot.grid)

    @Slot(object)
    def take_frame(self, frame: Frame) -> None:
        """The grid of the step that is looked at."""
        self.take_grid(frame.grid)

    @Slot(object)
    def take_grid(self, grid: SampleGrid) -> None:
        """Show this one."""
        self._grid = grid
        self.picks.show_grid(grid)
        self.request_draw()

    @Slot(object)
    def take_between(self, found: Interpolation) -> None:
        """The way between samples, drawn anew."""
        self.way.show_between(found)

    @Slot(object)
    def take_failure(self, error: UserError) -> None:
        """Samples could not be drawn."""
        self.saver.say(str(error), "error")
        if self._chosen == "between":
            self._back_to_trained()

    @Slot()
    def reset(self) -> None:
        """A new run."""
        self._grid = None
        if self._chosen == "between":
            self._back_to_trained()
        self.picks.forget()
        self.saver.hide()
        if self._chosen != "once":
            self.show_empty(_EMPTY)

    def draw(self) -> None:
        """Show the newest grid."""
        grid = self._grid
        if grid is None or not len(grid.raw):
            return
        self.show_body()
        picked = len(self.views["raw"].picked)
        said = f"step {whole(grid.step)}".ljust(16, FIGURE_SPACE)
        self._step.setText(f"{said}{picked} picked" if picked else said)
        self._reflow()
        for name in self.shown:
            self._pictures[name] = mosaic(grid.raw if name == "raw" else grid.averaged, self.views[name].columns)
            self.views[name].set_picture(self._pictures[name])

    def _reflow(self) -> bool:
        """Break the rows of both views where the images are largest in the first; whether that is elsewhere now."""
        before = [view.columns for view in self.views.values()]
        for view in self.views.values():
            view.fill(self._seen[0].viewport().size())
        return before != [view.columns for view in self.views.values()]

    @Slot()
    def _on_resized(self) -> None:
        if self._grid is not None and self.shown and self._reflow():
            self.request_draw()

    def _describe(self, name: str, x: int, y: int) -> str:
        grid, place = self._grid, self.views[name].place_at(x, y)
        if grid is None or place is None:
            return ""
        stays = "It is pinned." if place in self.picks.pinned else "Its latent stays the same until others are rolled."
        return tooltip(
            f"Sample {place + 1} of {len(grid.raw)} at step {whole(grid.step)}, {_TITLES[name]} weights. {stays}",
            "Click to pick it, Ctrl+click to pick more.",
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Side by side in a wide panel, one above the other in a high one."""
        super().resizeEvent(event)
        self.once.fit()
        wide = self.width() >= self.height()
        self._pair.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)

    @Slot(QToolButton, bool)
    def _on_which(self, button: QToolButton, checked: bool) -> None:
        if not checked:
            return
        held = any(view.hasFocus() for view in self._seen)
        before, self._chosen = self._chosen, button.objectName().removeprefix("samples_")
        for name, side in self._sides.items():
            side.setVisible(name in self.shown)
        for caption in self._captions:
            caption.setVisible(len(self.shown) > 1)
        self.way.setVisible(self._chosen == "between")
        self.once.setVisible(self._chosen == "once")
        self._leave.setEnabled(not self.shown)
        if held:  # else Qt would hand the keyboard to another panel
            self._seen[0].setFocus()
        if not self.shown and before in ("raw", "averaged", "both"):
            self._averaged = before != "raw"
        if self._chosen == "between":
            self.way.wait()
            self._latents.show_between(self.picks.points, averaged=self._averaged)
        elif before == "between":
            self._latents.end_between()
        self._once.switch(self._chosen == "once")
        self.show_owner(self._others)
        if self.shown and self._grid is None:
            self.show_empty(_EMPTY)
        self.request_draw()

    @Slot(str)
    def show_owner(self, words: str) -> None:
        """What is sampled at once answers the target that is set up, and says itself by whose weights."""
        self._others = words
        super().show_owner("" if self._chosen == "once" else words)

    @Slot(object)
    def _on_once(self, view: AtOnceView) -> None:
        self._once_button.setEnabled(view.on or not view.blocked)
        set_help(self._once_button, "At once", view.blocked or _ONCE)
        if not view.on and self._chosen == "once":
            self._back_to_trained()
        elif view.on:
            self.once.show_view(view)

    @Slot()
    def _back_to_trained(self) -> None:
        if not self.shown:
            back = "samples_averaged" if self._averaged else "samples_raw"
            next(button for button in self.which.buttons() if button.objectName() == back).setChecked(True)

    @Slot()
    def _on_picks(self) -> None:
        if self.picks.blocked and self.views["raw"].picked:
            self.saver.say(self.picks.blocked)
        else:
            self.saver.hide()
        self.draw()

    def _on_viewed(self, name: str) -> None:
        for other, view in self.views.items():
            if other != name:
                view.follow(self.views[name])

    @Slot()
    def _zoom_in(self) -> None:
        self._seen[0].zoom_by(1.25)

    @Slot()
    def _zoom_out(self) -> None:
        self._seen[0].zoom_by(0.8)

    @Slot()
    def _fit(self) -> None:
        for view in self._seen:
            view.fit()

    @Slot()
    def save(self) -> None:
        """Ask where to, and save what is shown."""
        if self._chosen == "once":
            self.saver.ask("Save samples", f"{self._once.picture_name}", self._picture)
        elif self._grid is not None:
            what, step = ("samples", self._grid.step) if self.shown else ("between", self.way.step)
            self.saver.ask("Save samples", f"{self._time.picture_name}-{what}-step-{step}", self._picture)

    def _picture(self) -> QImage:
        other = self.once.picture if self._chosen == "once" else self.way.picture
        pictures = [self._pictures[name] for name in self.shown] or [other]
        return side_by_side(pictures, QColor(self.theme.tokens.surface))

"""Generated images from latents that stay the same, by the raw and by the averaged weights, and ways between them."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QColor, QImage, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QButtonGroup, QToolButton, QWidget

from studio.errors import UserError
from studio.gui.at_once.at_once_control import AtOnceControl, AtOnceView
from studio.gui.at_once.caption import ONCE_TIP, AtOnceCaption
from studio.gui.live.samples.captioned_pictures import BetweenView, CaptionedPictures
from studio.gui.live.samples.grid_pair import TIPS, TITLES, GridPair
from studio.gui.live.samples.latent_control import LatentControl
from studio.gui.live.samples.picks import SamplePicks
from studio.gui.state.stepped_samples import STEPPED_TIP, SteppedSamples
from studio.gui.timeline.time_cursor import TimeCursor
from studio.gui.widgets.buttons import icon_button, toggle_button
from studio.gui.widgets.flow_layout import flow_bar
from studio.gui.widgets.image_view import ImageView
from studio.gui.widgets.labels import plain_label
from studio.gui.widgets.live_panel import LivePanel
from studio.gui.widgets.picture_saver import PictureSaver
from studio.gui.widgets.pictures import side_by_side
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import set_help
from studio.number_text import FIGURE_SPACE, whole
from studio.training.messages.snapshot import SampleGrid, Snapshot
from studio.training.storage.frames import Frame

_EMPTY = "Images that the model generates, always from the same random numbers, so that you see each one change."
_COMING = "the first grid comes within seconds."
_BACK = "go back to “EMA” or “Raw” first."
_WITHHELD = {
    "once": f"Samples at once are chosen among draws for the target in the table; {_BACK}",
    "stepped": f"These samples are of weights that were stepped along the tilt; {_BACK}",
}


class SamplesPanel(LivePanel):
    """Sample grids."""

    NAME, TITLE = "samples", "Samples"
    OF_RUN = OF_STEP = OF_IMAGES = True

    def __init__(
        self,
        time: TimeCursor,
        latents: LatentControl,
        once: AtOnceControl,
        stepped: SteppedSamples,
        theme: ThemeManager,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, parent)
        self._latents, self._once, self._stepped, self._whose = latents, once, stepped, ""
        self._grid: SampleGrid | None = None
        self._chosen = "averaged"
        self._averaged = True  # what the way between samples is drawn by
        self.pair = GridPair([self._chosen], theme)
        self.views = self.pair.views
        self.picks = SamplePicks(latents, list(self.views.values()), theme, self)
        self.picks.changed.connect(self._on_picks)
        self.way = BetweenView()
        caption = AtOnceCaption(once)
        self._once_text = caption.text
        self.once = CaptionedPictures("Samples at once", caption)
        self._stepped_text = plain_label(name="stepped_caption", role="small", wraps=True, tip=STEPPED_TIP)
        self.stepped = CaptionedPictures("Samples of stepped weights", self._stepped_text)
        self._others: dict[str, CaptionedPictures] = {
            "between": self.way,
            "once": self.once,
            "stepped": self.stepped,
        }
        for other in self._others.values():
            other.hide()
        self._leave = QShortcut(QKeySequence(Qt.Key.Key_Escape), self, self._back_to_trained)
        self._leave.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        self._leave.setWhatsThis("Back")
        self._leave.setEnabled(False)  # else the picks have it
        self._time = time
        self.saver = PictureSaver()
        self.body.addWidget(self._controls())
        for part in (self.pair, *self._others.values()):
            self.body.addWidget(part, 1)
        self.body.addWidget(self.saver)
        self.show_empty(_EMPTY, _COMING)
        latents.grid_drawn.connect(self.take_grid)
        latents.between_drawn.connect(self.way.show_between)
        latents.failed.connect(self.take_failure)
        time.snapshot_shown.connect(self.take_snapshot)
        time.frame_shown.connect(self.take_frame)
        time.pictures_gone.connect(self.reset)
        once.changed.connect(self._on_once)
        stepped.changed.connect(self._on_stepped)
        self._on_once(once.view)
        self._on_stepped()

    def _controls(self) -> QWidget:
        self.which = QButtonGroup(self)
        tips = {
            "raw": TIPS["raw"],
            "averaged": TIPS["averaged"],
            "both": "Both side by side, zoomed and scrolled together.",
        }
        choices = [
            toggle_button(f"samples_{name}", TITLES.get(name, "Both"), tip, checked=name == self._chosen)
            for name, tip in tips.items()
        ]
        self._once_button = toggle_button("samples_once", "At once", ONCE_TIP)
        self._stepped_button = toggle_button("samples_stepped", "First order", STEPPED_TIP)
        self._stepped_button.hide()
        choices += [self.picks.between, self._once_button, self._stepped_button]
        for button in choices:
            self.which.addButton(button)
        ask = QShortcut(QKeySequence("A"), self, self._once_button.click)
        ask.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        ask.setWhatsThis("At once")
        self.which.buttonToggled.connect(self._on_which)
        tools = (
            ("zoom_in", "Zoom in", "Larger. Also Ctrl+wheel, or + in the picture.", lambda: self._zoom(1.25)),
            ("zoom_out", "Zoom out", "Smaller. Also Ctrl+wheel, or − in the picture.", lambda: self._zoom(0.8)),
            ("fit", "Fit", "As large as fits. Also F in the picture.", self._fit),
            ("save", "Save picture", "Save what is shown as a PNG file, one pixel for one pixel.", self.save),
        )
        buttons = (icon_button(self.theme, icon, f"samples_{icon}", title, tip, act) for icon, title, tip, act in tools)
        tip = "Training steps taken when these images were generated."
        self._step = plain_label(role="muted", title="Step of the samples", tip=tip)
        return flow_bar(*choices, self.picks.reroll, self.picks.pin, *buttons, self._step, spacing=2)

    @property
    def shown(self) -> list[str]:
        """Which of "raw" and "averaged" are shown; none while something else is."""
        if self._chosen in self._others:
            return []
        return [self._chosen] if self._chosen in self.views else list(self.views)

    @property
    def _seen(self) -> list[ImageView]:
        return [self.views[name] for name in self.shown] or [self._others[self._chosen].view]

    @Slot(object)
    def take_snapshot(self, snapshot: Snapshot) -> None:
        if snapshot.grid is not None and snapshot.grid is not self._grid:
            self.take_grid(snapshot.grid)

    @Slot(object)
    def take_frame(self, frame: Frame) -> None:
        self.take_grid(frame.grid)

    @Slot(object)
    def take_grid(self, grid: SampleGrid) -> None:
        self._grid = grid
        self.picks.show_grid(grid)
        self.request_draw()

    @Slot(object)
    def take_failure(self, error: UserError) -> None:
        self.saver.say(str(error), "error")
        if self._chosen == "between":
            self._back_to_trained()

    @Slot()
    def reset(self) -> None:
        self._grid = None
        if self._chosen == "between":
            self._back_to_trained()
        self.picks.forget()
        self._step.clear()
        self.saver.hide()
        if self._chosen not in _WITHHELD:
            self.show_empty(_EMPTY, _COMING)

    def draw(self) -> None:
        grid = self._grid
        if grid is None or not len(grid.raw):
            return
        self.show_body()
        picked = len(self.views["raw"].picked)
        said = f"step {whole(grid.step)}".ljust(16, FIGURE_SPACE) + (f"{picked} picked" if picked else "")
        self._step.setText("" if self._chosen in _WITHHELD else said)  # what is drawn then says itself whose it is
        if self.shown:
            self.pair.show_grid(grid)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """What is no grid of training fits, too."""
        super().resizeEvent(event)
        self.once.fit()
        self.stepped.fit()

    @Slot(QToolButton, bool)
    def _on_which(self, button: QToolButton, checked: bool) -> None:
        if not checked:
            return
        held = any(view.hasFocus() for view in self._seen)
        before, self._chosen = self._chosen, button.objectName().removeprefix("samples_")
        self.pair.setVisible(bool(self.shown))
        if self.shown:
            self.pair.show_only(self.shown)
        for name, other in self._others.items():
            other.setVisible(self._chosen == name)
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
        if self._chosen != "stepped":
            self._stepped.show(None)
        self.picks.withhold(_WITHHELD.get(self._chosen, ""))
        self.show_owner(self._whose)
        if self.shown and self._grid is None:
            self.show_empty(_EMPTY, _COMING)
        self.request_draw()

    @Slot(str)
    def show_owner(self, words: str) -> None:
        """What is sampled at once or by stepped weights says itself whose it is."""
        self._whose = words
        super().show_owner("" if self._chosen in _WITHHELD else words)

    @Slot(object)
    def _on_once(self, view: AtOnceView) -> None:
        self._once_button.setEnabled(view.on or not view.blocked)
        set_help(self._once_button, "At once", view.blocked or ONCE_TIP)
        if not view.on and self._chosen == "once":
            self._back_to_trained()
        elif view.on:
            self.show_body()
            self._once_button.setChecked(True)  # by another panel, perhaps
            self.once.show_images(view.pictures, self._once_text.text())

    @Slot()
    def _on_stepped(self) -> None:
        view = self._stepped.view
        self._stepped_button.setVisible(view is not None)
        if view is not None:
            self.show_body()
            self._stepped_text.setText(view.words)
            self._stepped_button.setChecked(True)
            self.stepped.show_images(view.pictures, view.words)
        elif self._chosen == "stepped":
            self._back_to_trained()

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

    def _zoom(self, factor: float) -> None:
        self._seen[0].zoom_by(factor)

    @Slot()
    def _fit(self) -> None:
        for view in self._seen:
            view.fit()

    @Slot()
    def save(self) -> None:
        stepped = self._stepped.view
        if self._chosen == "once":
            self.saver.ask("Save samples", f"{self._once.picture_name}", self._picture)
        elif stepped is not None:
            self.saver.ask("Save samples", stepped.file, self._picture)
        elif self._grid is not None:
            what, step = ("samples", self._grid.step) if self.shown else ("between", self.way.step)
            self.saver.ask("Save samples", f"{self._time.picture_name}-{what}-step-{step}", self._picture)

    def _picture(self) -> QImage:
        pictures = [self.pair.pictures[name] for name in self.shown] or [self._others[self._chosen].picture]
        return side_by_side(pictures, QColor(self.theme.tokens.surface))

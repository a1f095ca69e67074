"""Generated images from latents that stay the same, by the raw and by the averaged weights."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QStandardPaths, Qt, Slot
from PySide6.QtGui import QColor, QImage, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QButtonGroup, QFileDialog, QLabel, QToolButton, QVBoxLayout, QWidget

from studio.errors import UserError
from studio.gui.controls import icon_button, toggle_button
from studio.gui.explain import explain
from studio.gui.flow_layout import FlowLayout
from studio.gui.image_view import ImageView
from studio.gui.live_panel import LivePanel
from studio.gui.mosaic import GAP, columns_of, mosaic, side_by_side
from studio.gui.numbers import FIGURE_SPACE, whole
from studio.gui.save_picture import save_png
from studio.gui.theme import ThemeManager
from studio.gui.tooltip import tooltip
from studio.gui.workbench import Workbench
from studio.training.frames import Frame
from studio.training.snapshot import SampleGrid, Snapshot

_EMPTY = (
    "Images that the model generates, always from the same random numbers, so that you see each one change.\n"
    "Press Start to train; the first grid comes within seconds."
)
_TIPS = {
    "raw": "Samples by the weights as they are at this step.",
    "averaged": "Samples by a moving average of the weights, which is steadier. EMA: θ̄ ← d·θ̄ + (1 − d)·θ each step.",
}
_TITLES = {"raw": "Raw", "averaged": "EMA"}


class SamplesPanel(LivePanel):
    """Sample grids."""

    NAME = "samples"
    TITLE = "Samples"

    def __init__(self, workbench: Workbench, theme: ThemeManager, parent: QWidget | None = None) -> None:
        super().__init__(workbench, theme, parent)
        self._grid: SampleGrid | None = None
        self._pictures: dict[str, QImage] = {}
        self._chosen = "both"
        self.views = {name: ImageView(f"Samples, {title}") for name, title in _TITLES.items()}
        self._sides: dict[str, QWidget] = {}
        self._message = QLabel(wordWrap=True)
        self._message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._message.hide()
        self.body.addWidget(self._controls())
        self.body.addLayout(self._view_pair(), 1)
        self.body.addWidget(self._message)
        self.show_empty(_EMPTY)
        workbench.snapshot_arrived.connect(self.take_snapshot)
        workbench.time.frame_shown.connect(self.take_frame)
        workbench.run_reset.connect(self.reset)

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
            button = toggle_button(f"samples_{name}", _TITLES.get(name, "Both"), tip, checked=name == "both")
            self.which.addButton(button)
            row.addWidget(button)
        self.which.buttonToggled.connect(self._on_which)
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
        self._step.setProperty("role", "muted")
        explain(self._step, "Step of the samples", "Training steps taken when these images were generated.")
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
            explain(caption, _TITLES[name], _TIPS[name])
            column.addWidget(caption)
            column.addWidget(view, 1)
            self._pair.addWidget(side, 1)
            self._sides[name] = side
            view.describe = partial(self._describe, name)
            view.viewed.connect(partial(self._on_viewed, name))
        return self._pair

    @property
    def shown(self) -> list[str]:
        """Which of "raw" and "averaged" are shown."""
        return [self._chosen] if self._chosen in self.views else list(self.views)

    @Slot(object)
    def take_snapshot(self, snapshot: Snapshot) -> None:
        """A newer grid, perhaps."""
        if snapshot.grid is not None and snapshot.grid is not self._grid:
            self._grid = snapshot.grid
            self.request_draw()

    @Slot(object)
    def take_frame(self, frame: Frame) -> None:
        """The grid of the step that is looked at."""
        self._grid = frame.grid
        self.request_draw()

    @Slot()
    def reset(self) -> None:
        """A new run."""
        self._grid = None
        self._message.hide()
        self.show_empty(_EMPTY)

    def draw(self) -> None:
        """Show the newest grid."""
        grid = self._grid
        if grid is None or not len(grid.raw):
            return
        self.show_body()
        self._step.setText(f"step {whole(grid.step)}".ljust(16, FIGURE_SPACE))
        for name in self.shown:
            self._pictures[name] = mosaic(grid.raw if name == "raw" else grid.averaged)
            self.views[name].set_picture(self._pictures[name])

    def _describe(self, name: str, x: int, y: int) -> str:
        grid = self._grid
        if grid is None:
            return ""
        number, height, width = grid.raw.shape[:3]
        across = columns_of(number)
        index = y // (height + GAP) * across + min(across - 1, x // (width + GAP))
        if index >= number:
            return ""
        return tooltip(
            f"Sample {index + 1} of {number} at step {whole(grid.step)}, {_TITLES[name]} weights. "
            "Its latent stays the same throughout the run."
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Side by side in a wide panel, one above the other in a high one."""
        super().resizeEvent(event)
        wide = self.width() >= self.height()
        self._pair.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)

    @Slot(QToolButton, bool)
    def _on_which(self, button: QToolButton, checked: bool) -> None:
        if checked:
            self._chosen = button.objectName().removeprefix("samples_")
            for name, side in self._sides.items():
                side.setVisible(name in self.shown)
            self.request_draw()

    def _on_viewed(self, name: str) -> None:
        for other, view in self.views.items():
            if other != name:
                view.follow(self.views[name])

    @Slot()
    def _zoom_in(self) -> None:
        self.views[self.shown[0]].zoom_by(1.25)

    @Slot()
    def _zoom_out(self) -> None:
        self.views[self.shown[0]].zoom_by(0.8)

    @Slot()
    def _fit(self) -> None:
        for view in self.views.values():
            view.fit()

    @Slot()
    def save(self) -> None:
        """Ask where to, and save what is shown."""
        if self._grid is None:
            return
        folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.PicturesLocation)
        start = str(Path(folder) / f"samples-step-{self._grid.step}.png")
        chosen, _ = QFileDialog.getSaveFileName(self, "Save samples", start, "PNG picture (*.png)")
        if chosen:
            self.save_to(Path(chosen))

    def save_to(self, path: Path) -> None:
        """Save what is shown; says how it went below the pictures."""
        path = path if path.suffix else path.with_suffix(".png")
        try:
            pictures = [self._pictures[name] for name in self.shown]
            save_png(side_by_side(pictures, QColor(self.theme.tokens.surface)), path)
        except UserError as error:
            self._say(str(error), "error")
        else:
            self._say(f"Saved {path}", "small")

    def _say(self, text: str, role: str) -> None:
        self._message.setText(text)
        self._message.setProperty("role", role)
        self._message.style().polish(self._message)
        self._message.show()

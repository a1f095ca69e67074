"""What the model shows of its inner life: histograms, curves and pictures, by what they say of themselves."""

from __future__ import annotations

from typing import assert_never

from PySide6.QtCore import QSignalBlocker, Qt, Slot
from PySide6.QtGui import QColor, QResizeEvent
from PySide6.QtWidgets import QStackedWidget, QWidget

from studio.gui.plots.histogram_plot import HistogramPlot
from studio.gui.plots.legend import Chip, Legend, is_cramped
from studio.gui.plots.profile_plot import ProfilePlot
from studio.gui.timeline.time_cursor import TimeCursor
from studio.gui.widgets.buttons import icon_button, toggle_button
from studio.gui.widgets.choice_box import ChoiceBox
from studio.gui.widgets.flow_layout import flow_bar
from studio.gui.widgets.labels import plain_label, wrapped_label
from studio.gui.widgets.layouts import fill
from studio.gui.widgets.live_panel import LivePanel
from studio.gui.widgets.picture_rows import PictureRows
from studio.gui.widgets.picture_saver import PictureSaver
from studio.gui.widgets.pictures import side_by_side
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import named, set_help
from studio.models.catalog import model_spec
from studio.models.diagnostic import Diagnostic, Histogram, Pictures, Profile
from studio.number_text import FIGURE_SPACE, whole
from studio.training.messages.snapshot import Snapshot
from studio.training.storage.frames import Frame

_EMPTY = "A look inside the model: reconstructions, distributions, losses in detail, whatever it has."
_COMING = "the first come with the first samples."
_NOT_KEPT = (
    "No diagnostics were kept at or before this step.\nRuns keep them with some of the sample grids: try another step."
)
_CHOICE = "Which of the model's diagnostics is shown."
_WIDEST = 260  # pixels of the list
_TIP_FROM = 330  # pixels of height from which there is room for a sentence on what is shown


class DiagnosticsPanel(LivePanel):
    """One diagnostic at a time, by a list of those that the model has."""

    NAME, TITLE = "diagnostics", "Inside"
    OF_RUN = OF_STEP = True

    def __init__(self, time: TimeCursor, theme: ThemeManager, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._time = time
        self._found: tuple[Diagnostic, ...] = ()
        self._step = 0
        self._looked = False  # the run has shown what it has
        self._old = False  # a step on disk is looked at
        self._wanted = ""  # name of the one that the person chose, kept for a model that has it again
        self.histogram, self.profile, self.pictures = HistogramPlot(theme), ProfilePlot(theme), PictureRows()
        self._views = QStackedWidget()
        for view in (self.histogram, self.profile, self.pictures):
            self._views.addWidget(view)
        self.legend = Legend(theme, self.histogram, self.profile)
        self.legend.toggled.connect(self.request_draw)
        self._tip = wrapped_label("", "small")
        self.saver = PictureSaver()
        fill(self.body, self._controls(), self._tip, (self._views, 1), self.legend, self.saver)
        self.show_empty(_EMPTY, _COMING)
        time.snapshot_shown.connect(self.take_snapshot)
        time.frame_shown.connect(self.take_frame)
        time.pictures_gone.connect(self.reset)

    def _controls(self) -> QWidget:
        self.choice = named(ChoiceBox(), "diagnostics_choice", "Diagnostic", _CHOICE)
        self.choice.setSizeAdjustPolicy(ChoiceBox.SizeAdjustPolicy.AdjustToContents)
        self.choice.setMaximumWidth(_WIDEST)
        self.choice.currentIndexChanged.connect(self._on_choice)
        tip = "Show heights on a logarithmic scale; those ≤ 0 are left out."
        self.log_button = toggle_button("diagnostics_log", "Log scale", tip, self._on_log)
        tip = "Save the images as a PNG file, pixel for pixel."
        self.save_button = icon_button(self.theme, "save", "diagnostics_save", "Save picture", tip, self.save)
        tip = "Training steps taken when these diagnostics were made."
        self._step_label = plain_label(role="muted", title="Step of the diagnostic", tip=tip)
        tools = (self.choice, self.log_button, self.save_button, self._step_label)
        return flow_bar(*tools, spacing=self.theme.tokens.spacing)

    @property
    def shown(self) -> Diagnostic | None:
        place = self.choice.currentIndex()
        return self._found[place] if 0 <= place < len(self._found) else None

    @Slot(object)
    def take_snapshot(self, snapshot: Snapshot) -> None:
        if snapshot.grid is None or (self._found and snapshot.diagnostics is self._found):
            return  # the model is looked into when a grid is drawn
        self._old = False
        self._take(snapshot.diagnostics, snapshot.diagnosed)

    @Slot(object)
    def take_frame(self, frame: Frame) -> None:
        self._old = True
        self._take(frame.diagnostics, frame.diagnosed)

    def _take(self, found: tuple[Diagnostic, ...], step: int) -> None:
        self._found, self._step, self._looked = found, step, True
        self._list()
        self.request_draw()

    @Slot()
    def reset(self) -> None:
        self._found, self._looked = (), False
        self.saver.hide()
        self._list()
        self.show_empty(_EMPTY, _COMING)

    def _list(self) -> None:
        """Offer what there is, and stay at the one that the person chose."""
        names = [found.name for found in self._found]
        with QSignalBlocker(self.choice):
            if names != [self.choice.itemData(place) for place in range(self.choice.count())]:
                self.choice.clear()
                for name in names:
                    self.choice.addItem("", name)
                chosen = names.index(self._wanted) if self._wanted in names else min(0, len(names) - 1)
                self.choice.setCurrentIndex(chosen)
                self.choice.setMinimumWidth(0)
            for place, found in enumerate(self._found):
                if self.choice.itemText(place) != found.title:  # a title may hold a number
                    self.choice.setItemText(place, found.title)
                    self.choice.setItemData(place, found.tip, Qt.ItemDataRole.ToolTipRole)
        # It grows with its titles, but does not shrink and grow with the digits in them.
        self.choice.setMinimumWidth(min(_WIDEST, max(self.choice.minimumWidth(), self.choice.sizeHint().width())))

    def draw(self) -> None:
        shown = self.shown
        if shown is None:
            if self._looked:
                self.show_empty(_NOT_KEPT if self._old else self._nothing())
            return
        self.show_body()
        self._step_label.setText(f"step {whole(self._step)}".ljust(12, FIGURE_SPACE))
        set_help(self.choice, f"Diagnostic: {shown.title}", shown.tip)
        self._tip.setText(shown.tip)
        self.log_button.setVisible(not isinstance(shown, Pictures))
        self.save_button.setVisible(isinstance(shown, Pictures))
        self._set_series([] if isinstance(shown, Pictures) else list(shown.series))
        hidden = self.legend.hidden
        match shown:
            case Histogram():
                self._views.setCurrentWidget(self.histogram)
                self.histogram.show_histogram(shown, hidden)
            case Profile():
                self._views.setCurrentWidget(self.profile)
                self.profile.show_profile(shown, hidden)
            case Pictures():
                self._views.setCurrentWidget(self.pictures)
                self.pictures.show_pictures(shown)
            case _:
                assert_never(shown)

    def _nothing(self) -> str:
        running = self._time.config
        model = f"A {model_spec(running.model.kind).title}" if running is not None else "This model"
        return f"{model} has no diagnostics; its losses and samples have panels of their own."

    def _set_series(self, names: list[str]) -> None:
        self.legend.setVisible(bool(names))
        if names == list(self.legend.chips):
            return
        self.legend.clear()
        for colour, name in enumerate(names):
            self.legend.add(Chip(name, name, ""), colour)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A low panel has no room for words."""
        super().resizeEvent(event)
        self.legend.set_compact(is_cramped(self))
        self._tip.setVisible(self.height() >= _TIP_FROM)

    @Slot(int)
    def _on_choice(self, place: int) -> None:
        self._wanted = self.choice.itemData(place) or self._wanted
        self.saver.hide()
        self.request_draw()

    @Slot(bool)
    def _on_log(self, on: bool) -> None:
        self.histogram.logarithmic = self.profile.logarithmic = on
        self.request_draw()

    @Slot()
    def save(self) -> None:
        shown = self.shown
        if isinstance(shown, Pictures):
            name = f"{self._time.picture_name}-{shown.name}-step-{self._step}"
            ground = QColor(self.theme.tokens.surface)
            self.saver.ask(f"Save {shown.title}", name, lambda: side_by_side([self.pictures.picture], ground))

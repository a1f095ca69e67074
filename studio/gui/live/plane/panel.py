"""The planar lab: data, exact densities and the model on one plane, and how far apart they are."""

from __future__ import annotations

import time
from collections import deque
from contextlib import suppress

import numpy as np
from PySide6.QtCore import Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QWidget

from studio.data.planar.target import PlaneTarget
from studio.errors import UserError
from studio.gui.at_once.at_once_control import AtOnceControl, AtOnceView
from studio.gui.at_once.caption import ONCE_TIP, AtOnceCaption
from studio.gui.live.plane.distances import PlaneDistances
from studio.gui.live.plane.fields import ExactFields, ShownField, model_field, plane_target, target_flow
from studio.gui.live.plane.heat import HeatChoice
from studio.gui.live.plane.layers import PlaneLayers
from studio.gui.live.plane.lesson_card import LessonCard
from studio.gui.live.plane.lesson_control import LessonControl
from studio.gui.live.plane.plane_canvas import PlaneCanvas
from studio.gui.live.plane.steps import PlaneSteps
from studio.gui.state.dataset_view import DatasetView
from studio.gui.state.stepped_samples import STEPPED_TIP, SteppedSamples
from studio.gui.state.tilt_view import TiltView
from studio.gui.target.target_control import TargetControl
from studio.gui.timeline.time_cursor import TimeCursor
from studio.gui.widgets.buttons import toggle_button
from studio.gui.widgets.flow_layout import flow_bar
from studio.gui.widgets.labels import plain_label
from studio.gui.widgets.layouts import fill
from studio.gui.widgets.live_panel import LivePanel
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import set_help
from studio.models.plane import Field
from studio.number_text import FIGURE_SPACE, whole
from studio.training.messages.snapshot import PlaneFrame, Snapshot
from studio.training.storage.frames import Frame

_EMPTY = (
    "Points, exact densities and the model on the plane.\n"
    "Choose one of the data sets “Plane: …” under “Change…”, or a lesson in the Help menu."
)
_WIDE = 0.9  # width over height from which the curves stand beside the plane
_LEAST_HEIGHT = 340  # pixels from which there is room for curves


class PlanePanel(LivePanel):
    """The plane of a planar set, with a run or without.

    Attributes:
        frames: how many different frames were drawn.
    """

    NAME, TITLE = "plane", "Plane"

    def __init__(
        self,
        target: TargetControl,
        time: TimeCursor,
        lessons: LessonControl,
        once: AtOnceControl,
        stepped: SteppedSamples,
        theme: ThemeManager,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, parent)
        self._target, self._time, self._once, self._stepped = target, time, once, stepped
        self._shown: DatasetView | None = None  # with a plane or without
        self._dataset: DatasetView | None = None
        self._exact: ExactFields | None = None
        self._frame: PlaneFrame | None = None
        self._fields: dict[str, ShownField] = {}  # that are exact
        self._target_shown: TiltView | None = None
        self._exact_target: PlaneTarget | None = None
        self._descended: PlaneTarget | None = None  # whose gradient flow is drawn
        self._drawn: deque[float] = deque(maxlen=30)
        self.frames = 0
        self._last: PlaneFrame | None = None  # that was drawn
        self._samples_owner = ""  # of the samples, where they are not of what the window is about
        self.canvas = PlaneCanvas(theme)
        self.canvas.describe = self._describe
        self.canvas.letter_pressed.connect(self._on_letter)
        self.layers = PlaneLayers(self.canvas, self)
        self.layers.descent_toggled.connect(self._draw_descent)
        self.heat, self.distances = HeatChoice(self.canvas, self), PlaneDistances(time, theme)
        self.lesson, self.steps = LessonCard(lessons, theme), PlaneSteps(lessons.runs, time, theme)
        fill(self.body, self.lesson, self._controls())
        self._caption = AtOnceCaption(once)
        self._stepped_text = plain_label(role="small", wraps=True)
        self._stepped_text.hide()
        fill(self.body, self._caption, self._stepped_text)
        self._pair = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._pair.addWidget(self.canvas, 5)
        self._pair.addWidget(self.distances, 4)
        self.body.addLayout(self._pair, 1)
        self.show_empty(_EMPTY)
        target.changed.connect(self.take_tilt)
        time.snapshot_shown.connect(self.take_snapshot)
        time.frame_shown.connect(self.take_frame)
        time.pictures_gone.connect(self.reset)
        once.changed.connect(self._on_once)
        stepped.changed.connect(self._on_stepped)
        self._on_once(once.view)
        self._on_stepped()
        self.take_tilt(target.tilt)

    def _controls(self) -> QWidget:
        self.once_button = toggle_button("plane_once", "At once", ONCE_TIP)
        self.once_button.clicked.connect(self._once.switch)
        self.stepped_button = toggle_button("plane_stepped", "First order", STEPPED_TIP, checked=True)
        self.stepped_button.hide()
        self.stepped_button.clicked.connect(lambda: self._stepped.show(None))
        tip = "Show distances on a logarithmic scale; those ≤ 0 are left out."
        self.log_button = toggle_button("plane_log", "Log scale", tip, self.distances.set_logarithmic)
        tip = "Training steps taken when these points were generated, and how many new pictures come in a second."
        self._step = plain_label(role="muted", title="Step and frames per second", tip=tip)
        buttons = (self.layers.button, self.once_button, self.stepped_button, self.log_button)
        return flow_bar(self.heat.box, *buttons, self.steps, self.heat.span, self._step, spacing=2)

    # -- state in

    @Slot(object)
    def take_tilt(self, tilt: TiltView | None) -> None:
        """Another target, perhaps of another data set."""
        dataset = tilt.dataset if tilt is not None else None
        if dataset is not self._shown:
            self._shown = dataset
            self._take_dataset(dataset)
        elif self._dataset is not None:
            self.request_draw()

    def _take_dataset(self, dataset: DatasetView | None) -> None:
        """One of images has no plane."""
        self._dataset = dataset if dataset is not None and dataset.plane is not None else None
        self._exact = self._frame = self._target_shown = None
        self._fields = {}
        if self._dataset is None:
            self.show_empty((self._target.data.missing if dataset is None else "") or _EMPTY)
        else:
            self.show_body()
            self.request_draw()

    @Slot(object)
    def take_snapshot(self, snapshot: Snapshot) -> None:
        plane, others = snapshot.plane, self._time.config is not None and not self._target.data.is_of_run
        if plane is not None and plane is not self._frame and self._dataset is not None and not others:
            self._frame = plane
            self.request_draw()

    @Slot(object)
    def take_frame(self, frame: Frame) -> None:
        """The points of the step that is looked at, if its run is of this data set."""
        if self._dataset is not None and self._target.data.is_of_run:
            self._frame = PlaneFrame(step=frame.step, points=frame.points, labels=frame.labels, views=frame.views)
            self.request_draw()

    @Slot(object)
    def _on_once(self, view: AtOnceView) -> None:
        """Points sampled at once are shown in place of those of training."""
        self.once_button.setEnabled(view.on or not view.blocked)
        self.once_button.setChecked(view.on)
        set_help(self.once_button, "At once", view.blocked or ONCE_TIP)
        self._caption.setVisible(view.on)
        self.request_draw()

    @Slot()
    def _on_stepped(self) -> None:
        """Points by stepped weights, too; the button is there to leave them."""
        view = self._stepped.view
        self.stepped_button.setVisible(view is not None)
        self.stepped_button.setChecked(True)
        self._stepped_text.setVisible(view is not None)
        self._stepped_text.setText(view.words if view is not None else "")
        self.request_draw()

    @property
    def _points(self) -> PlaneFrame | None:
        """The points on the screen, with what the model shows of itself."""
        once, stepped = self._once.view, self._stepped.view
        return once.plane if once.on else stepped.plane if stepped is not None else self._frame

    @Slot()
    def reset(self) -> None:
        self._frame = None
        self._drawn.clear()
        if self._dataset is not None:
            self.request_draw()

    def draw(self) -> None:
        dataset = self._dataset
        if dataset is None or dataset.plane is None:
            return
        if self._exact is None:
            self._exact = ExactFields(dataset.plane)
            points = dataset.points.reshape(-1, 2).astype(np.float64)
            order = np.random.default_rng(0).permutation(len(points))
            self.canvas.show_plane(dataset.plane, points[order], dataset.labels[order], len(dataset.class_names))
        self._find_exact(dataset, self._exact)
        views = self._points.views if self._points is not None else ()
        own = (model_field(view, dataset.plane.half) for view in views if isinstance(view, Field))
        self.heat.show(self._fields, {field.name: field for field in own})
        self._draw_descent()
        self.canvas.show_frame(self._points)
        self.layers.offer(all_of_them=self._points is None)
        self._show_step()

    @Slot(str)
    def show_owner(self, words: str) -> None:
        """Data and target are what is set up; the samples may be another's."""
        self._samples_owner = words
        self._show_step()

    def _find_exact(self, dataset: DatasetView, exact: ExactFields) -> None:
        tilt = self._target.tilt
        if tilt is not None and tilt.dataset is not dataset:
            tilt = None  # still of the data set before
        if "p" not in self._fields or self._target_shown is not tilt:
            self._fields = {"p": exact.field("p", dataset.shares)}
            self._exact_target, reason, cut = None, "", 0.0
            try:
                target = plane_target(dataset, tilt)
                self._fields["target"], cut = exact.target(target), target.cut_off()
                self._exact_target = target
            except UserError as error:
                reason = str(error)
            known = self._fields.get("target")
            self.canvas.show_target(known.values if known is not None else None)
            self.distances.show_target(reason, cut)
            self._target_shown = tilt

    @Slot()
    def _draw_descent(self) -> None:
        """The gradient flow to the target, found anew for another one while it is shown."""
        target = self._exact_target if self.layers.descent else None
        if target is self._descended:
            return
        self._descended, ways = target, None
        with suppress(UserError):  # ΔH is not finite on the way
            ways = target_flow(target) if target is not None else None
        self.canvas.show_target_flow(ways)

    def _show_step(self) -> None:
        if self._frame is None or self._once.view.on or self._stepped.view is not None:
            self._step.setText("")
            return
        if self._frame is not self._last:
            self._last = self._frame
            self.frames += 1
            self._drawn.append(time.monotonic())
        rate = ""
        if len(self._drawn) > 5 and self._drawn[-1] > self._drawn[0]:
            rate = f" · {(len(self._drawn) - 1) / (self._drawn[-1] - self._drawn[0]):.2g} pictures/s"
        text = self._samples_owner or f"step {whole(self._frame.step)}{rate}"
        self._step.setText(text.ljust(28, FIGURE_SPACE))

    def _describe(self, x: float, y: float) -> str:
        dataset = self._dataset
        if dataset is None or dataset.plane is None:
            return ""
        place = f"<b>x₁ = {x:.2f}, x₂ = {y:.2f}</b>"
        return "<br>".join([place, *self.heat.describe(x, y, dataset.plane.half)])

    # -- intent

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Curves beside the plane in a wide panel, below it in a high one; a low one has room for the plane alone, and
        beside it for one step of a lesson.
        """
        super().resizeEvent(event)
        low = self.height() < _LEAST_HEIGHT
        self.distances.setVisible(not low)
        if low is not (self._pair.indexOf(self.lesson) >= 0):
            (self.body if low else self._pair).removeWidget(self.lesson)
            self.lesson.set_small(low)
            if low:
                self._pair.addWidget(self.lesson, 4)
            else:
                self.body.insertWidget(0, self.lesson)
        wide = self.width() >= _WIDE * self.height()
        self._pair.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)

    @Slot(str)
    def _on_letter(self, letter: str) -> None:
        """A layer's letter toggles it; H takes the next heat map, and A samples at once."""
        if letter in self.layers.actions:
            self.layers.actions[letter].trigger()
        elif letter == "a":
            self.once_button.click()
        elif letter == "h":
            self.heat.take_next()

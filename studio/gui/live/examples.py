"""Real examples as planned for the last batch, each with the weight it carried."""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Slot
from PySide6.QtGui import QColor, QFont, QFontMetrics, QHelpEvent, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QToolTip, QWidget

from studio.gui.state.dataset_view import DatasetView
from studio.gui.timeline.subject_data import SubjectData
from studio.gui.timeline.time_cursor import TimeCursor
from studio.gui.widgets.labels import plain_label
from studio.gui.widgets.layouts import fill, scrolled
from studio.gui.widgets.live_panel import LivePanel
from studio.gui.widgets.pictures import mosaic
from studio.gui.widgets.theme import ThemeManager, Tokens
from studio.gui.widgets.tooltip import tooltip
from studio.number_text import FIGURE_SPACE, compact
from studio.training.messages.snapshot import PlannedExamples, Snapshot
from studio.training.storage.frames import Frame

_EMPTY = "Real examples of the last batch, each with its importance weight."
_COMING = "the first come within seconds."
_FIRST = "There was no batch before the first step.\nGo on to a later one."
_NOT_KEPT = "This run has not kept which examples its batches held.\nNewer runs keep some with each sample grid."
_SIDE = 48  # least side of an image on the screen, in pixels
_FRAME, _AIR = 3, 6


class ExamplesPanel(LivePanel):
    """Planned examples."""

    NAME, TITLE = "examples", "Examples"
    OF_RUN = OF_STEP = OF_IMAGES = True

    def __init__(self, time: TimeCursor, data: SubjectData, theme: ThemeManager, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._data = data
        self._planned: PlannedExamples | None = None
        self._step = 0
        tip = "How many examples are shown, and what their weights add up to. The whole batch has B = Σ w near B_avg."
        self.header = plain_label(role="muted", title="Size of the part of the batch that is shown", tip=tip)
        self.header.setMinimumWidth(60)
        self.sheet = _Sheet(theme.tokens)
        scroll = scrolled(self.sheet, frame=QFrame.Shape.StyledPanel)
        scroll.setAccessibleName("Examples of the last batch")
        fill(self.body, self.header, (scroll, 1))
        self.show_empty(_EMPTY, _COMING)
        time.snapshot_shown.connect(self.take_snapshot)
        time.frame_shown.connect(self.take_frame)
        time.pictures_gone.connect(self.reset)

    @Slot(object)
    def take_snapshot(self, snapshot: Snapshot) -> None:
        if snapshot.planned is not None and snapshot.planned is not self._planned:
            self._planned, self._step = snapshot.planned, snapshot.step
            self.request_draw()

    @Slot(object)
    def take_frame(self, frame: Frame) -> None:
        self._planned, self._step = frame.planned, frame.step
        if frame.planned is None:
            self.show_empty(_FIRST if frame.step == 0 else _NOT_KEPT)
        else:
            self.request_draw()

    @Slot()
    def reset(self) -> None:
        self._planned = None
        self.show_empty(_EMPTY, _COMING)

    def draw(self) -> None:
        planned = self._planned
        if planned is None or not len(planned.images):
            return
        self.show_body()
        number, total = f"{len(planned.images):,}", compact(float(planned.weights.sum()))
        self.header.setText(
            f"First n = {number.ljust(4, FIGURE_SPACE)}Σw = {total.ljust(9, FIGURE_SPACE)}step {self._step:,}"
        )
        self.sheet.show_examples(planned, self._data.view if self._data.is_of_run else None)

    def restyle(self, tokens: Tokens) -> None:
        self.sheet.restyle(tokens)


class _Sheet(QWidget):
    """The images in rows, each in a frame of its class's colour with its weight below."""

    def __init__(self, tokens: Tokens) -> None:
        super().__init__()
        self._planned: PlannedExamples | None = None
        self._names: tuple[str, ...] = ()
        self._picture = QImage()
        self.restyle(tokens)

    def restyle(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._font = QFont(self.font())
        self._font.setPointSizeF(tokens.font_small)
        self._caption = QFontMetrics(self._font).height()
        self.update()

    def show_examples(self, planned: PlannedExamples, dataset: DatasetView | None) -> None:
        self._planned = planned
        self._names = dataset.class_names if dataset is not None else ()
        self._picture = mosaic(planned.images, columns=1)
        needed = self.heightForWidth(self.width())
        if self.minimumHeight() < needed or self.minimumHeight() > 2 * needed:
            self.setMinimumHeight(needed)
        self.update()

    def _cell(self) -> QSize:
        """Size of a cell; an image is enlarged in whole steps to at least `_SIDE`."""
        assert self._planned is not None
        height, width = self._planned.images.shape[1:3]
        factor = max(1, math.ceil(_SIDE / max(height, width)))
        text = QFontMetrics(self._font).horizontalAdvance("0.00·10⁻⁰⁰")
        across = max(width * factor, text)
        return QSize(across + 2 * _FRAME + _AIR, height * factor + 2 * _FRAME + _AIR + self._caption)

    def _columns(self, width: int) -> int:
        return max(1, (width - _AIR) // self._cell().width())

    def heightForWidth(self, width: int) -> int:
        if self._planned is None:
            return 0
        rows = -(-len(self._planned.images) // self._columns(width))
        return rows * self._cell().height() + _AIR

    def _rect(self, index: int) -> QRect:
        cell = self._cell()
        row, column = divmod(index, self._columns(self.width()))
        return QRect(QPoint(_AIR + column * cell.width(), _AIR + row * cell.height()), cell)

    def resizeEvent(self, event: QEvent) -> None:
        self.setMinimumHeight(self.heightForWidth(self.width()))

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._planned is None:
            return
        painter = QPainter(self)
        painter.fillRect(event.rect(), QColor(self._tokens.surface))
        painter.setFont(self._font)
        height, width = self._planned.images.shape[1:3]
        factor = max(1, math.ceil(_SIDE / max(height, width)))
        for index, (label, weight) in enumerate(zip(self._planned.labels, self._planned.weights, strict=True)):
            rect = self._rect(index)
            if not rect.intersects(event.rect()):
                continue
            left = rect.left() + (rect.width() - _AIR - width * factor) // 2
            image = QRect(left, rect.top() + _FRAME, width * factor, height * factor)
            painter.drawImage(image, self._picture, QRect(0, index * (height + 1), width, height))
            painter.setPen(QPen(QColor(self._tokens.class_colour(int(label))), _FRAME))
            painter.drawRect(image.adjusted(-2, -2, 1, 1))
            painter.setPen(QColor(self._tokens.text))
            below = QRect(rect.left(), image.bottom() + _FRAME, rect.width() - _AIR, self._caption)
            painter.drawText(below, Qt.AlignmentFlag.AlignCenter, compact(float(weight), 3))

    def event(self, event: QEvent) -> bool:
        if event.type() != QEvent.Type.ToolTip or not isinstance(event, QHelpEvent) or self._planned is None:
            return super().event(event)
        for index, label in enumerate(self._planned.labels):
            if self._rect(index).contains(event.pos()):
                name = self._names[label] if label < len(self._names) else str(label)
                weight = compact(float(self._planned.weights[index]))
                text = f"A real example of class {name}; it counts {weight} times."
                why = "w = e^−ΔH in the run's gauge; 1 where the planner draws examples by their weights."
                QToolTip.showText(event.globalPos(), tooltip(text, why), self)
                return True
        QToolTip.hideText()
        return True

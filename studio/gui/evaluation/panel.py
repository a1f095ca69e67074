"""Whether the tilt arrived: class shares of data, target and generated, the distance between them, and the samples."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QLabel,
    QProgressBar,
    QScrollArea,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from studio.evaluation.tables import caveats
from studio.gui.evaluation.bars import Bars, SharesBars
from studio.gui.evaluation.curves import SHARE_ERROR
from studio.gui.evaluation.evaluation_control import EvaluationControl, EvaluationView
from studio.gui.evaluation.quality import SharesQuality
from studio.gui.evaluation.samples import SharesSamples
from studio.gui.plots.curves import CurvesPanel
from studio.gui.state.judge_offers import why_not_judged
from studio.gui.state.setup import Setup
from studio.gui.widgets.buttons import choice_button, toggle_button, tool_button
from studio.gui.widgets.flow_layout import FlowLayout
from studio.gui.widgets.number_format import whole
from studio.gui.widgets.panel import LivePanel
from studio.gui.widgets.theme import ThemeManager, Tokens
from studio.gui.widgets.tooltip import set_help, tooltip

_EMPTY = (
    "Whether the tilt arrives: each class's share of the data, of the target and of what the model generates, as a "
    "judge sees it.\nPress Start to train; the first shares come once the judge has been trained, within a minute.\n"
    "Ctrl+E evaluates at once."
)
_MOMENT = "Evaluate the model of this moment."
_PAGES = {
    "bars": (
        "Shares",
        "Shares per class of recognisable samples: data grey, target outlined, generated filled, with 95 % interval.",
    ),
    "error": ("Share error", "Distances of the generated shares from the target's, against step."),
    "figures": ("Quality", "Distances between generated samples and the tilted data, and what they mean."),
}


class SharesPanel(LivePanel):
    """Bars, curves and figures of the newest evaluation."""

    NAME = "shares"
    TITLE = "Shares"
    OF_RUN = True

    def __init__(
        self, setup: Setup, evaluations: EvaluationControl, theme: ThemeManager, parent: QWidget | None = None
    ) -> None:
        super().__init__(theme, parent)
        self._setup, self._evaluations = setup, evaluations
        self._view = evaluations.shown
        self.bars = SharesBars(theme.tokens)
        self.bars.chosen.connect(self._show_samples)
        self.samples = SharesSamples()
        self.error = CurvesPanel(SHARE_ERROR, evaluations, theme)
        self.quality = SharesQuality(evaluations, theme)
        self.body.addWidget(self._controls())
        self.body.addWidget(self._stack_of_pages(), 1)
        self.show_empty(_EMPTY)
        evaluations.shown_changed.connect(self.take)
        for changed in (setup.dataset_changed, setup.config_changed):
            changed.connect(self._refresh)
        self.take(self._view)

    def _controls(self) -> QWidget:
        bar = QWidget()
        row = FlowLayout(bar, spacing=2)
        self._which = QButtonGroup(self)
        for name, (title, tip) in _PAGES.items():
            button = choice_button(f"shares_{name}", title, tip, checked=name == "bars")
            self._which.addButton(button)
            row.addWidget(button)
        self._which.buttonToggled.connect(self._on_page)
        self.raw = toggle_button(
            "shares_raw",
            "Raw",
            "Shares as the judge sees them, not corrected for what it confuses on examples held out.",
        )
        self.raw.toggled.connect(self.request_draw)
        self.evaluate = tool_button("shares_evaluate", "Evaluate", _MOMENT)
        self.evaluate.clicked.connect(self._evaluations.evaluate)
        self.cancel = tool_button("shares_cancel", "Cancel", "Give up this evaluation; training goes on.")
        self.cancel.clicked.connect(self._evaluations.cancel)
        self.progress = QProgressBar(maximum=100, textVisible=False)
        self.progress.setFixedWidth(70)
        set_help(self.progress, "Progress of the evaluation", "How far the evaluation is that you asked for.")
        self._step = QLabel()
        self._step.setTextFormat(Qt.TextFormat.PlainText)
        self._step.setProperty("role", "muted")
        set_help(self._step, "Step of the evaluation", "Training steps taken when the evaluated samples were drawn.")
        for widget in (self.raw, self.evaluate, self.cancel, self.progress, self._step):
            row.addWidget(widget)
        return bar

    def _stack_of_pages(self) -> QStackedWidget:
        self._pages = QStackedWidget()
        first = QWidget()
        column = QVBoxLayout(first)
        column.setContentsMargins(0, 0, 0, 0)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(self.bars)
        column.addWidget(scroll, 3)
        self.caveats = QLabel(wordWrap=True)
        self.caveats.setTextFormat(Qt.TextFormat.PlainText)
        self.caveats.setProperty("role", "muted")
        set_help(
            self.caveats, "What the judge cannot say", "Classes whose shares the judge cannot correct or tell apart."
        )
        self.caveats.hide()
        column.addWidget(self.caveats)
        column.addWidget(self.samples, 2)
        self.samples.hide()
        quality = QScrollArea()
        quality.setWidgetResizable(True)
        quality.setFrameShape(QFrame.Shape.NoFrame)
        quality.setWidget(self.quality)
        for page in (first, self.error, quality):
            self._pages.addWidget(page)
        return self._pages

    @Slot(object)
    def take(self, view: EvaluationView) -> None:
        """News."""
        self._view = view
        busy = bool(view.doing)
        self.evaluate.setEnabled(view.possible and not busy)
        self.evaluate.setToolTip(tooltip(f"{view.tip or _MOMENT} (Ctrl+E)"))
        self.cancel.setVisible(busy)
        self.progress.setVisible(busy)
        self.progress.setValue(round(100 * view.fraction))
        if view.latest is None and not busy:
            self.show_empty(why_not_judged(self._setup.judges, self._setup.config.evaluation.judge) or _EMPTY)
        else:
            self.show_body()
        self.request_draw()

    @Slot()
    def _refresh(self) -> None:
        self.take(self._view)

    @Slot()
    def draw(self) -> None:
        """Bring the page shown up to date."""
        latest = self._view.latest
        if latest is None:
            self._step.setText(self._view.doing)
            return
        found = latest.evaluation
        judged = f", judged as {found.judge}" if found.judge else ""
        self._step.setText(self._view.doing or f"step {whole(latest.step)}, {found.shares.count:,} samples{judged}")
        self.bars.show_bars(Bars.of(latest.evaluation, raw=self.raw.isChecked()))
        self.caveats.setText(" ".join(caveats(latest.evaluation)))
        self.caveats.setVisible(bool(self.caveats.text()))
        if not self.samples.isHidden():
            self._show_samples(self.bars.current)
        self.quality.show_evaluation(latest.evaluation)

    def restyle(self, tokens: Tokens) -> None:
        self.bars.tokens = tokens
        self.bars.update()

    @Slot(QToolButton, bool)
    def _on_page(self, button: QToolButton, checked: bool) -> None:
        if checked:
            self._pages.setCurrentIndex(list(_PAGES).index(button.objectName().removeprefix("shares_")))
            self.request_draw()

    @Slot(int)
    def _show_samples(self, index: int) -> None:
        latest = self._view.latest
        if latest is None or index < 0:
            return
        self.samples.show()
        self.samples.show_class(latest.evaluation, index)

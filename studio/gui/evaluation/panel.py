"""Whether the tilt arrived: class shares of data, target and generated, the distance between them, and the samples."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QButtonGroup, QProgressBar, QSizePolicy, QStackedWidget, QToolButton, QWidget

from studio.evaluation.record import caveats
from studio.gui.evaluation.bars import Bars, SharesBars
from studio.gui.evaluation.curves import SHARE_ERROR
from studio.gui.evaluation.evaluation_control import EvaluationControl, EvaluationView
from studio.gui.evaluation.quality import SharesQuality
from studio.gui.evaluation.samples import SharesSamples
from studio.gui.plots.curves import CurvesPanel
from studio.gui.widgets.buttons import toggle_button, tool_button
from studio.gui.widgets.flow_layout import flow_bar
from studio.gui.widgets.labels import plain_label
from studio.gui.widgets.layouts import column_of, fill, scrolled
from studio.gui.widgets.live_panel import LivePanel
from studio.gui.widgets.theme import ThemeManager, Tokens
from studio.gui.widgets.tooltip import set_help, tooltip
from studio.number_text import whole

_EMPTY = (
    "Whether the tilt arrives: each class's share of the data, of the target and of what the model generates, as a "
    "judge sees it."
)
_ONCE_JUDGED = "the first shares come once the judge has been trained, within minutes, unless “Evaluation budget” is 0."
_MOMENT = "Evaluate the model as it is now."
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

    NAME, TITLE = "shares", "Shares"
    OF_RUN = OF_STEP = True

    def __init__(self, evaluations: EvaluationControl, theme: ThemeManager, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._evaluations = evaluations
        self._view = evaluations.shown
        self.bars = SharesBars(theme.tokens)
        self.bars.chosen.connect(self._show_samples)
        self.samples = SharesSamples()
        self.error = CurvesPanel(SHARE_ERROR, evaluations, theme)
        self.quality = SharesQuality(evaluations, theme)
        fill(self.body, self._controls(), (self._stack_of_pages(), 1))
        evaluations.shown_changed.connect(self.take)
        self.take(self._view)

    def _controls(self) -> QWidget:
        self._which = QButtonGroup(self)
        for name, (title, tip) in _PAGES.items():
            self._which.addButton(toggle_button(f"shares_{name}", title, tip, checked=name == "bars", kind="choice"))
        self._which.buttonToggled.connect(self._on_page)
        tip = "Shares as the judge sees them, not corrected for what it confuses on examples held out."
        self.raw = toggle_button("shares_raw", "Raw", tip, self.request_draw)
        self.evaluate = tool_button("shares_evaluate", "Evaluate", _MOMENT, self._evaluations.evaluate)
        tip = "Cancel this evaluation; training goes on."
        self.cancel = tool_button("shares_cancel", "Cancel", tip, self._evaluations.cancel)
        self.progress = QProgressBar(maximum=100, textVisible=False)
        self.progress.setFixedWidth(70)
        set_help(self.progress, "Progress of the evaluation", "Progress of the evaluation that you asked for.")
        tip = "Training steps taken when the evaluated samples were drawn."
        self._step = plain_label(role="muted", title="Step of the evaluation", tip=tip)
        pages = self._which.buttons()
        return flow_bar(*pages, self.raw, self.evaluate, self.cancel, self.progress, self._step, spacing=2)

    def _stack_of_pages(self) -> QStackedWidget:
        area = scrolled(self.bars)
        area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        tip = "Classes whose shares the judge cannot correct or tell apart."
        self.caveats = plain_label(role="muted", wraps=True, title="What the judge cannot say", tip=tip)
        self.caveats.hide()
        self.samples.hide()
        first = QWidget()
        column_of((area, 3), self.caveats, (self.samples, 2), inside=first)
        self._pages = QStackedWidget()
        for page in (first, self.error, scrolled(self.quality)):
            self._pages.addWidget(page)
        self._turn_to(0)
        room = self._pages.sizePolicy()
        room.setRetainSizeWhenHidden(True)
        self._pages.setSizePolicy(room)
        return self._pages

    @Slot(object)
    def take(self, view: EvaluationView) -> None:
        self._view = view
        busy = bool(view.doing)
        self.evaluate.setEnabled(view.possible and not busy and not self._owner)
        self.evaluate.setToolTip(tooltip(f"{view.tip or _MOMENT} (Ctrl+E)"))
        self.cancel.setVisible(busy)
        self.progress.setVisible(busy)
        self.progress.setValue(round(100 * view.fraction))
        if view.latest is None and not busy:
            now = " Ctrl+E evaluates at once." if view.possible else ""
            self.show_empty(view.history.missing or _EMPTY + now, "" if view.history.missing else _ONCE_JUDGED)
        else:
            self.show_body()
        self._pages.setVisible(view.latest is not None)  # else it has what was evaluated of another run, or step
        self.request_draw()

    @Slot(str)
    def show_owner(self, words: str) -> None:
        super().show_owner(words)
        self.take(self._view)

    @Slot()
    def draw(self) -> None:
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
            self._turn_to(list(_PAGES).index(button.objectName().removeprefix("shares_")))
            self.request_draw()

    def _turn_to(self, chosen: int) -> None:
        """It alone says how much room there has to be: what scrolls by itself is in no panel that does, too."""
        for place in range(self._pages.count()):
            page = self._pages.widget(place)
            assert page is not None
            vertical = QSizePolicy.Policy.Preferred if place == chosen else QSizePolicy.Policy.Ignored
            page.setSizePolicy(QSizePolicy.Policy.Preferred, vertical)
        self._pages.setCurrentIndex(chosen)

    @Slot(int)
    def _show_samples(self, index: int) -> None:
        latest = self._view.latest
        if latest is None or index < 0:
            return
        self.samples.show()
        self.samples.show_class(latest.evaluation, index)

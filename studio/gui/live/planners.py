"""Which planner gives the steadiest gradient: all of them measured on demand at the parameters as they are."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QHeaderView, QProgressBar, QTableWidget, QTableWidgetItem, QWidget

from studio.gui.run.run_control import RunControl
from studio.gui.state.run_view import RunPhase, RunView
from studio.gui.state.setup import Setup
from studio.gui.timeline.time_cursor import TimeCursor
from studio.gui.widgets.buttons import push_button
from studio.gui.widgets.labels import plain_label
from studio.gui.widgets.layouts import fill, row_of
from studio.gui.widgets.live_panel import LivePanel
from studio.gui.widgets.tables import cell, read_only, set_heads
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import named, set_help, tooltip
from studio.names import spoken
from studio.number_text import compact
from studio.training.messages.commands import CancelComparison, ComparePlanners
from studio.training.messages.planner_report import PlannerReport, PlannerRow

_EMPTY = (
    "How steady a batch's gradient is under each planner, and whether it is biased, measured at the model's present "
    "parameters, while a run trains in this window."
)
_COMING = "once it trains in this window, press “Compare planners” here; it takes about ten seconds."
_READY = "Training waits while planners are compared, and then goes on unchanged."
_OWN = (
    "Batches of fixed size, each divided by its own Σw. No planner of the studio does that: it is here for its bias, "
    "which the constant B_avg removes."
)
_VARIANCE = (
    "How far one batch's gradient strays from the mean one, over the size of the mean one; lower is steadier. "
    "tr Cov(g)/|⟨g⟩|², ± its standard error."
)
_FACTOR = (
    "Variance over that of the planner in use: 0.25 does what batches four times as large would do. "
    "tr Cov(g)/tr Cov(g of the current planner)."
)
_BIAS = (
    "How far the mean gradient is from that of the target; 0 is right. |⟨g⟩_planner − ⟨g⟩|/|⟨g⟩|, ± what chance alone "
    "would show."
)
_WAY = "Way to fill batches; a dot marks the one in use. All give the same gradient on average but “Own Σw”."
_COLUMNS = (("Planner", _WAY), ("Variance", _VARIANCE), ("× current", _FACTOR), ("Bias", _BIAS))


class PlannersPanel(LivePanel):
    """A table of planners, a recommendation, and the button that asks."""

    NAME, TITLE, OF_RUN = "planners", "Planners", True

    def __init__(
        self, setup: Setup, runs: RunControl, time: TimeCursor, theme: ThemeManager, parent: QWidget | None = None
    ) -> None:
        super().__init__(theme, parent)
        self._setup, self._runs, self._time = setup, runs, time
        self.report: PlannerReport | None = None
        self._target = 0  # revision that the run trains towards
        self._comparing = False
        self.advice, self.carry = plain_label(wraps=True), plain_label(role="muted", wraps=True)
        font = self.advice.font()
        font.setBold(True)
        self.advice.setFont(font)
        self.table = self._make_table()
        fill(self.body, self._controls(), self.advice, (self.table, 1), self.carry)
        self.body.addStretch(0)  # words stay at the top while there is no table
        self.show_empty(_EMPTY, _COMING)
        runs.comparing_planners.connect(self.take_progress)
        runs.planners_compared.connect(self.take_report)
        runs.run_changed.connect(self.take_run)
        runs.run_reset.connect(self.reset)
        runs.went_back.connect(self._on_went_back)
        runs.target_applied.connect(self._on_target)
        time.run_shown.connect(self._refresh)
        setup.config_changed.connect(self._refresh)
        self.take_run(runs.run)

    def _controls(self) -> QHBoxLayout:
        tip = f"Measure gradients of every planner's batches now. {_READY}"
        self.compare = push_button(
            "planners_compare", "Compare planners", tip, lambda: self._runs.send(ComparePlanners())
        )
        self.progress = named(QProgressBar(maximum=100), "planners_progress", "Progress", "How far the comparison is.")
        tip = "Cancel the comparison; training goes on."
        self.cancel = push_button("planners_cancel", "Cancel", tip, lambda: self._runs.send(CancelComparison()))
        self.use = push_button("planners_use", "", "", self._take_advice)
        tip = "Training steps taken when planners were compared, and whose gradient."
        self.place = plain_label(role="muted", wraps=True, title="Step of the comparison", tip=tip)
        parts = (self.compare, (self.progress, 1), self.cancel, self.use, (self.place, 1))
        return row_of(*parts, spacing=self.theme.tokens.spacing)

    def _make_table(self) -> QTableWidget:
        tip = "Relative variance and bias of the gradient under each planner."
        table = named(QTableWidget(0, len(_COLUMNS)), "planners_table", "Planners compared", tip)
        table.setToolTip("")
        read_only(table)
        set_heads(table, _COLUMNS, right_from=1)
        table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        return table

    # -- what comes in

    @Slot(object)
    def take_run(self, run: RunView) -> None:
        """A run that is over compares nothing any more."""
        if self._comparing and not run.phase.active:
            self._comparing = False
        self._refresh()

    @Slot(float)
    def take_progress(self, fraction: float) -> None:
        self._comparing = True
        self.progress.setValue(round(100 * fraction))
        self._refresh()

    @Slot(object)
    def take_report(self, report: PlannerReport | None) -> None:
        """The answer; None leaves the last one."""
        self._comparing = False
        self.report = report or self.report
        self._refresh()

    @Slot()
    def reset(self) -> None:
        self.report, self._comparing, self._target = None, False, 0
        self._refresh()

    @Slot(int)
    def _on_went_back(self, step: int) -> None:
        if self.report is not None and self.report.step > step:
            self.report = None
            self._refresh()

    @Slot(int, int)
    def _on_target(self, _step: int, revision: int) -> None:
        self._target = revision
        self._refresh()

    # -- what is shown

    @Slot()
    def _refresh(self) -> None:
        live = self._runs.run.phase in (RunPhase.RUNNING, RunPhase.PAUSED)
        held = next((each for each in (self.compare, self.cancel, self.use) if each.hasFocus()), None)
        self.compare.setVisible(not self._comparing)
        self.compare.setEnabled(live)
        self.progress.setVisible(self._comparing)
        self.cancel.setVisible(self._comparing)
        self.place.setVisible(not self._comparing)
        if held is not None and not held.isVisibleTo(self):
            (self.cancel if self._comparing else self.compare).setFocus()
        self.request_draw()

    def draw(self) -> None:
        live = self._runs.run.phase in (RunPhase.RUNNING, RunPhase.PAUSED)
        report = None if self._time.left else self.report
        if self._time.old is not None or (report is None and not live and not self._comparing):
            self.show_empty(_EMPTY, _COMING)
            return
        self.show_body()
        self.table.setVisible(report is not None)
        self.advice.setVisible(report is not None)
        self._offer(report)
        if report is None:
            self.carry.setText(_READY)
            self.place.clear()
            return
        before = ", of the target before" if report.revision < self._target else ""
        own, now = f"{report.average_size:g}", self._runs.config
        other = now is not None and now.batch.average_size != report.average_size
        size = f", in batches of B_avg {own}" if other else ""
        self.place.setText(f"step {report.step:,}{before}{size}, gradient of the {spoken(report.network)}")
        self.advice.setText(report.advice.reason)
        self.carry.setText(report.on_carry)
        self.table.setRowCount(len(report.rows))
        for place, row in enumerate(report.rows):
            self._fill(place, row, report)

    def _fill(self, place: int, row: PlannerRow, report: PlannerReport) -> None:
        variance = f"{compact(report.relative(row.trace), 3)} ± {compact(report.relative(row.trace_error), 2)}"
        factor = row.trace / max(report.row(report.current).trace, 1e-300)
        none = max(row.bias, row.bias_error) < 5e-5
        bias = "< 0.01 %" if none else f"{_percent(row.bias)} ± {_percent(row.bias_error)} %"
        name = f"{row.label} •" if row.kind is report.current else row.label
        tips = (row.kind.help if row.kind is not None else _OWN, _VARIANCE, _FACTOR, _BIAS)
        for column, text in enumerate((name, variance, f"{factor:.2f}", bias)):
            item = cell(QTableWidgetItem(text), right=column > 0)
            item.setToolTip(tooltip(tips[column], f"Over {row.batches} batches." if column else ""))
            if row.kind is report.advice.kind:
                font = self.table.font()
                font.setBold(True)
                item.setFont(font)
            self.table.setItem(place, column, item)

    def _offer(self, report: PlannerReport | None) -> None:
        """Take the advice with one press, where it differs from what is set up."""
        kind = report.advice.kind if report is not None else None
        self.use.setVisible(kind is not None and kind is not self._setup.config.batch.planner and not self._comparing)
        if kind is not None:
            self.use.setText(f"Use {kind.label.lower()}")
            set_help(self.use, f"Use {kind.label.lower()}", f"Plan the next run's batches so. {kind.help}")

    @Slot()
    def _take_advice(self) -> None:
        if self.report is not None:
            batch = self._setup.config.batch.model_copy(update={"planner": self.report.advice.kind})
            self._setup.edit(batch=batch)


def _percent(share: float) -> str:
    """A share in per cent, of steady width."""
    return f"{100 * share:.2f}" if share < 0.1 else f"{100 * share:.1f}"

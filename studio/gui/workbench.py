"""The window's one model: what is loaded, what is edited, what runs. Panels listen to its signals and call its slots.

Signals carry the frozen values of `studio.gui.view_state`; a panel that is made late reads the same values from the
properties. Nothing here draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QUndoStack

from studio.data.catalog import DatasetConfig
from studio.errors import UserError
from studio.gui.history import History
from studio.gui.view_state import DatasetView, LogLine, RunView, TaskView, TiltView
from studio.models.config import ModelConfig
from studio.perturb.perturbation import Gauge
from studio.settings import Settings
from studio.training.config import RunConfig


class Workbench(QObject):
    """State in by signals, intent out by slots. (Contract; the lead fills it in.)"""

    config_changed = Signal(object)  # RunConfig, as edited: what the next start takes
    dataset_changed = Signal(object)  # DatasetView | None while there is none
    dataset_failed = Signal(object)  # UserError: shown beside the data set's fields
    tilt_changed = Signal(object)  # TiltView | None
    edit_rejected = Signal(object)  # UserError with .field: shown beside its cause; nothing was changed
    run_changed = Signal(object)  # RunView
    run_reset = Signal()  # a new run begins: forget the old one's pictures
    snapshot_arrived = Signal(object)  # training.messages.Snapshot, at the drawing rate
    history_changed = Signal(object)  # History: new points or marks, at the drawing rate
    line_logged = Signal(object)  # LogLine
    task_changed = Signal(object)  # TaskView | None
    engine_ready = Signal(object)  # tuple[(value, title), ...] of devices: torch is in

    # -- state, the same values as the signals carry
    config: RunConfig
    dataset: DatasetView | None
    tilt: TiltView | None
    run: RunView
    history: History
    task: TaskView | None
    devices: tuple[tuple[str, str], ...]  # (("auto", "Automatic"),) until torch is in
    data_root: Path
    undo_stack: QUndoStack  # offsets edits; every command has a text such as "ΔH of 2"

    # -- intent: editing (all undoable where they touch offsets)
    @Slot(int, float)
    def set_offset(self, index: int, offset: float) -> None: ...
    def set_offsets(self, offsets: Sequence[float], text: str) -> None:
        """Replace all offsets in one undoable step; `text` names it ("Balance classes")."""

    @Slot(int, float)
    def set_share(self, index: int, share: float) -> None:
        """Solve for the offset that gives the class this target share in 0…1."""

    def set_shares(self, shares: dict[int, float], text: str) -> None:
        """Several classes at once; the other classes keep their proportions."""

    def set_gauge(self, gauge: Gauge) -> None: ...
    def set_dataset(self, config: DatasetConfig) -> None:
        """Choose and load a data set in the background; offsets stay where class names match."""

    def set_model(self, config: ModelConfig) -> None: ...
    def edit(self, **sections: object) -> None:
        """Replace fields of the RunConfig, such as edit(batch=BatchConfig(...), seed=3)."""

    def set_data_root(self, folder: Path) -> None: ...

    # -- intent: running
    def start(self) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def step_once(self) -> None: ...
    def stop(self) -> None: ...
    def sample_now(self) -> None: ...
    def save(self) -> None: ...
    def cancel_task(self) -> None: ...


__all__ = ["LogLine", "RunView", "Settings", "UserError", "Workbench"]

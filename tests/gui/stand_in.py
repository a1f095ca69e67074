"""A workbench without a trainer, for tests of one panel: holds the tilt, judges it, remembers what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from studio.data.catalog import DATASETS, DatasetConfig, load_dataset
from studio.errors import UserError
from studio.gui.view_state import DatasetView, RunView, TaskView, TiltView
from studio.models.config import ModelConfig
from studio.perturb.perturbation import Gauge, Perturbation, offset_for_share
from studio.training.config import RunConfig


class _Edit(QUndoCommand):
    def __init__(self, text: str, redo: Callable[[], None], undo: Callable[[], None]) -> None:
        super().__init__(text)
        self._redo, self._undo = redo, undo

    def redo(self) -> None:
        self._redo()

    def undo(self) -> None:
        self._undo()


class StandInWorkbench(QObject):
    config_changed = Signal(object)
    dataset_changed = Signal(object)
    dataset_failed = Signal(object)
    tilt_changed = Signal(object)
    edit_rejected = Signal(object)
    run_changed = Signal(object)
    task_changed = Signal(object)
    engine_ready = Signal(object)

    def __init__(self, dataset: DatasetView | None = None) -> None:
        super().__init__()
        self.config = RunConfig()
        self.dataset = dataset
        self.run = RunView()
        self.task: TaskView | None = None
        self.devices: tuple[tuple[str, str], ...] = (("auto", "Automatic"),)
        self.data_root = Path("/nowhere/to/be/found")
        self.undo_stack = QUndoStack(self)
        self.asked: list[tuple[str, Any]] = []
        self.tilt: TiltView | None = None
        if dataset is not None:
            self._tilt(Perturbation.zero(len(dataset.counts)))

    def _tilt(self, perturbation: Perturbation, *, pending: bool = False) -> None:
        assert self.dataset is not None
        self.tilt = TiltView.of(perturbation, self.dataset, self.config.batch.average_size, pending=pending)
        self.tilt_changed.emit(self.tilt)

    @property
    def offsets(self) -> tuple[float, ...]:
        assert self.tilt is not None
        return self.tilt.perturbation.offsets

    def make_pending(self, pending: bool) -> None:
        assert self.tilt is not None
        self._tilt(self.tilt.perturbation, pending=pending)

    def set_offset(self, index: int, offset: float) -> None:
        assert self.dataset is not None
        offsets = list(self.offsets)
        offsets[index] = offset
        self.set_offsets(offsets, f"ΔH of {self.dataset.class_names[index]}")

    def set_offsets(self, offsets: Sequence[float], text: str) -> None:
        assert self.tilt is not None
        old = self.tilt.perturbation
        try:
            new = Perturbation(offsets=tuple(offsets), gauge=old.gauge, revision=old.revision + 1)
        except UserError as error:
            self.edit_rejected.emit(error)
            return
        self.undo_stack.push(_Edit(text, lambda: self._tilt(new), lambda: self._tilt(old)))

    def set_share(self, index: int, share: float) -> None:
        assert self.dataset is not None
        self.set_offset(index, offset_for_share(self.dataset.counts, self.offsets, index, share))

    def set_shares(self, shares: dict[int, float], text: str) -> None:
        assert self.dataset is not None
        assert self.tilt is not None
        wanted = np.array(self.tilt.summary.target)
        others = np.ones(len(wanted), dtype=bool)
        others[list(shares)] = False
        if others.any():
            wanted[others] *= (1 - sum(shares.values())) / wanted[others].sum()
        wanted[list(shares)] = list(shares.values())
        self.set_offsets([float(-x) for x in np.log(wanted / self.dataset.shares)], text)

    def set_gauge(self, gauge: Gauge) -> None:
        self._tilt(Perturbation(offsets=self.offsets, gauge=gauge))

    def set_dataset(self, config: DatasetConfig) -> None:
        self.asked.append(("dataset", config))

    def set_model(self, config: ModelConfig) -> None:
        self.edit(model=config)

    def edit(self, **sections: Any) -> None:
        self.asked.append(("edit", sections))
        self.config = self.config.model_copy(update=sections)
        self.config_changed.emit(self.config)

    def set_data_root(self, folder: Path) -> None:
        self.asked.append(("data_root", folder))
        self.data_root = folder

    def cancel_task(self) -> None:
        self.asked.append(("cancel", None))


def digits_view() -> DatasetView:
    return DatasetView.of(load_dataset(DATASETS[0].config(), Path("/nowhere")))

"""Loads one data set at a time beside the window; a newer wish replaces an older one."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from studio.data.catalog import DatasetConfig, load_dataset
from studio.data.example_set import ExampleSet
from studio.errors import UserError
from studio.gui.state.task_runner import TaskRunner


class DatasetLoader(QObject):
    """Answers each `load` that is neither overtaken nor given up with exactly one signal."""

    loaded = Signal(object)  # ExampleSet
    failed = Signal(object)  # UserError
    cancelled = Signal(object)  # DatasetConfig

    def __init__(self, tasks: TaskRunner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._wanted: DatasetConfig | None = None
        self._request = 0

    @property
    def busy(self) -> bool:
        """Whether a data set is being loaded."""
        return self._wanted is not None

    def load(self, config: DatasetConfig, data_root: Path) -> None:
        """Load a data set, instead of one that is still being loaded."""
        self._tasks.cancel()
        self._wanted = config
        self._request += 1
        request = self._request
        self._tasks.run(
            lambda progress: load_dataset(config, data_root, progress),
            done=lambda images: self._on_loaded(request, images),
            failed=lambda error: self._on_failed(request, error),
            cancelled=lambda: self._on_cancelled(request, config),
        )

    def give_up(self) -> None:
        """Let what is being loaded go unanswered."""
        if self.busy:
            self._tasks.cancel()
            self._wanted = None
            self._request += 1

    def _on_loaded(self, request: int, images: ExampleSet) -> None:
        if self._is_answer(request):
            self.loaded.emit(images)

    def _on_failed(self, request: int, error: UserError) -> None:
        if self._is_answer(request):
            self.failed.emit(error)

    def _on_cancelled(self, request: int, config: DatasetConfig) -> None:
        if self._is_answer(request):
            self.cancelled.emit(config)

    def _is_answer(self, request: int) -> bool:
        if request != self._request:
            return False
        self._wanted = None
        return True

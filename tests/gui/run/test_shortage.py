"""Memory that runs out while a run trains: the window says so, and one click goes on with half the batch."""

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QPushButton

from studio.gui.state.run_view import RunPhase
from studio.training.config.file import read_config
from studio.training.messages.commands import Save
from studio.training.storage.metrics import read_metrics
from tests.gui.hands import Hands


def cuda_full() -> Exception:
    import torch

    return torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


@pytest.mark.slow
@pytest.mark.parametrize("error", [MemoryError, cuda_full])
def test_that_one_click_halves_the_batch_and_goes_on(
    quick_hands: Hands, monkeypatch: pytest.MonkeyPatch, error: Callable[[], Exception]
) -> None:
    from studio.training.engine.learner import Learner

    hands, bench, full = quick_hands, quick_hands.bench, False
    whole = Learner._run_phase

    def phase(self: Learner, of: Any, batch: Any, average_size: float) -> None:
        if full and average_size > 40:
            raise error()
        whole(self, of, batch, average_size)

    monkeypatch.setattr(Learner, "_run_phase", phase)
    hands.train(10)
    bench.runs.send(Save())
    hands.wait(lambda: bench.runs.run.saved_step > 0)
    kept = bench.runs.run.saved_step
    full = True
    hands.wait(lambda: hands.window.findChild(QMessageBox, "error_box") is not None)
    box = hands.window.findChild(QMessageBox, "error_box")
    assert box.text() == "There is not enough memory"
    hands.wait_for(RunPhase.PAUSED)
    assert f"waits at step {bench.runs.run.step:,}" in box.informativeText()
    assert bench.runs.run.step >= kept
    button = box.findChild(QPushButton, "halve_batch")
    assert button.text().replace("&", "") == "Resume with B_avg = 32"
    waiting = bench.runs.run.step
    hands.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    hands.wait(lambda: bench.runs.run.phase is RunPhase.RUNNING and bench.runs.run.step > waiting + 3)
    assert bench.setup.config.batch.average_size == 32
    assert bench.runs.config.batch.average_size == 32
    assert bench.time.history.current("average_size") == 32
    assert any(mark.text.startswith("B_avg set to 32") for mark in bench.time.view.marks)
    hands.end()
    folder = bench.runs.run.folder
    assert folder is not None
    metrics = read_metrics(folder)
    assert metrics.steps.tolist() == list(range(1, bench.runs.run.step + 1)), "no step is there twice"
    assert metrics.columns["average_size"][-1] == 32
    assert read_config(folder / "config.json").batch.average_size == 32
    hands.window.actions_of_run["resume"].trigger()
    ended = bench.runs.run.step
    hands.wait(lambda: bench.runs.run.phase is RunPhase.RUNNING and bench.runs.run.step > ended)
    assert bench.time.history.current("average_size") == 32
    hands.end()

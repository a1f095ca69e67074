"""What the window costs training: steps a second with the window live against the same run with nobody looking.

    python -m tests.benchmarks.window_cost [--data DIR] [--seconds 2] [--blocks 10]

The real window, off screen, at its own drawing rate; nothing is evaluated. One run for each model; blocks alternate:
in one the window's event loop turns, in the other its thread sleeps, so that nothing is drawn or asked for and the run
goes on as without a window. Ratios are those of neighbouring blocks, on the wall, as both threads share the processor.
The time counted is that of steps alone: a sample grid of a diffusion model takes as long as several of them, and falls
into the one block or into the other.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

from studio.runtime import prepare_runtime
from tests.benchmarks.options import NO_MNIST, mnist, parser_of
from tests.benchmarks.screen import training
from tests.benchmarks.table import Row, show
from tests.benchmarks.throughput import MLP, Case
from tests.steady.desk import open_studio, private_home, trainers_of_runs

if TYPE_CHECKING:
    from studio.training.engine.learner import StepReport
    from studio.training.engine.trainer import Trainer

_WARM_S, _SETTLE_MS = 5.0, 500
_LEAST = 5
"""Steps of a block, however slow the machine is."""


_CASES = (
    Case(title="GAN, MLP", preset="mnist-twos-30-gan", changes=MLP),
    Case(title="WGAN-GP, convolutional", preset="mnist-twos-30-wgan_gp"),
    Case(title="diffusion, U-Net", preset="mnist-twos-30-diffusion"),
)


def main() -> None:
    parser = parser_of(__doc__, data=True)
    parser.add_argument("--seconds", type=float, default=2.0, help="of a block")
    parser.add_argument("--blocks", type=int, default=10, help="of each kind")
    options = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    prepare_runtime()
    show(rows(options.data, options.seconds, options.blocks))


def rows(root: Path, seconds: float = 2.0, blocks: int = 10) -> Iterator[Row]:
    if not mnist(root):
        yield Row(what="the window's cost", target=0.95, values=(), notes=NO_MNIST)
        return
    with trainers_of_runs() as trainers:
        for case in _CASES:
            with private_home() as home:
                yield _row(case, home, root.resolve(), trainers, seconds, blocks)


def _row(case: Case, home: Path, root: Path, trainers: list[Trainer], seconds: float, blocks: int) -> Row:
    from studio.training.config.run_config import EvaluationConfig
    from tests.screenshots import _turn

    config = case.config(evaluation=EvaluationConfig(budget=0))
    with open_studio(config, home, root) as window, training(window.controls, 3):
        _turn(round(1000 * _WARM_S))
        took = _timed(trainers[-1])

        def pace(wait: Callable[[float], object]) -> float:
            """Steps a second, over a block of so many seconds and steps at least."""
            took.clear()
            wait(seconds)
            while len(took) < _LEAST:
                wait(seconds / 4)
            return 1 / statistics.fmean(took)

        live, alone = [], []
        for _ in range(blocks):
            _turn(_SETTLE_MS)
            live.append(pace(lambda duration: _turn(round(1000 * duration))))
            alone.append(pace(time.sleep))
    ratios = [with_it / without for with_it, without in zip(live, alone, strict=True)]
    notes = f"{statistics.median(live):.3g} against {statistics.median(alone):.3g} steps/s"
    return Row(what=f"{case.title}, window live", against="nobody looking", target=0.95, values=ratios, notes=notes)


def _timed(trainer: Trainer) -> list[float]:
    """Seconds that each step takes from now on, as they come."""
    step, took = trainer.step, list[float]()

    def timed(network: str = "") -> StepReport:
        begun = time.perf_counter()
        report = step(network)
        took.append(time.perf_counter() - begun)
        return report

    patch.object(trainer, "step", timed).start()
    return took


if __name__ == "__main__":
    main()

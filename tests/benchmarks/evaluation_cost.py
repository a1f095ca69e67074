"""What evaluations take of the time of a run: seconds in them over seconds of training, against their budget.

    python -m tests.benchmarks.evaluation_cost [--data DIR] [--seconds 60]

Headless, by presets, with the judge trained before. An evaluation is done in pieces between steps, each when the budget
has room for it; what a piece will cost is known from the one before, and the first of each kind is a guess. Time is on
the wall, and the share is that of the whole run.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from studio.runtime import prepare_runtime
from tests.benchmarks.options import mnist, parser_of
from tests.benchmarks.table import Row, show

if TYPE_CHECKING:
    from studio.evaluation.judge import Judge
    from studio.training.engine.trainer import Trainer

_PRESETS = ("digits-vae", "digits-diffusion")
_ON_MNIST = ("mnist-twos-30-wgan_gp", "mnist-twos-30-diffusion")


def main() -> None:
    parser = parser_of(__doc__, data=True)
    parser.add_argument("--seconds", type=float, default=60.0, help="of training, for each preset")
    options = parser.parse_args()
    prepare_runtime()
    show(rows(options.data, options.seconds))


def rows(root: Path, seconds: float = 60.0) -> Iterator[Row]:
    """A row for each preset; of MNIST only where it is there."""
    from studio.data.catalog import load_dataset
    from studio.data.image_set import ImageSet
    from studio.evaluation.judge import train_judge
    from studio.progress import Progress
    from studio.training.config.presets import config_or_preset
    from studio.training.engine.trainer import Trainer

    for presets in (_PRESETS, _ON_MNIST if mnist(root) else ()):
        judge = None
        for preset in presets:
            config = config_or_preset(preset)
            data = load_dataset(config.dataset, root)
            assert isinstance(data, ImageSet)
            judge = judge or train_judge(data, Progress())
            yield _row(preset, config.evaluation.budget, _share(Trainer(config, data), judge, seconds))


def _row(preset: str, budget: float, found: tuple[float, int, float]) -> Row:
    share, count, longest = found
    notes = f"{count} evaluations; the longest pause {1000 * longest:.0f} ms"
    return Row(
        what=f"evaluations beside {preset}", target=budget, values=[share], at_least=False, unit="%", notes=notes
    )


def _share(trainer: Trainer, judge: Judge, seconds: float) -> tuple[float, int, float]:
    """Per cent of the time, evaluations completed, and the longest turn in seconds."""
    from studio.training.analysis.evaluator import Evaluator

    evaluator = Evaluator(trainer, lambda: judge)
    begun, spent, longest, done = time.perf_counter(), 0.0, 0.0, 0
    while (now := time.perf_counter()) - begun < seconds:
        trainer.step()
        before = time.perf_counter()
        done += evaluator.turn(now - begun) is not None
        taken = time.perf_counter() - before
        spent, longest = spent + taken, max(longest, taken)
    return 100 * spent / (time.perf_counter() - begun), done, longest


if __name__ == "__main__":
    main()

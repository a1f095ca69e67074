"""What planning costs: its share of a step, and the time to plan an epoch of ten million examples.

python -m tests.benchmarks.planner_cost
"""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tests.benchmarks.table import Row, rate, show

_EXAMPLES = 10_000_000


def main() -> None:
    """Print the table as it comes."""
    show(rows())


def rows() -> Iterator[Row]:
    yield _share()
    yield _epoch()


def _share() -> Row:
    """Processor time of a plan over that of a step, block by block."""
    import torch

    from studio.data.catalog import load_dataset
    from studio.perturb.planner import ErrorCarryPlanner
    from studio.training.config.presets import config_or_preset
    from studio.training.engine.trainer import Trainer
    from studio.training.examples.measured_set import whole_log_weights

    torch.set_num_threads(1)
    config = config_or_preset("digits-vae")
    trainer = Trainer(config, load_dataset(config.dataset, Path()))
    log_weights = whole_log_weights(trainer.perturbation, trainer.measured)
    planner = ErrorCarryPlanner(log_weights, config.batch.average_size, np.random.default_rng(0))
    trainer.step()
    values = [100 * rate(trainer.step, 0.3) / rate(planner.next, 0.1) for _ in range(8)]
    return Row(
        what="planner's share of a step", against="a step of the fastest preset", target=1, values=values,
        at_least=False, unit="%",
    )  # fmt: skip


def _epoch() -> Row:
    """Seconds of processor time from new offsets to the first batch."""
    from studio.perturb.planner import ErrorCarryPlanner

    rng = np.random.default_rng(0)
    log_weights = rng.standard_normal(_EXAMPLES)
    log_weights -= np.log(np.exp(log_weights).mean())
    planner = ErrorCarryPlanner(log_weights, 64, rng)
    values = []
    for revision in range(1, 6):
        begun = time.process_time()
        planner.retarget(log_weights, revision)
        planner.next()
        values.append(time.process_time() - begun)
    return Row(what="new target, 10⁷ examples", target=0.3, values=values, at_least=False, unit="s")


if __name__ == "__main__":
    main()

"""How much of the machine training uses: FLOP/s of whole steps over those of `torch.mm`.

    python -m tests.benchmarks.machine_use [--data DIR] [--seconds 1] [--blocks 8] [--threads 1]

FLOPs are those of matrix products and convolutions, forward, backward and twice backward, as torch counts them by their
shapes (torch.utils.flop_counter); all else that a step does costs time and counts for nothing. `torch.mm` multiplies
square matrices of 1,024 on the same threads, in blocks that alternate with the steps. Float32. Time is processor time
of all threads, which with one thread is what an idle machine would show on the wall. Of each model there is the trainer
and, without a target, the bare loop of `throughput` on the same networks: what these shapes of layers allow.
"""

import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from studio.runtime import prepare_runtime
from tests.benchmarks.options import NO_MNIST, mnist, parser_of
from tests.benchmarks.table import Row, duel, show
from tests.benchmarks.throughput import Case, torch_images

_SIDE = 1024
_WARM = 100
_COUNTED = 4
"""Steps whose FLOPs are counted; with tilted batches their sizes differ a little."""


_CASES = (
    Case(title="VAE, convolutional", preset="mnist-twos-30-vae"),
    Case(title="diffusion, U-Net", preset="mnist-twos-30-diffusion"),
    Case(title="WGAN-GP, convolutional", preset="mnist-twos-30-wgan_gp"),
)


def main() -> None:
    parser = parser_of(__doc__, data=True)
    parser.add_argument("--seconds", type=float, default=1.0, help="of a block")
    parser.add_argument("--blocks", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    prepare_runtime()
    import torch

    torch.set_num_threads(options.threads)
    show(rows(options.data, options.seconds, options.blocks))


def rows(root: Path, seconds: float = 1.0, blocks: int = 8) -> Iterator[Row]:
    if not mnist(root):
        yield Row(what="FLOP/s of a step", target=60, values=(), unit="%", notes=NO_MNIST)
        return
    for case in _CASES:
        yield from _rows(case, root, seconds, blocks)


def _rows(case: Case, root: Path, seconds: float, blocks: int) -> Iterator[Row]:
    from studio.data.catalog import load_dataset
    from studio.training.engine.trainer import Trainer
    from tests.benchmarks.bare import Bare, loop_of

    config = case.config(precision="float32")
    data = load_dataset(config.dataset, root)
    trainer = Trainer(config, data)
    loop = loop_of(Trainer(config, data).model, config.model, fused=True)
    bare = Bare(loop, torch_images(data.values), round(config.batch.average_size))
    yield _row(f"{case.title}, a step’s FLOP/s", 60, trainer.step, seconds, blocks)
    yield _row(f"{case.title}, the bare loop’s", None, bare.step, seconds, blocks)


def _row(what: str, target: float | None, step: Callable[[], object], seconds: float, blocks: int) -> Row:
    import torch

    step()
    flops = flops_of(step)
    square = torch.randn(_SIDE, _SIDE)
    rates = duel(step, lambda: square @ square, seconds=seconds, blocks=blocks, warm=_WARM)
    ours, best = flops * statistics.median(rates.ours), 2 * _SIDE**3 * statistics.median(rates.theirs)
    notes = f"{ours / 1e9:.3g} of {best / 1e9:.3g} GFLOP/s; {flops / 1e9:.3g} GFLOP a step"
    values = [100 * flops * ratio / (2 * _SIDE**3) for ratio in rates.ratios]
    return Row(what=what, against="torch.mm", target=target, values=values, unit="%", notes=notes)


def flops_of(step: Callable[[], object]) -> float:
    """Floating-point operations of one step, on average over a few."""
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils.flop_counter import flop_registry

    class Counter(TorchDispatchMode):
        """As torch's own FlopCounterMode, whose hooks on modules refuse a gradient penalty."""

        total = 0

        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            found = func(*args, **(kwargs or {}))
            count = flop_registry.get(func._overloadpacket)
            if count is not None:
                self.total += count(*args, **(kwargs or {}), out_val=found)
            return found

    with Counter() as counter:
        for _ in range(_COUNTED):
            step()
    return counter.total / _COUNTED


if __name__ == "__main__":
    main()

"""Whether a step takes longer when there are more examples: 10⁴ against 10⁷, planning included.

    python -m tests.benchmarks.data_size [--examples 10000000] [--seconds 0.5] [--blocks 12]

Images of 8×8 made at random, tilted; the fastest preset, so that whatever reading costs shows. The larger set is in
memory, and then in a file that is mapped and that the system has in its cache. Processor time, one thread of torch;
blocks alternate. Beside it: what the larger set takes of memory, over the bytes of its images, and how long the trainer
takes to be made.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tests.benchmarks.options import parser_of
from tests.benchmarks.table import Row, duel, show

if TYPE_CHECKING:
    from studio.data.image_set import ImageSet
    from studio.training.engine.trainer import Trainer

_FEW, _MANY = 10_000, 10_000_000
_PRESET, _SIDE, _CLASSES = "digits-vae", 8, 10


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--examples", type=int, default=_MANY, help="of the larger set")
    parser.add_argument("--seconds", type=float, default=0.5, help="of a block")
    parser.add_argument("--blocks", type=int, default=12)
    options = parser.parse_args()
    show(rows(options.examples, options.seconds, options.blocks))


def rows(many: int = _MANY, seconds: float = 0.5, blocks: int = 12) -> Iterator[Row]:
    """A row for the step, one for memory, one for the time to begin."""
    import psutil
    import torch

    from studio.training.config.presets import config_or_preset
    from studio.training.engine.trainer import Trainer

    torch.set_num_threads(1)
    config = config_or_preset(_PRESET)
    tilt = config.perturbation.model_copy(update={"offsets": {"2": -1.5}})
    config = config.model_copy(update={"perturbation": tilt})
    small = Trainer(config, images_of(_FEW))
    small.step()
    process = psutil.Process()
    before = process.memory_info().rss
    data = images_of(many)
    begun = time.process_time()
    large = Trainer(config, data)
    made = time.process_time() - begun
    large.step()
    held = (process.memory_info().rss - before) / data.images.nbytes
    yield _duel(f"a step with {many:,} examples", large, small, seconds, blocks)
    yield Row(what="memory of the larger set", against="its images", target=None, values=[held], at_least=False)
    yield Row(what="trainer of the larger set", target=None, values=[made], at_least=False, unit="s")
    del large
    with tempfile.TemporaryFile() as file:
        np.save(file, data.images)
        mapped = np.memmap(file, np.uint8, "c", file.tell() - data.images.nbytes, data.images.shape)
        outside = Trainer(config, replace(data, images=mapped))
    yield _duel(f"the same, mapped from a file of {data.images.nbytes / 1e6:.0f} MB", outside, small, seconds, blocks)


def _duel(what: str, large: Trainer, small: Trainer, seconds: float, blocks: int) -> Row:
    rates = duel(large.step, small.step, seconds=seconds, blocks=blocks)
    values = [1 / ratio for ratio in rates.ratios]
    return Row(what=what, against=f"with {_FEW:,}", target=1.1, values=values, at_least=False, notes=rates.notes)


def images_of(count: int) -> ImageSet:
    """So many images of noise, in classes of the digits' names."""
    from studio.data.image_set import ImageSet

    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, _SIDE, _SIDE, 1), dtype=np.uint8)
    labels = rng.integers(0, _CLASSES, count)
    names = tuple(str(label) for label in range(_CLASSES))
    return ImageSet(name="noise", images=images, labels=labels, class_names=names)


if __name__ == "__main__":
    main()

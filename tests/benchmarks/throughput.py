"""Steps per processor second of the trainer, headless, against loops that a person writes by hand.

    python -m tests.benchmarks.throughput [--data DIR] [--seconds 0.7] [--blocks 12]

Same networks, same batch of 64, same Adam, float32. Against `bare` the data lie in memory in both; against `script`
they come through torchvision's data set and a DataLoader. Blocks alternate, and ratios are those of neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from studio.runtime import prepare_runtime
from tests.benchmarks.options import NO_MNIST, mnist, parser_of
from tests.benchmarks.table import Row, duel, show

if TYPE_CHECKING:
    from torch import Tensor

    from studio.data.scale import Values
    from studio.training.config.run_config import RunConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A preset and what it must reach.

    Attributes:
        changes: to the preset's model.
        against_script: least ratio to the script; None where none is asked.
    """

    title: str
    preset: str
    changes: dict[str, object] = field(default_factory=dict)
    against_script: float | None = None

    def config(self, **updates: object) -> RunConfig:
        """The preset with its model changed, and other settings replaced."""
        from studio.training.config.presets import config_or_preset

        preset = config_or_preset(self.preset)
        model = type(preset.model).model_validate(preset.model.model_dump() | self.changes)
        return preset.model_copy(update={"model": model, **updates})


_PLAIN: dict[str, object] = {"noise": {"std": 0.0}}
"""The hand-written GAN adds no noise to what its critic sees."""
MLP: dict[str, object] = {"architecture": "mlp", "generator_architecture": "mlp"}
_WARM = 100
"""Steps until kernels of all sizes of batches are made."""
_DIGITS = (
    Case(title="GAN, MLP, 8×8", preset="digits-gan", changes=_PLAIN),
    Case(title="WGAN-GP, MLP, 8×8", preset="digits-wgan_gp"),
    Case(title="VAE, MLP, 8×8", preset="digits-vae"),
    Case(title="diffusion, MLP, 8×8", preset="digits-diffusion"),
)
_MNIST = (
    Case(title="GAN, MLP", preset="mnist-twos-30-gan", changes=MLP | _PLAIN, against_script=1.8),
    Case(title="WGAN-GP, MLP", preset="mnist-twos-30-wgan_gp", changes=MLP, against_script=1.8),
    Case(title="VAE, MLP", preset="mnist-twos-30-vae", changes={"architecture": "mlp"}, against_script=1.8),
    Case(title="VAE, convolutional", preset="mnist-twos-30-vae"),
    Case(title="DCGAN", preset="mnist-twos-30-gan", changes=_PLAIN, against_script=1.3),
    Case(title="WGAN-GP, convolutional", preset="mnist-twos-30-wgan_gp"),
    Case(title="diffusion, U-Net", preset="mnist-twos-30-diffusion"),
)


def main() -> None:
    parser = parser_of(__doc__, data=True)
    parser.add_argument("--seconds", type=float, default=0.7, help="of a block")
    parser.add_argument("--blocks", type=int, default=12)
    options = parser.parse_args()
    prepare_runtime()
    import torch

    torch.set_num_threads(1)  # so that processor time can be taken for time
    show(rows(options.data, options.seconds, options.blocks))


def rows(root: Path, seconds: float = 0.7, blocks: int = 12) -> Iterator[Row]:
    for case in _DIGITS:
        yield from _rows(case, root, seconds, blocks)
    if not mnist(root):
        yield Row(what="the same on MNIST", target=None, values=(), notes=NO_MNIST)
        return
    for case in _MNIST:
        yield from _rows(case, root, seconds, blocks)


def _rows(case: Case, root: Path, seconds: float, blocks: int) -> Iterator[Row]:
    from studio.data.catalog import load_dataset
    from studio.training.engine.trainer import Trainer
    from tests.benchmarks.bare import Bare, Scripted, loop_of

    config = case.config(precision="float32", held_out=0.0)
    data = load_dataset(config.dataset, root)
    trainer, size = Trainer(config, data), round(config.batch.average_size)
    images = torch_images(data.values)
    bare = Bare(loop_of(Trainer(config, data).model, config.model, fused=True), images, size)
    rates = duel(trainer.step, bare.step, seconds=seconds, blocks=blocks, warm=_WARM)
    yield Row(what=case.title, against="bare loop", target=0.97, values=rates.ratios, notes=rates.notes)
    if case.against_script is not None:
        script = Scripted(loop_of(Trainer(config, data).model, config.model, fused=False), root, size)
        rates = duel(trainer.step, script.step, seconds=seconds, blocks=blocks, warm=_WARM)
        yield Row(what=case.title, against="script", target=case.against_script, values=rates.ratios, notes=rates.notes)


def torch_images(values: Values) -> Tensor:
    """Stored images (N, H, W, C) as torch takes them, (N, C, H, W)."""
    import torch

    return torch.from_numpy(values.transpose(0, 3, 1, 2).copy())


if __name__ == "__main__":
    main()

"""Training needs nothing of torch's compiler, and a step without it is torch's own."""

import subprocess
import sys

import pytest
import torch

from studio.eager import take_step

_TRAIN = """
import sys
from pathlib import Path
import numpy as np
from studio.data.catalog import load_dataset
from studio.data.image_set import ImageSet
from studio.evaluation.judge import train_judge
from studio.models.catalog import MODELS
from studio.progress import Progress
from studio.training.config.presets import config_or_preset
from studio.training.engine.trainer import Trainer

digits = load_dataset(config_or_preset("digits-vae").dataset, Path("nowhere"))
for spec in MODELS:
    trainer = Trainer(config_or_preset(f"digits-{spec.kind}"), digits)
    for _ in range(11):
        trainer.step()
    trainer.restore(trainer.state())
    trainer.sample(2)
some = np.arange(20 * 64, dtype=np.uint8).reshape(20, 8, 8, 1)
train_judge(ImageSet(name="some", images=some, labels=np.arange(20) % 2, class_names=("a", "b")), Progress())
print("torch._dynamo" in sys.modules, "triton" in sys.modules)
"""


@pytest.mark.slow
def test_that_no_model_loads_the_compiler() -> None:
    told = subprocess.run([sys.executable, "-c", _TRAIN], capture_output=True, text=True, check=True).stdout
    assert told == "False False\n"


@pytest.mark.parametrize("kind", [torch.optim.Adam, torch.optim.AdamW, torch.optim.RMSprop, torch.optim.SGD])
def test_that_a_step_is_torchs_own(kind: type[torch.optim.Optimizer]) -> None:
    mine, theirs = (torch.nn.Parameter(torch.arange(6.0)) for _ in range(2))
    one, other = kind([mine], lr=0.1), kind([theirs], lr=0.1)  # type: ignore[call-arg]
    for count in range(3):
        for parameter in (mine, theirs):
            parameter.grad = torch.full((6,), 1.0 + count)
        take_step(one)
        other.step()
        assert torch.equal(mine, theirs)
    assert mine.requires_grad

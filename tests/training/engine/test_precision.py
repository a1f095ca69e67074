"""Networks may compute with fewer digits; weights, losses and what needs its digits may not."""

import pytest
import torch

from studio.training.config.run_config import Precision
from studio.training.engine.learner import autocast, native_bfloat16
from studio.training.engine.trainer import Trainer
from tests.training.conftest import FAMILIES, tiny_config, tiny_images

CPU = torch.device("cpu")


def trainer(kind: str, precision: Precision) -> Trainer:
    return Trainer(tiny_config(kind, precision=str(precision)), tiny_images())


@pytest.mark.parametrize("kind", FAMILIES)
def test_that_a_step_in_bfloat16_goes_where_one_in_float32_goes(kind: str) -> None:
    """The first losses agree to bfloat16's 8 bits; a model that needs all digits is the same to the last bit.

    Weights, losses and metrics stay in float32.
    """
    exact, rounded = (trainer(kind, precision) for precision in (Precision.FLOAT32, Precision.BFLOAT16))
    reports = [trained.step() for trained in (exact, rounded)]
    assert {each.dtype for each in (*rounded.model.parameters(), *reports[1].scalars.values())} == {torch.float32}
    losses = [
        {name: value for name, value in report.values().items() if name.startswith("loss_")} for report in reports
    ]
    if rounded.model.takes_bfloat16:
        assert losses[0] != losses[1]
        assert losses[1] == pytest.approx(losses[0], rel=0.05, abs=0.05)
    else:
        assert losses[0] == losses[1]


def test_that_float32_computes_with_all_digits() -> None:
    model = trainer("sn_gan", Precision.FLOAT32).model
    assert not autocast(Precision.FLOAT32, CPU, model)._enabled


@pytest.mark.parametrize("native", [False, True])
def test_that_auto_asks_the_processor_and_is_for_convolutions(native: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the default."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, "amx_bf16": native}, raising=False)
    assert native_bfloat16(CPU) is native
    for kind, faster in (("mlp", False), ("convolutional", native)):
        config = tiny_config("sn_gan", model={"architecture": kind, "generator_architecture": kind})
        assert config.precision is Precision.AUTO
        assert autocast(Precision.AUTO, CPU, Trainer(config, tiny_images()).model)._enabled is faster


def test_that_a_torch_that_does_not_tell_is_taken_at_its_safest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert not native_bfloat16(CPU)

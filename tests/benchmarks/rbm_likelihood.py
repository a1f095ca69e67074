"""Exact test log-likelihood of a small Bernoulli RBM on binarised MNIST, against the published figure.

    python -m tests.benchmarks.rbm_likelihood [--epochs 50] [--centred] [--seed 0]

16 hidden units, PCD-1, SGD with learning rate 0.01, batches of 100 with as many chains, 50 epochs. Published averages:
about −149 nats plain, −142.6 centred (PyDeep, J. Melchior; J. Melchior et al., JMLR 17, 2016). Needs MNIST where the
studio keeps it (`--data` names a folder that holds `MNIST/raw`). Takes a few minutes on two cores.
"""

import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from studio.data.idx import read_images
from studio.models.base import Batch, GenerativeModel
from studio.models.boltzmann.config import BoltzmannConfig
from studio.models.boltzmann.model import BoltzmannModel
from studio.models.boltzmann.partition import exact_log_partition, log_likelihood
from studio.models.catalog import model_spec
from studio.models.reduce import weighted_loss
from studio.training.engine.optimisers import NetworkOptimiser
from tests.benchmarks.options import parser_of

BATCH = 100
TRAINED, TESTED = (Path("MNIST/raw", name) for name in ("train-images-idx3-ubyte", "t10k-images-idx3-ubyte"))


def binarised(path: Path) -> Tensor:
    """Images of black (−1) and white (1) pixels, white above half brightness, shape (n, 1, 28, 28)."""
    pixels = torch.from_numpy(read_images(path).copy())
    return (pixels.reshape(-1, 1, 28, 28) > 127).float() * 2 - 1


def built(centred: bool, images: Tensor) -> tuple[BoltzmannModel, BoltzmannConfig]:
    """The machine with visible biases at the pixels' log-odds and, if centred, offsets at their means."""
    config = model_spec("rbm").config.model_validate(
        {
            "hidden_units": 16,
            "chains": BATCH,
            "binarisation": "threshold",
            "centring": 0.01 if centred else 0.0,
            "machine_optimiser": {"kind": "sgd", "learning_rate": 0.01, "half_after": 0},
        }
    )
    model = model_spec("rbm").build(config, (1, 28, 28))
    assert isinstance(config, BoltzmannConfig)
    assert isinstance(model, BoltzmannModel)
    mean = ((images.flatten(1) + 1) / 2).mean(0).clamp(0.001, 0.999)
    with torch.no_grad():
        model.machine.visible_bias.copy_(mean.logit())
        if centred:
            model.machine.visible_offset.copy_(mean)
            model.machine.hidden_offset.fill_(0.5)
    return model, config


def likelihood(model: BoltzmannModel, images: Tensor) -> float:
    """Mean log p of images (n, 1, 28, 28), in nats."""
    v = (images.flatten(1) + 1) / 2
    return log_likelihood(model.machine, v, exact_log_partition(model.machine)).mean().item()


def train(
    model: GenerativeModel,
    optimiser: NetworkOptimiser,
    images: Tensor,
    rng: torch.Generator,
    seen: Callable[[Tensor], Tensor] = lambda images: images,
) -> None:
    """One epoch, of images as they are `seen`."""
    (phase,) = model.phases()
    parameters = tuple(model.network_parameters(phase.network))
    ones = torch.ones(BATCH)
    for chosen in torch.randperm(len(images), generator=rng).split(BATCH):
        batch = Batch(images=seen(images[chosen]), weights=ones, step=0)
        loss = weighted_loss(model.losses(phase, batch, rng), ones, float(BATCH))
        optimiser.step(torch.autograd.grad(loss, parameters))
        model.after_step(phase.network)


def main() -> None:
    parser = parser_of(__doc__, data=True)
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--every", type=int, default=10, help="epochs between two lines")
    parser.add_argument("--centred", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    trained, tested = binarised(options.data / TRAINED), binarised(options.data / TESTED)
    torch.manual_seed(options.seed)
    rng = torch.Generator().manual_seed(options.seed)
    model, config = built(options.centred, trained)
    (phase,) = model.phases()
    optimiser = NetworkOptimiser(config.optimiser(phase.network), list(model.network_parameters(phase.network)), rng)
    began = time.monotonic()
    print("epoch  train log p  test log p  minutes")
    for epoch in range(1, options.epochs + 1):
        train(model, optimiser, trained, rng)
        if epoch % options.every == 0 or epoch == options.epochs:
            seen, unseen = likelihood(model, trained), likelihood(model, tested)
            print(f"{epoch:5d}  {seen:11.2f}  {unseen:10.2f}  {(time.monotonic() - began) / 60:7.2f}", flush=True)


if __name__ == "__main__":
    main()

"""Bound of a one-layer VAE on binarised MNIST's test images, on the way to the published −86.8 nats.

    python -m tests.benchmarks.vae_bound --data DIR [--epochs 30] [--every 5] [--samples 100] [--seed 0]

A code of 50 numbers, two hidden layers of 200 units on each side, batches of 100, Adam 1e-3. Pixels of training images
are drawn anew each epoch with their brightness as probability, those of the test images once. Published: −86.76 nats,
by importance weighting with 5,000 codes after long training with K = 1 (Y. Burda et al., arXiv:1509.00519, table 1).
"""

import time
from pathlib import Path

import torch
from torch import Tensor

from studio.data.idx import read_images
from studio.models.catalog import model_spec
from studio.models.config import ModelConfig
from studio.models.vae.model import Vae
from studio.training.engine.optimisers import NetworkOptimiser
from tests.benchmarks.options import parser_of
from tests.benchmarks.rbm_likelihood import TESTED, TRAINED, train

JUDGED = 2_000  # test images whose importance-weighted bound is estimated


def brightness(path: Path) -> Tensor:
    """Pixels in 0…1, shape (n, 1, 28, 28)."""
    return torch.from_numpy(read_images(path).copy()).reshape(-1, 1, 28, 28).float() / 255


def drawn(images: Tensor, rng: torch.Generator) -> Tensor:
    """Black (−1) and white (1) pixels, white with the probability `images`."""
    return 2 * torch.bernoulli(images, generator=rng) - 1


def settings() -> ModelConfig:
    """The published network: an MLP's hidden layers have 8·width units."""
    return model_spec("vae").config.model_validate(
        {
            "architecture": "mlp",
            "width": 25,
            "latent_size": 50,
            "likelihood": "bernoulli",
            "autoencoder_optimiser": {"kind": "adam", "learning_rate": 1e-3},
        }
    )


def main() -> None:
    parser = parser_of(__doc__, data=True)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--every", type=int, default=5, help="epochs between two lines")
    parser.add_argument("--samples", type=int, default=100, help="codes K of the importance-weighted bound")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = torch.Generator().manual_seed(options.seed)
    torch.manual_seed(options.seed)
    trained = brightness(options.data / TRAINED)
    tested = drawn(brightness(options.data / TESTED), rng)
    config = settings()
    model = model_spec("vae").build(config, (1, 28, 28))
    assert isinstance(model, Vae)
    optimiser = NetworkOptimiser(config.optimiser("autoencoder"), list(model.autoencoder.parameters()), rng)
    spent = 0.0
    print(f"epoch  ELBO  log-likelihood bound (K = {options.samples})  minutes of training")
    for epoch in range(1, options.epochs + 1):
        began = time.monotonic()
        train(model, optimiser, trained, rng, lambda images: drawn(images, rng))
        spent += time.monotonic() - began
        if epoch % options.every == 0 or epoch == options.epochs:
            elbo = model.importance_weighted_log_likelihood(tested, 1, rng).mean().item()
            bound = model.importance_weighted_log_likelihood(tested[:JUDGED], options.samples, rng).mean().item()
            print(f"{epoch:5d}  {elbo:8.2f}  {bound:8.2f}  {spent / 60:6.2f}", flush=True)


if __name__ == "__main__":
    main()

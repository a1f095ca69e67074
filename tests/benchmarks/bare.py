"""Training loops as a person writes them for one model: the baselines of `throughput`.

Each takes the networks of a model of the studio, of torch's own layers: no weights, no planner, no metrics, no average.
`Bare` holds the data in memory; `Scripted` reads it like the well-known example scripts.
"""

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from studio.models.adversarial.config import AdversarialConfig, Constraint
from studio.models.adversarial.model import Adversarial
from studio.models.base import GenerativeModel
from studio.models.config import ModelConfig
from studio.models.diffusion.model import Diffusion
from studio.models.nets import FromImage, ToImage
from studio.models.vae.model import Vae


class Loop(ABC):
    """One model's step on a batch of images in −1…1.

    Args:
        model: whose networks are trained.
        config: the model's settings, for each network's Adam.
        fused: whether Adam is torch's fused one; the scripts take what `torch.optim.Adam` does by itself.
    """

    def __init__(self, model: GenerativeModel, config: ModelConfig, *, fused: bool) -> None:
        self.rules: dict[str, torch.optim.Optimizer] = {}
        for network in (phase.network for phase in model.phases()):
            set_up = config.optimiser(network)
            betas = (set_up.beta1, set_up.beta2)
            parameters = list(model.network_parameters(network))
            self.rules[network] = torch.optim.Adam(parameters, set_up.learning_rate, betas, fused=fused or None)

    @abstractmethod
    def step(self, images: Tensor) -> Tensor:
        """Train on `images` (B, C, H, W); the loss."""

    def update(self, network: str, loss: Tensor) -> None:
        """Follow the gradient of `loss`."""
        self.rules[network].zero_grad()
        loss.backward()
        self.rules[network].step()


class GanLoop(Loop):
    """Non-saturating GAN, or WGAN-GP, with one critic step for each of the generator."""

    def __init__(self, model: GenerativeModel, config: ModelConfig, *, fused: bool) -> None:
        super().__init__(model, config, fused=fused)
        assert isinstance(model, Adversarial)
        assert isinstance(config, AdversarialConfig)
        self.critic, self.generator = model.critic, model.generator
        self.latent_size = config.latent_size
        self.wasserstein = config.lipschitz.kind is Constraint.GRADIENT_PENALTY

    def step(self, images: Tensor) -> Tensor:
        with torch.no_grad():
            fakes = self.generator(torch.randn(len(images), self.latent_size))
        real, fake = self.critic(images), self.critic(fakes)
        if self.wasserstein:
            loss = fake.mean() - real.mean() + 10 * self._penalty(images, fakes)
        else:
            loss = F.softplus(-real).mean() + F.softplus(fake).mean()
        self.update("critic", loss)
        score = self.critic(self.generator(torch.randn(len(images), self.latent_size)))
        self.update("generator", -score.mean() if self.wasserstein else F.softplus(-score).mean())
        return loss

    def _penalty(self, images: Tensor, fakes: Tensor) -> Tensor:
        share = torch.rand(len(images), 1, 1, 1)
        between = (share * images + (1 - share) * fakes).requires_grad_()
        (slope,) = torch.autograd.grad(self.critic(between).sum(), between, create_graph=True)
        return (slope.flatten(1).norm(dim=1) - 1).square().mean()


class VaeLoop(Loop):
    """Bernoulli VAE."""

    def __init__(self, model: GenerativeModel, config: ModelConfig, *, fused: bool) -> None:
        super().__init__(model, config, fused=fused)
        assert isinstance(model, Vae)
        self.codec = model.autoencoder

    def step(self, images: Tensor) -> Tensor:
        mean, log_variance = self.codec.encoder(images).chunk(2, dim=1)
        output = self.codec.decoder(mean + (log_variance / 2).exp() * torch.randn_like(mean))
        likelihood = F.binary_cross_entropy_with_logits(output, (images + 1) / 2, reduction="sum")
        kl = -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum()
        loss = (likelihood + kl) / len(images)
        self.update("autoencoder", loss)
        return loss


class DiffusionLoop(Loop):
    """Denoising of x_t towards ε."""

    def __init__(self, model: GenerativeModel, config: ModelConfig, *, fused: bool) -> None:
        super().__init__(model, config, fused=fused)
        assert isinstance(model, Diffusion)
        self.denoiser, self.steps = model.denoiser, model.schedule.steps
        self.signal, self.noise = model.get_buffer("signal"), model.get_buffer("noise")

    def step(self, images: Tensor) -> Tensor:
        times = torch.randint(1, self.steps + 1, (len(images),))
        noise = torch.randn_like(images)
        signal, sigma = self.signal[times].view(-1, 1, 1, 1), self.noise[times].view(-1, 1, 1, 1)
        said = self.denoiser(signal * images + sigma * noise, times / self.steps)
        loss = F.mse_loss(said, noise)
        self.update("denoiser", loss)
        return loss


_LOOPS = ((Adversarial, GanLoop), (Vae, VaeLoop), (Diffusion, DiffusionLoop))


def loop_of(model: GenerativeModel, config: ModelConfig, *, fused: bool) -> Loop:
    """The loop that a person would write for a model of this class."""
    (loop,) = [loop for kind, loop in _LOOPS if isinstance(model, kind)]
    for module in model.modules():
        if isinstance(module, FromImage | ToImage):
            cast(Any, module).__class__ = nn.Conv2d if isinstance(module, FromImage) else nn.ConvTranspose2d
    made: Loop = loop(model, config, fused=fused)
    return made


class Bare:
    """A loop on images in memory, uint8 as the studio has them, in shuffled order.

    Args:
        images: shape (N, C, H, W), uint8.
        size: of a batch.
    """

    def __init__(self, loop: Loop, images: Tensor, size: int) -> None:
        self.loop, self.images, self.size = loop, images, size
        self.batches: Iterator[Tensor] = iter(())

    def step(self) -> None:
        chosen = next(self.batches, None)
        if chosen is None:
            self.batches = iter(torch.randperm(len(self.images)).split(self.size)[:-1])
            chosen = next(self.batches)
        self.loop.step(self.images[chosen].float().div_(127.5).sub_(1))


class Scripted:
    """A loop as the well-known scripts write it: torchvision's MNIST, ToTensor, Normalize, a DataLoader that shuffles
    in the same process, and the loss's `.item()` in every step.

    Args:
        root: folder of MNIST.
        size: of a batch.
    """

    def __init__(self, loop: Loop, root: Path, size: int) -> None:
        from torchvision import transforms
        from torchvision.datasets import MNIST

        transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])
        data = MNIST(root, train=True, transform=transform)
        loader: Any = torch.utils.data.DataLoader(data, batch_size=size, shuffle=True)
        self.loop = loop
        self.batches = (images for _ in itertools.count() for images, _labels in loader)
        self.loss = 0.0

    def step(self) -> None:
        self.loss = self.loop.step(next(self.batches)).item()

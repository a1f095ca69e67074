"""What a critic shows of itself: its gap on seen and unseen images, its slopes, its weights, its singular values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from studio.models.adversarial.lipschitz import gradient_norm, interpolates
from studio.models.adversarial.losses import Wasserstein
from studio.models.adversarial.model import Adversarial
from studio.models.adversarial.sensitivity import sensitivity
from studio.models.adversarial.spectral import layer_norms, singular_values, weight_layers
from studio.models.conditional import taking_labels
from studio.models.diagnostic import Diagnostic, Histogram, Profile, Reference
from studio.models.exportable import IMAGES, ExportableModel, latent_argument
from studio.models.nets import has_convolutions
from studio.models.plane import PlaneView
from studio.models.plane_views import PARTICLES, descent, field, grid, latent_net, slope_arrows
from studio.models.views import ModelViews, Probe, to_array

CRITIC_TIP = (
    "How real the critic holds each place to be; samples are pulled towards higher values. D(x), a pure number."
)
PULL_TIP = (
    "Where the critic pulls each sample, and how strongly; none is drawn where the slope has vanished. "
    "−∂L_G/∂x at x = G(z)."
)
FLOW_TIP = (
    "Where samples would go if the critic stayed as it is; none goes far where the slope has vanished. "
    "x ← x − h·∇L_G/(1 + ‖∇L_G‖), from x = G(z)."
)
_UNTOLD = " Told no class. A gap between points with their classes is none of W₁, and is not drawn beside it."
_MOST_WEIGHTS = 20_000
_ITERATIONS = 30


class AdversarialViews(ModelViews):
    """Of a critic and a generator."""

    def __init__(self, model: Adversarial) -> None:
        self._model = model

    def diagnostics(self, probe: Probe, rng: torch.Generator) -> tuple[Diagnostic, ...]:
        fake, critic = self._model.sample(len(probe.seen), rng), self._model.critic_of(None)
        of_images: tuple[Diagnostic, ...] = (
            gap_histogram(critic, probe, fake),
            slope_histogram(critic, probe, fake, rng),
            *sensitivity_profiles(critic, probe.seen),
        )
        untold = " Told no class." if self._model.classes else ""
        return (
            *(replace(each, tip=each.tip + untold) for each in of_images),
            weight_histogram(self._model.critic, self._model.lipschitz.weight_limits),
            sigma_profile(self._model.critic, probe.seen[:1], rng),
        )

    def on_plane(self, points: Tensor, labels: Tensor, rng: torch.Generator) -> tuple[PlaneView, ...]:
        told = self._model.heard(labels)

        def loss(at: Tensor) -> Tensor:
            return self._model.loss.generator(self._model.scores(at, None if told is None else told[: len(at)]))

        tip = CRITIC_TIP + _UNTOLD if self._model.classes else CRITIC_TIP
        return (
            field("critic", "Critic", tip, self._model.scores(grid(points))),
            slope_arrows("pull", "Pull on samples", PULL_TIP, loss, points),
            latent_net(self._model.latent_shape[0], self._model.decode, points),
            descent(FLOW_TIP, loss, points[:PARTICLES]),
        )

    def wasserstein_scores(self, points: Tensor) -> Tensor | None:
        known = isinstance(self._model.loss, Wasserstein) and not self._model.classes  # else the gap is of (x, c)
        return self._model.scores(points) if known else None

    def exportable(self) -> ExportableModel:
        generator = ExportableModel(
            title="generator",
            network=self._model.generator,
            takes={"latents": latent_argument(self._model.config.latent_size)},
            gives={"images": IMAGES},
        )
        return taking_labels(generator, self._model.classes)


def gap_histogram(critic: nn.Module, probe: Probe, fake: Tensor) -> Histogram:
    """D(x) − ⟨D(G(z))⟩ of seen, held-out and generated images (n, C, H, W), by a critic (B, C, H, W) → (B, 1)."""
    fake_scores = critic(fake).squeeze(1)
    scores = {name: critic(images).squeeze(1) for name, images in real_images(probe).items()}
    gaps = {name: to_array(found - fake_scores.mean()) for name, found in scores.items()}
    return Histogram(
        name="critic_gaps",
        title="Critic gap, seen and held out",
        tip="How far the critic scores each image above the mean generated one; lines mark the means, and a seen mean "
        "far above the held-out one means that the critic knows its examples by heart. "
        "D(x) − mean D(G(z)), without weights.",
        axis="gap",
        series={**gaps, "generated": to_array(fake_scores - fake_scores.mean())},
        references=tuple(Reference(value=float(gap.mean()), title=f"gap, {name}") for name, gap in gaps.items()),
    )


def slope_histogram(critic: nn.Module, probe: Probe, fake: Tensor, rng: torch.Generator) -> Histogram:
    """‖∇D‖ at real and generated images and between them; arguments as above."""
    count = min(len(probe.seen), len(fake))
    between = interpolates(probe.seen[:count], fake[:count], rng)
    places = {**real_images(probe), "generated": fake, "between": between}
    return Histogram(
        name="critic_slopes",
        title="Critic slope",
        tip="How steep the critic is at each image; a gradient penalty gathers the slopes between seen and generated "
        "images around 1. ‖∇D(x)‖.",
        axis="slope",
        series={name: _slopes(critic, images) for name, images in places.items()},
        references=(Reference(value=1.0, title="slope 1"),),
    )


def weight_histogram(critic: nn.Module, limits: tuple[Reference, ...]) -> Histogram:
    """Every k-th weight of the critic's linear and convolutional layers, as they act, with lines at the limits."""
    weights = torch.cat([layer.weight.detach().flatten() for layer in weight_layers(critic)])
    stride = -(-len(weights) // _MOST_WEIGHTS)
    return Histogram(
        name="critic_weights",
        title="Critic weights",
        tip="How large the critic's weights are, every layer's together; clipped ones pile up at ±c, where the critic "
        f"becomes too simple. w of at most {_MOST_WEIGHTS:,} weights.",
        axis="weight",
        series={"weights": to_array(weights[::stride])},
        references=limits,
    )


def sigma_profile(critic: nn.Module, image: Tensor, rng: torch.Generator) -> Profile:
    """σ(W) of each layer of the critic, as it acts, and the norms of the layers where convolutions tell them apart.

    It takes `image`, shape (1, C, H, W); the iterations start from `rng`.
    """
    sigmas = to_array(singular_values(critic, _ITERATIONS, rng))
    series = {"σ": sigmas}
    if has_convolutions(critic):
        series["whole layer"] = to_array(layer_norms(critic, image, _ITERATIONS, rng))
    return Profile(
        name="critic_sigmas",
        title="Largest σ of each layer",
        tip="How much each weight of the critic can stretch, a kernel taken as a matrix, which is what spectral norm "
        "and penalty bound; and how much the whole layer can, where kernels overlap: the flatter the layers, the "
        "flatter the critic. σ(W) = max ‖W v‖/‖v‖; of a whole layer A max ‖A x‖/‖x‖, by power iteration through it.",
        axes=("layer", "σ"),
        at=np.arange(1.0, len(sigmas) + 1),
        series=series,
    )


def sensitivity_profiles(critic: nn.Module, images: Tensor) -> tuple[Profile, ...]:
    """How steep each layer's parameters are at images (n, C, H, W), and at least must be; of a plain perceptron."""
    found = sensitivity(critic, images)
    if found is None:
        return ()
    series = {"parameters": found.by_layer, "bound by the input": found.bound}
    return (
        Profile(
            name="critic_sensitivity",
            title="Critic's slope in its parameters",
            tip="How steep the critic is in each layer's parameters, and how steep it must be by its slope in x, so "
            "that one that is flat in them is flat in x. ⟨‖∇_l D‖²⟩ ≥ ⟨‖∇_x D‖²·(1 + ‖h_(l−1)‖²)⟩/(σ(W_1)·…·σ(W_l))², "
            "both as roots.",
            axes=("layer", "slope"),
            at=np.arange(1.0, found.bound.shape[1] + 1),
            series={name: to_array(values.mean(0).sqrt()) for name, values in series.items()},
        ),
    )


def real_images(probe: Probe) -> Mapping[str, Tensor]:
    """The probe's images by the legend's text; held-out ones only if there are some."""
    return {"seen": probe.seen} | ({"held out": probe.held_out} if len(probe.held_out) else {})


def _slopes(critic: nn.Module, images: Tensor) -> NDArray[np.float64]:
    with torch.enable_grad():
        return to_array(gradient_norm(critic, images))

"""Restricted Boltzmann machines: energies, Gibbs sampling, partition functions, and the model that trains them.

Free of torch until one is built.
"""

from __future__ import annotations

from studio.errors import UserError
from studio.models.boltzmann.config import GaussianRbmConfig, RbmConfig
from studio.models.spec import ModelSpec, built_by

_METRICS: dict[str, tuple[str, str]] = {
    "reconstruction": (
        "Reconstruction",
        "How far an image is from itself after one pass up and down. Weighted mean of √⟨(v − ⟨v⟩(⟨h⟩))²⟩.",
    ),
    "hidden_activity": (
        "Hidden activity",
        "How many hidden units an example switches on; near 0 or 1 they say nothing. Weighted mean of p(h = 1|v).",
    ),
    "chain_motion": (
        "Chain motion",
        "How much one sweep changes a chain's hidden units; near 0 the chains stick. Mean of |p(h|v′) − p(h|v)|.",
    ),
    "swap_rate": (
        "Swap rate",
        "How often neighbouring temperatures exchange chains; 0.2 to 0.5 is good. Share of exchanges accepted.",
    ),
}


def _fault_on_points(config: RbmConfig) -> UserError:
    return UserError(
        "An RBM learns black and white pixels, not points",
        "Its visible units are 0 or 1, and a coordinate is neither.",
        "Choose the Gaussian RBM, whose units take any value.",
        field="model.kind",
    )


RBM = ModelSpec(
    title="RBM",
    summary="Hidden units vote for black or white pixels, and pixels for hidden units; chains that go back and forth "
    "draw images. Learns by making examples probable and its own chains less so. Light to compute; chains move slowly.",
    measured="Measured on MNIST with 30 % twos, five minutes on two cores: 30.7 % twos, shares off by 6.1 % in all, "
    "Fréchet distance 24.",
    config=RbmConfig,
    build=built_by("boltzmann.model.Rbm", views="boltzmann.views.BoltzmannViews"),
    without_latents="An RBM draws images by chains that wander on, so no latent stands behind each of them.",
    metrics=_METRICS,
    fault_on_points=_fault_on_points,
)

GAUSSIAN_RBM = ModelSpec(
    title="Gaussian RBM",
    summary="A restricted Boltzmann machine whose pixels take any value, spread by σ around what the hidden units call "
    "for. For grey and colour images; noisier and slower to learn than the one of black and white.",
    measured="Measured on MNIST with 30 % twos, three minutes on one core: 30.8 % twos, shares off by 9.6 % in all, "
    "Fréchet distance 200: its images stay noisy.",
    config=GaussianRbmConfig,
    build=built_by("boltzmann.model.GaussianRbm", views="boltzmann.views.BoltzmannViews"),
    without_latents="A Gaussian RBM draws images by chains that wander on, so no latent stands behind each of them.",
    metrics=_METRICS,
)

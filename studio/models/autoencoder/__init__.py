"""Autoencoder. Free of torch until it is built."""

from __future__ import annotations

from studio.models.autoencoder.config import PlainAutoencoderConfig
from studio.models.spec import ModelSpec, built_by

SPEC = ModelSpec(
    title="Autoencoder",
    summary="An encoder describes each image by a few numbers, a decoder rebuilds it; a Gaussian is fitted to codes, "
    "so that new ones can be drawn. Linear, it is principal component analysis (PCA). For looking at codes.",
    measured="Measured on the 8×8 digits with 30 % twos (its preset), 3,000 steps: 23.2 % twos, shares off by 12.8 % "
    "in all, where chance alone explains 8.1 %, Fréchet distance 39: codes lie like no Gaussian. On MNIST, three "
    "minutes on two cores, three seeds: 31 to 38 % twos, shares off by 7 to 12 % in all, Fréchet distance 90 to 100.",
    config=PlainAutoencoderConfig,
    build=built_by("autoencoder.model.PlainAutoencoder", views="autoencoder.views.PlainAutoencoderViews"),
    metrics={
        "loss_autoencoder": (
            "Loss",
            "What training makes small: rebuilding error and surprise of the code. ½·‖x − x̂‖² − log N(z; m, Σ).",
        ),
        "rebuilding_error": (
            "Rebuilding error",
            "How far a rebuilt image is off, per pixel of −1…1. Weighted mean of √⟨(x − x̂)²⟩.",
        ),
        "code_surprise": (
            "Surprise of the code",
            "How well the Gaussian of codes fits them, in nats. −log N(z; m, Σ), weighted mean.",
        ),
    },
)

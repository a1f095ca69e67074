"""Diffusion model. Free of torch until it is built."""

from __future__ import annotations

from studio.models.diffusion.config import DiffusionConfig
from studio.models.spec import ModelSpec, built_by

SPEC = ModelSpec(
    title="Diffusion",
    summary="A denoiser learns to take noise of every strength out of an image; a sample starts as pure noise and is "
    "cleaned step by step. Sharp, varied images and very steady training; sampling is slower.",
    measured="Measured on MNIST with 30 % twos (its preset), five minutes on two cores: 30.3 % twos, shares off by 4.8 "
    "% in all, Fréchet distance 19.",
    config=DiffusionConfig,
    build=built_by("diffusion.model.Diffusion", views="diffusion.views.DiffusionViews"),
    metrics={
        "loss_denoiser": (
            "Denoising loss",
            "How far the denoiser is off, at a random noise level. Mean of (said − target)² per pixel.",
        ),
        "variational_bound": (
            "Variational bound",
            "Bound on −log p′(x), in nats per image, every 100 steps. Prior + denoising + reconstruction term.",
        ),
        "prior_term": (
            "Prior term",
            "How much of an image is left at the end of the noising, in nats. KL(q(x_T|x_0) ‖ N(0, 1)), weighted mean.",
        ),
        "denoising_term": (
            "Denoising term",
            "How far the model's steps are from the true ones, in nats. Σ_t KL(q(x_{t−1}|x_t, x_0) ‖ p(x_{t−1}|x_t)).",
        ),
        "reconstruction_term": (
            "Reconstruction term",
            "How badly the last step explains the image, in nats. −log p(x_0|x_1) over 256 grey levels, weighted mean.",
        ),
    },
)

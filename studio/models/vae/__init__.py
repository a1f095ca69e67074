"""Variational autoencoder. Free of torch until it is built."""

from __future__ import annotations

from studio.models.config import fault_on_points
from studio.models.spec import ModelSpec, built_by
from studio.models.vae.config import VaeConfig

SPEC = ModelSpec(
    title="VAE",
    summary="An encoder describes each image by a few random numbers, a decoder rebuilds it; together they maximise a "
    "bound on the likelihood. Fast and steady, somewhat blurred.",
    measured="Measured on MNIST with 30 % twos, five minutes on two cores: 31.3 % twos, shares off by 5.4 % in all, "
    "Fréchet distance 58: its images are blurred. Told the classes (Conditional), after as many steps as a minute "
    "takes, one seed: 32.1 %, 4.5 % and 98, where it has 31.6 %, 7.2 % and 91 without. With 5 importance "
    "samples, after half as many steps as three minutes take, one seed: 31.5 %, 4.5 % and 65, where it has 31.4 %, 6 % "
    "and 66 after all of them without.",
    config=VaeConfig,
    build=built_by("vae.model.Vae", views="vae.views.VaeViews"),
    metrics={
        "loss_autoencoder": (
            "Negative ELBO",
            "Bound on −log p′(x), what training makes small, in nats per image. (1/B_avg)·Σ w·(reconstruction + β·KL).",
        ),
        "reconstruction": (
            "Reconstruction",
            "How badly the decoder explains an image from its code, in nats per image. −log p(x|z), weighted mean.",
        ),
        "kl": (
            "KL",
            "How much a code says about its image, in nats; near 0 it is ignored. KL(q(z|x) ‖ N(0, 1)), weighted mean.",
        ),
    },
    fault_on_points=fault_on_points,
)

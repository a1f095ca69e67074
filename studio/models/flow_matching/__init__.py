"""Flow matching. Free of torch until it is built."""

from __future__ import annotations

from studio.models.flow_matching.config import FlowMatchingConfig
from studio.models.spec import ModelSpec, built_by

SPEC = ModelSpec(
    title="Flow matching",
    summary="A network learns the velocity with which noise flows into images; a sample is noise that was carried "
    "along. Sharp, varied images and very steady training, as diffusion has, on straighter ways that need fewer steps.",
    measured="Measured on the 8×8 digits with 30 % twos (its preset), 3,000 steps: 29.8 % twos, shares off by 4.8 % in "
    "all, which chance alone explains, Fréchet distance 29. On MNIST, three minutes on two cores, three "
    "seeds: 28 to 31 % twos, shares off by 9 to 11 % in all, Fréchet distance 75 to 79: it takes more. Told the "
    "classes (Conditional), one seed: 28.4 %, 7.7 % and 53.",
    config=FlowMatchingConfig,
    build=built_by("flow_matching.model.FlowMatching", views="flow_matching.views.FlowMatchingViews"),
    metrics={
        "loss_velocity": (
            "Matching loss",
            "How far the velocity is off, at a random time. Mean of (said − (α̇·x + σ̇·z))² per pixel, never 0.",
        ),
    },
)

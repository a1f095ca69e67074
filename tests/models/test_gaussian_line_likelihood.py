"""Models with a likelihood learn the tilted line: N(0, 1) under ΔH = x becomes N(−1, 1)."""

from __future__ import annotations

from typing import Any

import pytest

from studio.models.catalog import model_spec
from tests.models.gaussian_line import learned_line

# Samples are draws from p(x|z): its mean alone would lack the width of p(x|z).
_DRAWN = {"draw_pixels": True, "latent_size": 4}
_QUICK = {"autoencoder_optimiser": {"learning_rate": 2e-3}}
_FALLING = {"denoiser_optimiser": {"learning_rate": 2e-3, "half_after": 250}}

CASES = {
    "vae-gaussian": ("vae", {**_DRAWN, "likelihood": "gaussian"}, 2000),
    "vae-discretised_logistic": ("vae", {**_DRAWN, "likelihood": "discretised_logistic"}, 2000),
    "hierarchical_vae": ("hierarchical_vae", {**_DRAWN, "likelihood": "gaussian", **_QUICK}, 2000),
    "diffusion-second_order": ("diffusion", {"sampling_steps": 50, **_FALLING}, 3000),
    "diffusion-ddim-noise": (
        "diffusion",
        {"sampler": "ddim", "sampling_steps": 100, "prediction": "noise", **_FALLING},
        3000,
    ),
    "diffusion-ancestral": (
        "diffusion",
        {"sampler": "ancestral", "sampling_steps": 200, **_FALLING},
        3000,
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "settings", "steps"), CASES.values(), ids=CASES)
def test_that_a_tilted_line_is_learned(kind: str, settings: dict[str, Any], steps: int) -> None:
    """Mean and standard deviation within 0.08 of N(−1, 1), in units of the standard deviation."""
    config = model_spec(kind).config.model_validate({"width": 8, **settings})
    samples = learned_line(config, tilt=1.0, steps=steps, count=5_000)
    assert samples.mean().item() == pytest.approx(-1, abs=0.08)
    assert samples.std().item() == pytest.approx(1, abs=0.08)

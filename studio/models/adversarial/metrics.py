"""Titles and tooltips of what critics and generators report, the same words in every model. Free of torch."""

from __future__ import annotations

import math

from studio.models.diagnostic import Reference

LOSSES = {
    "loss_critic": (
        "Critic loss",
        "What the critic makes small. Its weighted term on real images + its term on generated ones + any penalty.",
    ),
    "loss_generator": (
        "Generator loss",
        "What the generator makes small; it grows when the critic sees through it. Mean over scores D(G(z)).",
    ),
}

CONSTRAINTS = {
    "gradient_norm": (
        "Critic slope",
        "How steep the critic is between real and generated images; the penalty pulls it to 1. Mean of ‖∇D(x̂)‖.",
    ),
    "gradient_penalty": ("Gradient penalty", "How far the critic's slope strays from 1. Mean of (‖∇D(x̂)‖ − 1)²."),
    "clipped_share": (
        "Clipped weights",
        "Share of the critic's weights that sit at the clip; near 1 the critic is too simple. Mean of [|w| = c].",
    ),
    "parameter_slope": (
        "Critic slope in θ",
        "How steep the critic is in its parameters at real examples; the penalty pulls it down. √⟨‖∇_θ D(x)‖²⟩.",
    ),
    "largest_sigma": (
        "Largest σ",
        "How much the critic's most stretching weight can, a kernel as a matrix; the penalty pulls it down. max σ(W).",
    ),
}

NOISE = {
    "instance_noise": (
        "Instance noise",
        "Noise on what the critic sees, in units of half the grey scale; fades to 0. σ₀·max(0, 1 − step/steps).",
    )
}

SHARED = {**LOSSES, **CONSTRAINTS, **NOISE}
"""What any of them may report, whatever its loss."""

GAP = {
    "critic_gap": (
        "Critic gap",
        (
            "How far target images score above generated ones; with a slope of at most 1, their Wasserstein distance. "
            "Weighted mean of D(x) − mean D(G(z))."
        ),
    )
}

PROBABILITIES = {
    "real_probability": (
        "D(real)",
        "How likely the critic holds a target image to be real; ½ when it cannot tell. Weighted mean of sigmoid D(x).",
    ),
    "fake_probability": (
        "D(fake)",
        "How likely the critic holds a generated image to be real; ½ when it cannot tell. Mean of sigmoid D(G(z)).",
    ),
    "js_estimate": (
        "JS estimate",
        (
            "How far target and generated images differ, in nats: 0 when alike, log 2 when the critic tells every one. "
            "½·(⟨log D(x)⟩ + ⟨log(1 − D(G(z)))⟩ + 2·log 2), a lower bound on the Jensen–Shannon divergence."
        ),
    ),
}

REFERENCES = {
    "gradient_norm": (Reference(value=1.0, title="slope 1"),),
    "real_probability": (Reference(value=0.5, title="½"),),
    "fake_probability": (Reference(value=0.5, title="½"),),
    "js_estimate": (Reference(value=math.log(2), title="bound log 2"),),
}
"""What to compare them with."""


def references(metrics: dict[str, tuple[str, str]]) -> dict[str, tuple[Reference, ...]]:
    """The references of those metrics that have some."""
    return {name: REFERENCES[name] for name in metrics if name in REFERENCES}

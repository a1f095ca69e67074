"""Models of a critic D and a generator G: four, which differ in what they make small and in how D is kept from
becoming too steep. Free of torch until one is built.

    GAN       ⟨w·(−log D(x))⟩ + ⟨−log(1 − D(G(z)))⟩ and its kin, see `losses`; the best critic tells JS(p′, q)
    WGAN      ⟨w·(−D(x))⟩ + ⟨D(G(z))⟩, then every weight of D into ±c: K times the Wasserstein distance, for some K
    WGAN-GP   the same + λ·⟨(‖∇D(x̂)‖ − 1)²⟩,   x̂ = u·x + (1 − u)·G(z),   u ~ U(0, 1)
    SN-GAN    ⟨w·max(0, 1 − D(x))⟩ + ⟨max(0, 1 + D(G(z)))⟩, every layer W/σ(W)

Sources: I. Goodfellow et al., arXiv:1406.2661 (2014); M. Arjovsky et al., arXiv:1701.07875; I. Gulrajani et al.,
arXiv:1704.00028 (2017); T. Miyato et al., arXiv:1802.05957 (2018).
"""

from __future__ import annotations

from studio.models.adversarial.config import AdversarialConfig, GanConfig, SnGanConfig, WganConfig, WganGpConfig
from studio.models.adversarial.metrics import GAP, PROBABILITIES, SHARED, references
from studio.models.spec import ModelSpec, built_by


def _spec(
    config: type[AdversarialConfig], metrics: dict[str, tuple[str, str]], title: str, summary: str, measured: str
) -> ModelSpec:
    return ModelSpec(
        title=title,
        summary=summary,
        measured=measured,
        config=config,
        build=built_by("adversarial.model.Adversarial", views="adversarial.views.AdversarialViews"),
        metrics=metrics,
        references=references(metrics),
    )


WGAN_GP = _spec(
    WganGpConfig,
    {**GAP, **SHARED},
    title="WGAN-GP",
    summary="A critic estimates the Wasserstein distance between generated and target images, a generator shrinks it; "
    "a gradient penalty keeps the critic's slope at 1. Sharp images and steady training.",
    measured="Measured on MNIST with 30 % twos, five minutes on two cores: 28.9 % twos, shares off by 4.1 % in all, "
    "Fréchet distance 9.4.",
)

SN_GAN = _spec(
    SnGanConfig,
    {**GAP, **PROBABILITIES, **SHARED},
    title="SN-GAN",
    summary="A GAN in whose critic every layer is divided by its weight's largest stretch, which bounds the slope, "
    "though not at 1 where it convolves, at little cost. Sharp images soonest.",
    measured="Measured on MNIST with 30 % twos, five minutes on two cores: 29.6 % twos, shares off by 3.5 % in all, "
    "Fréchet distance 11. Told the classes (Conditional), after as many steps as three minutes take, one seed: 30.1 %, "
    "1 % and 1.7, which is near that of real digits.",
)

GAN = _spec(
    GanConfig,
    {**PROBABILITIES, **GAP, **SHARED},
    title="GAN",
    summary="A critic learns to tell generated images from target ones, a generator to deceive it: the original "
    "game, with a choice of losses. Sharp images; it may forget some kinds of them.",
    measured="Measured on MNIST with 30 % twos, five minutes on two cores: 28.9 % twos, shares off by 6.8 % in all, "
    "Fréchet distance 20. The shares of the other digits fall short of the 5 % aimed at.",
)

WGAN = _spec(
    WganConfig,
    {**GAP, **SHARED},
    title="WGAN",
    summary="A critic with clipped weights estimates the Wasserstein distance between generated and target images, "
    "a generator shrinks it. A loss that means something, but slow: the clip makes the critic simple.",
    measured="Measured on MNIST with 30 % twos, three minutes on one core: 33 % twos, shares off by 17 % in all, "
    "Fréchet distance 79. It falls far short of the 5 % aimed at: use WGAN-GP to get shares right.",
)

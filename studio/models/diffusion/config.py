"""Settings of the diffusion model."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from studio.models.config import Architecture, GuidedSettings, ModelConfig, OptimiserConfig
from studio.settings import setting


class NoiseSchedule(StrEnum):
    """How noise grows with time."""

    LINEAR = "linear"
    COSINE = "cosine"
    LEARNED = "learned"


class Prediction(StrEnum):
    """What the denoiser says of a noisy image."""

    NOISE = "noise"
    CLEAN = "clean"
    VELOCITY = "velocity"


class Sampler(StrEnum):
    """How noise is turned into an image."""

    SECOND_ORDER = "second_order"
    DDIM = "ddim"
    ANCESTRAL = "ancestral"


class DenoiserConfig(ModelConfig):
    """Of a model that takes images to noise of their shape and back, by a network that is told the time."""

    architecture: Architecture = setting(
        Architecture.AUTO,
        "Architecture",
        "Kind of network. Auto takes an MLP for images of up to 16 pixels a side and a small U-Net above.",
    )
    width: int = setting(
        32,
        "Width",
        "Channels of the U-Net's finest level; an MLP has 8 times as many hidden units. Wider learns more, but slower.",
        unit="channels",
        step=8,
        within=(4, 512),
    )

    weights_fade: float = setting(
        0.0,
        "Weights fade over",
        "The noisiest part of the times, in 0…1, over which weights fade to 1; 0 is off, which is exact. Where noise "
        "does not yet hide what an example is, samples fall back towards the data: on the 8×8 digits 0.1 made up for "
        "an overshoot (94.9 % twos in place of 90 % became 91.5 %), but the Fréchet distance rose from 53 to 61.",
        decimals=2,
        step=0.05,
        within=(0.0, 1.0),
    )

    def latent_numbers(self, pixels: int) -> int:
        return pixels


class DiffusionConfig(GuidedSettings, DenoiserConfig):
    """Settings of the diffusion model."""

    kind: Literal["diffusion"] = "diffusion"
    schedule: NoiseSchedule = setting(
        NoiseSchedule.COSINE,
        "Noise schedule",
        "How noise grows. Cosine spends more steps on moderate noise and suits small images; linear is the original. "
        "Learned is cosine's with noise levels drawn as often as lowers the variance of the loss (VDM); its "
        "samples of MNIST are a little worse.",
    )
    prediction: Prediction = setting(
        Prediction.VELOCITY,
        "Prediction",
        "What the denoiser learns to tell: the noise ε, the clean image x, or the velocity v between them, which is "
        "steady at every noise level.",
    )
    sampler: Sampler = setting(
        Sampler.SECOND_ORDER,
        "Sampler",
        "DDIM is deterministic once the noise is drawn and needs few steps; second order corrects each of its steps by "
        "the one before, at no cost. Ancestral adds fresh noise in each step and needs a hundred or more.",
    )
    sampling_steps: int = setting(
        20,
        "Sampling steps",
        "Denoiser calls for each sample. More are closer to the model, but slower.",
        unit="steps",
        log=True,
        within=(1, 10_000),
    )
    diffusion_steps: int = setting(
        1000,
        "Diffusion steps",
        "Noise levels T between an image and pure noise. More make the bound tighter; sampling may skip levels.",
        unit="steps",
        log=True,
        within=(2, 10_000),
    )
    clip: bool = setting(
        True, "Clip guesses", "Keep the denoiser's guess of the clean image within −1…1, in sampling and in the bound."
    )
    denoiser_optimiser: OptimiserConfig = setting(
        OptimiserConfig(learning_rate=1e-3), "Denoiser", "How the denoiser is trained."
    )

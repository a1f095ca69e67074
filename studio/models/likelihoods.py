"""What a decoder's output says of a pixel: p(x|z), as a negative log-likelihood, a mean and a draw.

    Bernoulli              −[p·log s(l) + (1 − p)·log(1 − s(l))],   p = (x + 1)/2, s the logistic function
    Gaussian               ½·((x − m)/σ)² + log σ + ½·log 2π
    discretised logistic   −log[s((x − m + h)/σ) − s((x − m − h)/σ)],   h = 1/255, half of a grey level's width

The outermost grey levels own everything beyond them, so the 256 probabilities add up to 1. With a = (x − m + h)/σ and
b = (x − m − h)/σ the last is log s(a) + log s(−b) + log(1 − e^(b − a)), which never cancels. The width σ is one learned
number for all pixels. Sources: D. P. Kingma, M. Welling, arXiv:1312.6114 (2013); learned width: O. Rybkin et al.,
arXiv:2006.13202 (2020); logistic: D. P. Kingma et al., arXiv:1606.04934 (2016); T. Salimans et al., arXiv:1701.05517.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from studio.models.config import Likelihood

HALF_LEVEL = 1 / 255
"""Half of the distance of two grey levels in −1…1."""

LOG_LEAST_WIDTH = math.log(1 / 127.5)
"""A Gaussian narrower than one of the 256 grey levels would only fit their rounding."""
_LOG_FIRST_WIDTH = -2.0
"""A width as large as the data's own would let the codes go unused at first, and often for good."""

_LOG_LEAST_LOGISTIC_WIDTH = -7.0
"""Far below a grey level: all of the logistic's mass then lies in one."""


class PixelLikelihood(nn.Module, ABC):
    """p(x|z) of all pixels, given the decoder's output of the image's shape."""

    @abstractmethod
    def negative_log(self, output: Tensor, images: Tensor, log_width: Tensor | None = None) -> Tensor:
        """−log p(x|z) of `images` in −1…1, both (B, C, H, W), in nats per image, shape (B,); by its own σ if absent."""

    @abstractmethod
    def mean(self, output: Tensor) -> Tensor:
        """⟨x⟩ in −1…1, shape (B, C, H, W)."""

    @abstractmethod
    def draw(self, output: Tensor, rng: torch.Generator) -> Tensor:
        """x ~ p(x|z), cut off at −1 and 1, shape (B, C, H, W)."""


class BernoulliPixels(PixelLikelihood):
    """The output is a logit."""

    def negative_log(self, output: Tensor, images: Tensor, log_width: Tensor | None = None) -> Tensor:
        return bernoulli_negative_log_likelihood(output, images)

    def mean(self, output: Tensor) -> Tensor:
        return 2 * output.sigmoid() - 1

    def draw(self, output: Tensor, rng: torch.Generator) -> Tensor:
        white = _uniform(output, rng) < output.sigmoid()
        return 2 * white.to(output.dtype) - 1


class GaussianPixels(PixelLikelihood):
    """The output is the mean."""

    def __init__(self) -> None:
        super().__init__()
        self.log_width = nn.Parameter(torch.full((), _LOG_FIRST_WIDTH))

    def negative_log(self, output: Tensor, images: Tensor, log_width: Tensor | None = None) -> Tensor:
        return gaussian_negative_log_likelihood(output, self.log_width if log_width is None else log_width, images)

    def mean(self, output: Tensor) -> Tensor:
        return output.clamp(-1, 1)

    def draw(self, output: Tensor, rng: torch.Generator) -> Tensor:
        noise = torch.randn(output.shape, generator=rng, device=output.device, dtype=output.dtype)
        return (output + self.log_width.clamp(min=LOG_LEAST_WIDTH).exp() * noise).clamp(-1, 1)


class LogisticPixels(PixelLikelihood):
    """The output is the centre; drawn pixels are grey levels."""

    def __init__(self) -> None:
        super().__init__()
        self.log_width = nn.Parameter(torch.full((), _LOG_FIRST_WIDTH))

    def negative_log(self, output: Tensor, images: Tensor, log_width: Tensor | None = None) -> Tensor:
        return discretised_logistic_negative_log_likelihood(
            output, self.log_width if log_width is None else log_width, images
        )

    def mean(self, output: Tensor) -> Tensor:
        return output.clamp(-1, 1)

    def draw(self, output: Tensor, rng: torch.Generator) -> Tensor:
        width = self.log_width.clamp(min=_LOG_LEAST_LOGISTIC_WIDTH).exp()
        drawn = (output + width * _uniform(output, rng).logit(eps=1e-6)).clamp(-1, 1)
        return ((drawn + 1) * 127.5).round() / 127.5 - 1


def pixel_likelihood(kind: Likelihood) -> PixelLikelihood:
    """The likelihood of that kind, with an untrained width if it has one."""
    kinds: dict[Likelihood, type[PixelLikelihood]] = {
        Likelihood.BERNOULLI: BernoulliPixels,
        Likelihood.GAUSSIAN: GaussianPixels,
        Likelihood.DISCRETISED_LOGISTIC: LogisticPixels,
    }
    return kinds[kind]()


def bernoulli_negative_log_likelihood(logits: Tensor, images: Tensor) -> Tensor:
    """−Σ_i [p_i·log s(l_i) + (1 − p_i)·log(1 − s(l_i))] with p = (x + 1)/2, the brightness as a probability.

    In nats per image, shape (B,); l and x in −1…1 have shape (B, C, H, W).
    """
    return F.binary_cross_entropy_with_logits(logits, (images + 1) / 2, reduction="none").flatten(1).sum(1)


def gaussian_negative_log_likelihood(mean: Tensor, log_width: Tensor, images: Tensor) -> Tensor:
    """Σ_i [½·((x_i − m_i)/σ)² + log σ + ½·log 2π], σ, a scalar, at least one of 256 grey levels.

    In nats per image, shape (B,), of a density, so that it may be negative; m and x in −1…1 have shape (B, C, H, W).
    """
    log_width = log_width.clamp(min=LOG_LEAST_WIDTH)
    error = (images - mean) * (-log_width).exp()
    return (0.5 * error.square() + log_width + 0.5 * math.log(2 * math.pi)).flatten(1).sum(1)


def discretised_logistic_negative_log_likelihood(centre: Tensor, log_width: Tensor, images: Tensor) -> Tensor:
    """−Σ_i log[s((x_i − m_i + h)/σ) − s((x_i − m_i − h)/σ)], the outermost grey levels open towards their side.

    In nats per image, shape (B,); m and x in −1…1 have shape (B, C, H, W), σ is a scalar.
    """
    sharpness = (-log_width.clamp(min=_LOG_LEAST_LOGISTIC_WIDTH)).exp()
    above = (images - centre + HALF_LEVEL) * sharpness
    below = (images - centre - HALF_LEVEL) * sharpness
    darkest, brightest = images < HALF_LEVEL - 1, images > 1 - HALF_LEVEL
    terms = F.softplus(-above).masked_fill(brightest, 0) + F.softplus(below).masked_fill(darkest, 0)
    within = torch.log(-torch.expm1(-2 * HALF_LEVEL * sharpness))
    return (terms - within * ~(darkest | brightest)).flatten(1).sum(1)


def _uniform(like: Tensor, rng: torch.Generator) -> Tensor:
    """u ~ U(0, 1) with the shape, device and type of `like`."""
    return torch.rand(like.shape, generator=rng, device=like.device, dtype=like.dtype)

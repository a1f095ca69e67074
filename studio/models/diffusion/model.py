"""Diffusion model: an image is noise from which a denoiser has taken the noise, little by little.

    x_t = √ᾱ_t·x_0 + √(1 − ᾱ_t)·ε,   t ~ U{1…T},   ε ~ N(0, 1)
    L   = mean over pixels of (denoiser(x_t, t) − target)²,   target ε, x_0 or v = √ᾱ_t·ε − √(1 − ᾱ_t)·x_0

The loss of one example, for the t and ε drawn for it, is all of that real example, so all of it carries its weight.
Sources: J. Ho et al., arXiv:2006.11239 (2020); A. Nichol, P. Dhariwal, arXiv:2102.09672 (2021); v: T. Salimans, J. Ho,
arXiv:2202.00512 (2022).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from studio.models.base import Batch, LossTerms, Phase, Said
from studio.models.conditional import Conditional, in_parts
from studio.models.diffusion.bound import denoising_term, prior_matching, reconstruction_term
from studio.models.diffusion.config import DiffusionConfig, NoiseSchedule, Sampler
from studio.models.diffusion.denoisers import clean_image, denoiser, target
from studio.models.diffusion.sampling import Stage, stepped, trajectory
from studio.models.diffusion.schedule import LearnedSchedule, faded, noise_schedule, spread
from studio.models.nets import Shape

_LEAST_DRAWN = 50
_BOUND_EVERY = 100
"""Steps from one look at the bound to the next; its two calls of the denoiser are two thirds of a step."""


class Diffusion(Conditional):
    """A denoiser and its noise schedule."""

    takes_bfloat16 = True

    def __init__(self, config: DiffusionConfig, shape: Shape, classes: int = 0) -> None:
        super().__init__(shape)
        self.config = config
        self.schedule = noise_schedule(config.schedule, config.diffusion_steps)
        likely = self.schedule.bound_probabilities()
        tables = {
            "signal": self.schedule.signal,
            "noise": self.schedule.noise,
            # Of the t drawn for the bound: p_2 + … + p_t, and the weight of its error over p_t.
            "bound_cumulative": likely.cumsum(0),
            "bound_factor": (self.schedule.bound_weights() / likely).nan_to_num(),
        }
        for name, table in tables.items():
            self.register_buffer(name, table.float(), persistent=False)
        self.denoiser = denoiser(shape, architecture=config.architecture, width=config.width, classes=classes)
        self.learned = LearnedSchedule(self.schedule.steps) if config.schedule is NoiseSchedule.LEARNED else None
        self.hear(classes, config.labels_dropped, config.guidance)

    def phases(self) -> Sequence[Phase]:
        return (Phase(network="denoiser"),)

    def network_parameters(self, network: str) -> Iterator[nn.Parameter]:
        """Those of the denoiser and of the schedule that is learned with it."""
        yield from super().network_parameters(network)
        if self.learned is not None:
            yield from self.learned.parameters()

    def losses(self, phase: Phase, batch: Batch, rng: torch.Generator) -> LossTerms:
        labels = self.told(batch, rng)
        times = self._random_times(batch.images, rng)
        said = self._said_at(batch.images, times, rng, labels)
        data = said.loss(said.outputs)
        if self.learned is not None:
            data = self.learned.loss(data, times)
        terms: dict[str, Tensor] = {}
        if batch.step % _BOUND_EVERY == 0:
            terms = self.bound_terms(batch.images, rng, labels)
        tilt = faded(self.config.weights_fade, times.to(batch.images) / self.schedule.steps)
        return LossTerms(data=data, tilt=tilt, example_metrics=terms)

    def say(self, images: Tensor, rng: torch.Generator) -> Said:
        """What the denoiser says of them at times and with noise drawn by `rng`."""
        times = self._random_times(images, rng)
        said = self._said_at(images, times, rng)
        if self.learned is None:
            return said
        factors = self.learned.factors(times)
        return Said(said.outputs, lambda outputs: said.loss(outputs) * factors)

    @property
    def noise_shape(self) -> tuple[int, ...]:
        """The noise x_T, which decides the image unless the sampler is ancestral and adds more on the way."""
        return self.image_shape

    def images(self, noise: Tensor, labels: Tensor | None, rng: torch.Generator | None) -> Tensor:
        images = []
        for start, told in in_parts(noise, labels):
            *_, last = self.sampling(start, told, rng)
            images.append(last.guess)
        return torch.cat(images).clamp(-1, 1)

    def sampling(self, start: Tensor, labels: Tensor | None, rng: torch.Generator | None) -> Sequence[Stage]:
        """All stages from x_T = `start`, shape (B, C, H, W), by DDIM where the sampler needs `rng` and has none."""
        times = self.schedule.times(self.config.sampling_steps)
        sampler = Sampler.DDIM if rng is None and self.config.sampler is Sampler.ANCESTRAL else self.config.sampler
        return list(trajectory(start, partial(self.guess_at, labels=labels), self.schedule, times, sampler, rng))

    def denoising_times(self) -> Sequence[int]:
        """Of a chain that draws noise on its way, which needs more of them than a sampler that draws none."""
        return self.schedule.times(max(self.config.sampling_steps, _LEAST_DRAWN))

    def signal_share(self, time: int) -> float:
        """ᾱ_t."""
        return float(self.schedule.signal[time]) ** 2

    def less_noisy(self, noisy: Tensor, guess: Tensor, time: int, earlier: int, rng: torch.Generator) -> Tensor:
        """x_s ~ q(x_s|x_t, x̂_0) for s = `earlier` > 0, shape (B, C, H, W)."""
        return stepped(Stage(time, noisy, guess), None, earlier, self.schedule, Sampler.ANCESTRAL, rng)

    def denoising_loss(
        self, images: Tensor, times: Tensor, rng: torch.Generator, labels: Tensor | None = None
    ) -> Tensor:
        """L of `images` (B, C, H, W) at `times` (B,) in 1…T, per pixel, shape (B,)."""
        said = self._said_at(images, times, rng, labels)
        return said.loss(said.outputs)

    def _said_at(self, images: Tensor, times: Tensor, rng: torch.Generator, labels: Tensor | None = None) -> Said:
        alpha, sigma = self._amplitudes(times)
        noise = torch.randn(images.shape, generator=rng, device=images.device, dtype=images.dtype)
        said = self._say(alpha * images + sigma * noise, times, labels)
        aim = target(self.config.prediction, images, noise, alpha, sigma)
        return Said((said,), lambda outputs: F.mse_loss(outputs[0], aim, reduction="none").mean((1, 2, 3)))

    @torch.no_grad()
    def bound_terms(self, images: Tensor, rng: torch.Generator, labels: Tensor | None = None) -> dict[str, Tensor]:
        """Terms of the bound on −log p(x), by metric name, in nats per image, each (B,), of x in −1…1, shape (B, C, H,
        W), or of x given labels (B,).

        The denoising term is estimated from one time per image, drawn as the noise is.
        """
        share = torch.rand((len(images),), generator=rng, device=images.device, dtype=images.dtype)
        times = torch.searchsorted(self.get_buffer("bound_cumulative"), share.contiguous(), right=True).clamp(
            2, self.schedule.steps
        )
        factor = self.get_buffer("bound_factor")[times]
        ones = torch.ones_like(times)
        terms = {
            "prior_term": prior_matching(images, self.get_buffer("noise")[-1]),
            "denoising_term": denoising_term(images, self._guess_of(images, times, rng, labels), factor),
            "reconstruction_term": reconstruction_term(
                images, self._guess_of(images, ones, rng, labels), self.get_buffer("noise")[1]
            ),
        }
        return {**terms, "variational_bound": torch.stack(list(terms.values())).sum(0)}

    def guess(self, noisy: Tensor, times: Tensor, labels: Tensor | None = None) -> Tensor:
        """x̂_0 of images `noisy` (B, C, H, W) at `times` in 1…T, (B,) or one (1,) for all; clipped to ±1 if so set."""
        return self._clean(noisy, times, self._say(noisy, times, labels))

    def _clean(self, noisy: Tensor, times: Tensor, said: Tensor) -> Tensor:
        clean = clean_image(self.config.prediction, said, noisy, *self._amplitudes(times))
        return clean.clamp(-1, 1) if self.config.clip else clean

    def _guess_of(self, images: Tensor, times: Tensor, rng: torch.Generator, labels: Tensor | None = None) -> Tensor:
        """x̂_0 after noise was added to `images` (B, C, H, W) up to `times` (B,)."""
        alpha, sigma = self._amplitudes(times)
        noise = torch.randn(images.shape, generator=rng, device=images.device, dtype=images.dtype)
        return self.guess(alpha * images + sigma * noise, times, labels)

    def guess_at(self, noisy: Tensor, time: int, labels: Tensor | None = None) -> Tensor:
        """x̂_0 of images `noisy` (B, C, H, W) that are all at one time in 1…T, guided to their class."""
        times = torch.full((1,), time, device=noisy.device)
        return self._clean(noisy, times, self.guided(partial(self._say, noisy, times), labels))

    def _say(self, noisy: Tensor, times: Tensor, labels: Tensor | None) -> Tensor:
        given = () if labels is None else (labels,)
        said: Tensor = self.denoiser(noisy, times.to(noisy.dtype) / self.schedule.steps, *given)
        return said.to(noisy.dtype)

    def _amplitudes(self, times: Tensor) -> tuple[Tensor, Tensor]:
        """√ᾱ_t and √(1 − ᾱ_t) of `times` (B,), each of shape (B, 1, 1, 1)."""
        signal, noise = (self.get_buffer(name)[times].view(-1, 1, 1, 1) for name in ("signal", "noise"))
        return signal, noise

    def _random_times(self, like: Tensor, rng: torch.Generator) -> Tensor:
        """t ~ U{1…T}, or as is learned, for each of the images `like` (B, …), spread over them, shape (B,)."""
        share = spread(like, rng)
        if self.learned is not None:
            return self.learned.times(share)
        return share.mul_(self.schedule.steps).add_(1).long().clamp_(max=self.schedule.steps)

"""Diffusion model: an image is noise from which a denoiser has taken the noise, little by little.

    x_t = √ᾱ_t·x_0 + √(1 − ᾱ_t)·ε,   t ~ U{1…T},   ε ~ N(0, 1)
    L   = mean over pixels of (denoiser(x_t, t) − target)²,   target ε, x_0 or v = √ᾱ_t·ε − √(1 − ᾱ_t)·x_0

The loss of one example, for the t and ε drawn for it, is all of that real example, so all of it carries its weight.
Sources: J. Ho et al., arXiv:2006.11239 (2020); A. Nichol, P. Dhariwal, arXiv:2102.09672 (2021); v: T. Salimans, J. Ho,
arXiv:2202.00512 (2022).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from studio.models.base import Batch, GenerativeModel, LossTerms, Phase, Probe
from studio.models.diagnostic import Diagnostic
from studio.models.diffusion import views
from studio.models.diffusion.bound import denoising_term, prior_matching, reconstruction_term
from studio.models.diffusion.config import DiffusionConfig, Sampler
from studio.models.diffusion.denoisers import denoiser
from studio.models.diffusion.density import log_masses
from studio.models.diffusion.parametrisation import clean_image, target
from studio.models.diffusion.sampling import Stage, trajectory
from studio.models.diffusion.schedule import noise_schedule
from studio.models.diffusion.spreading import spread
from studio.models.exportable import IMAGES, Argument, ExportableModel, image_argument
from studio.models.nets import Shape
from studio.models.plane import PlaneView
from studio.models.plane_views import PARTICLES, log_density_field

_CHUNK = 500
_BOUND_EVERY = 100
"""Steps from one look at the bound to the next; its two calls of the denoiser are two thirds of a step."""


class Diffusion(GenerativeModel):
    """A denoiser and its noise schedule."""

    takes_bfloat16 = True

    def __init__(self, config: DiffusionConfig, shape: Shape) -> None:
        super().__init__()
        self._config = config
        self._shape = shape
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
        self.denoiser = denoiser(shape, architecture=config.architecture, width=config.width)

    @property
    def image_shape(self) -> Shape:
        return self._shape

    def phases(self) -> Sequence[Phase]:
        return (Phase(network="denoiser"),)

    def losses(self, phase: Phase, batch: Batch, rng: torch.Generator) -> LossTerms:
        loss = self.denoising_loss(batch.images, self._random_times(batch.images, rng), rng)
        terms: dict[str, Tensor] = {}
        if batch.step % _BOUND_EVERY == 0:
            terms = self.bound_terms(batch.images, rng)
        return LossTerms(data=loss, example_metrics=terms)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """The noise x_T, which decides the image unless the sampler is ancestral and adds more on the way."""
        return self._shape

    def decode(self, latents: Tensor, rng: torch.Generator | None = None) -> Tensor:
        images = []
        for start in latents.split(_CHUNK):
            *_, last = self.sampling(start, rng)
            images.append(last.guess)
        return torch.cat(images).clamp(-1, 1)

    def sampling(self, start: Tensor, rng: torch.Generator | None) -> Sequence[Stage]:
        """All stages of sampling from x_T = `start`, shape (B, C, H, W); without `rng`, by DDIM in place of a sampler
        that needs it.
        """
        times = self.schedule.times(self._config.sampling_steps)
        sampler = Sampler.DDIM if rng is None and self._config.sampler is Sampler.ANCESTRAL else self._config.sampler
        return list(trajectory(start, self._guess_at, self.schedule, times, sampler, rng))

    def denoising_loss(self, images: Tensor, times: Tensor, rng: torch.Generator) -> Tensor:
        """L of `images` (B, C, H, W) at `times` (B,) in 1…T, per pixel, shape (B,)."""
        kind = self._config.prediction
        alpha, sigma = self._amplitudes(times)
        noise = torch.randn(images.shape, generator=rng, device=images.device, dtype=images.dtype)
        said = self._say(alpha * images + sigma * noise, times)
        aim = target(kind, images, noise, alpha, sigma)
        return F.mse_loss(said, aim, reduction="none").mean((1, 2, 3))

    @torch.no_grad()
    def bound_terms(self, images: Tensor, rng: torch.Generator) -> dict[str, Tensor]:
        """The terms of the bound on −log p(x), by metric name, in nats per image, each of shape (B,).

        Args:
            images: x in −1…1, shape (B, C, H, W).
            rng: of the noise and of the one time per image from which the denoising term is estimated.
        """
        share = torch.rand((len(images),), generator=rng, device=images.device, dtype=images.dtype)
        times = torch.searchsorted(self.get_buffer("bound_cumulative"), share.contiguous(), right=True).clamp(
            2, self.schedule.steps
        )
        factor = self.get_buffer("bound_factor")[times]
        ones = torch.ones_like(times)
        terms = {
            "prior_term": prior_matching(images, self.get_buffer("noise")[-1]),
            "denoising_term": denoising_term(images, self._guess_of(images, times, rng), factor),
            "reconstruction_term": reconstruction_term(
                images, self._guess_of(images, ones, rng), self.get_buffer("noise")[1]
            ),
        }
        return {**terms, "variational_bound": torch.stack(list(terms.values())).sum(0)}

    def guess(self, noisy: Tensor, times: Tensor) -> Tensor:
        """x̂_0 of images `noisy` (B, C, H, W) at `times` in 1…T, (B,) or one (1,) for all; clipped to ±1 if so set."""
        clean = clean_image(self._config.prediction, self._say(noisy, times), noisy, *self._amplitudes(times))
        return clean.clamp(-1, 1) if self._config.clip else clean

    def diagnostics(self, probe: Probe, rng: torch.Generator) -> tuple[Diagnostic, ...]:
        stages = self.sampling(self.draw_latents(views.COLUMNS, rng), rng)
        profile = views.noise_profile(self.schedule, self.denoising_loss, probe, rng)
        return profile, views.sampling_stages(self.schedule, stages)

    def portable(self) -> ExportableModel:
        def some_times(count: int, rng: torch.Generator) -> Tensor:
            return torch.randint(1, self.schedule.steps + 1, (count,), generator=rng)

        return ExportableModel(
            title="denoiser",
            network=Denoising(self),
            takes={
                "noisy": image_argument(self._shape),
                "time": Argument(says=f"t in 1…{self.schedule.steps}, int64, shape (B,)", draw=some_times),
            },
            gives={
                "clean": f"x̂_0 of x_t = signal·x_0 + noise·ε: {IMAGES}",
                "signal": "√ᾱ_t, float32, shape (B,)",
                "noise": "√(1 − ᾱ_t), float32, shape (B,)",
            },
        )

    def on_plane(self, points: Tensor, rng: torch.Generator) -> tuple[PlaneView, ...]:
        flow = views.flow_from_noise(self.sampling(self.draw_latents(PARTICLES, rng), rng))
        return views.pull(self._guess_at, self.schedule, points), flow

    def on_plane_at_leisure(self, points: Tensor, rng: torch.Generator) -> tuple[PlaneView, ...]:
        return (log_density_field(log_masses(self._guess_at, self.schedule, points), views.DENSITY_TIP),)

    def _guess_of(self, images: Tensor, times: Tensor, rng: torch.Generator) -> Tensor:
        """x̂_0 after noise was added to `images` (B, C, H, W) up to `times` (B,)."""
        alpha, sigma = self._amplitudes(times)
        noise = torch.randn(images.shape, generator=rng, device=images.device, dtype=images.dtype)
        return self.guess(alpha * images + sigma * noise, times)

    def _guess_at(self, noisy: Tensor, time: int) -> Tensor:
        return self.guess(noisy, torch.full((1,), time, device=noisy.device))

    def _say(self, noisy: Tensor, times: Tensor) -> Tensor:
        said: Tensor = self.denoiser(noisy, times.to(noisy.dtype) / self.schedule.steps)
        return said.to(noisy.dtype)

    def _amplitudes(self, times: Tensor) -> tuple[Tensor, Tensor]:
        """√ᾱ_t and √(1 − ᾱ_t) of `times` (B,), each of shape (B, 1, 1, 1)."""
        signal, noise = (self.get_buffer(name)[times].view(-1, 1, 1, 1) for name in ("signal", "noise"))
        return signal, noise

    def _random_times(self, like: Tensor, rng: torch.Generator) -> Tensor:
        """t ~ U{1…T} for each of the images `like` (B, …), evenly spread over them, shape (B,)."""
        share = spread(like, rng)
        return share.mul_(self.schedule.steps).add_(1).long().clamp_(max=self.schedule.steps)


class Denoising(nn.Module):
    """What sampling asks of a model at each stage: (x_t, t) → x̂_0, √ᾱ_t and √(1 − ᾱ_t)."""

    def __init__(self, model: Diffusion) -> None:
        super().__init__()
        self.model = model

    def forward(self, noisy: Tensor, time: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        signal, noise = (self.model.get_buffer(name)[time] for name in ("signal", "noise"))
        return self.model.guess(noisy, time), signal, noise

"""What a diffusion model shows: loss against noise level, samples on their way out of the noise, and its density."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from studio.models.diagnostic import Diagnostic, Pictures, Profile
from studio.models.diffusion.config import Sampler
from studio.models.diffusion.model import Diffusion
from studio.models.diffusion.sampling import Guess, Stage, trajectory
from studio.models.diffusion.schedule import LearnedSchedule, Schedule
from studio.models.exportable import IMAGES, Argument, ExportableModel, image_argument, label_argument
from studio.models.plane import Arrows, Flow, PlaneView
from studio.models.plane_views import PARTICLES, SIDE, arrows, flow, log_density_field
from studio.models.views import ModelViews, Probe, to_array, to_pixels

Loss = Callable[[Tensor, Tensor, torch.Generator, Tensor | None], Tensor]
"""(images (B, C, H, W), times (B,), rng, labels (B,) if any) → (B,)."""

COLUMNS = 8
PULL_TIP = (
    "Where the denoiser would move each sample, did it hold a little noise: towards where there are more. "
    "(x̂_0 − x)/σ at noise level σ = 0.1."
)
DENSITY_TIP = (
    "How densely samples lie, from where their noise would be; it is brought up to date every second or so. "
    "log q(x) = log N(f(x); 0, 1) + log |det ∂f/∂x|, f the way back to noise."
)
FLOW_TIP = "How particles come out of the noise, as samples do. x_t as t falls from T to 0."
_LEVELS = 12
_JUDGED = 48
_ROWS = 6
_LITTLE_NOISE = 0.1
_PLACES = 50
_DENSITY_STEPS = 24
_LEAST_MASS = 1e-30
"""A flow that folds over leaves cells without any."""


class DiffusionViews(ModelViews):
    """Of a denoiser and its schedule."""

    def __init__(self, model: Diffusion) -> None:
        self._model = model

    def diagnostics(self, probe: Probe, rng: torch.Generator) -> tuple[Diagnostic, ...]:
        stages = self._stages(COLUMNS, rng)
        profile = noise_profile(self._model.schedule, self._model.denoising_loss, probe, rng)
        learned = self._model.learned
        schedule = () if learned is None else (learned_profile(learned, self._model.schedule),)
        return profile, sampling_stages(self._model.schedule, stages), *schedule

    def exportable(self) -> ExportableModel:
        def some_times(count: int, rng: torch.Generator) -> Tensor:
            return torch.randint(1, self._model.schedule.steps + 1, (count,), generator=rng)

        return ExportableModel(
            title="denoiser",
            network=Denoising(self._model),
            takes={
                "noisy": image_argument(self._model.image_shape),
                "time": Argument(says=f"t in 1…{self._model.schedule.steps}, int64, shape (B,)", draw=some_times),
                **label_argument(self._model.classes, self._model.guidance),
            },
            gives={
                "clean": f"x̂_0 of x_t = signal·x_0 + noise·ε: {IMAGES}",
                "signal": "√ᾱ_t, float32, shape (B,)",
                "noise": "√(1 − ᾱ_t), float32, shape (B,)",
            },
        )

    def on_plane(self, points: Tensor, labels: Tensor, rng: torch.Generator) -> tuple[PlaneView, ...]:
        flow = flow_from_noise(self._stages(PARTICLES, rng))
        guess = partial(self._model.guess_at, labels=self._model.heard(labels))
        return pull(guess, self._model.schedule, points), flow

    def on_plane_at_leisure(self, points: Tensor, rng: torch.Generator) -> tuple[PlaneView, ...]:
        def of(labels: Tensor | None) -> Tensor:
            return log_masses(partial(self._model.guess_at, labels=labels), self._model.schedule, points)

        return (log_density_field(self._model.mixed(of), DENSITY_TIP),)

    def _stages(self, count: int, rng: torch.Generator) -> Sequence[Stage]:
        """Of some samples on their way."""
        return self._model.sampling(*self._model.parted(self._model.draw_latents(count, rng)), rng)


class Denoising(nn.Module):
    """What sampling asks of a model at each stage: (x_t, t), and the label, → x̂_0, √ᾱ_t and √(1 − ᾱ_t)."""

    def __init__(self, model: Diffusion) -> None:
        super().__init__()
        self.model = model

    def forward(self, noisy: Tensor, time: Tensor, labels: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        signal, noise = (self.model.get_buffer(name)[time] for name in ("signal", "noise"))
        return self.model.guess(noisy, time, labels), signal, noise


def noise_profile(schedule: Schedule, loss: Loss, probe: Probe, rng: torch.Generator) -> Profile:
    """Mean loss of a few real images at even levels of noise."""
    wanted = (torch.arange(_LEVELS, dtype=torch.float64) + 0.5) / _LEVELS
    times = torch.searchsorted(schedule.noise, wanted).clamp(1, schedule.steps).unique()
    return Profile(
        name="loss_by_noise",
        title="Loss against noise level",
        tip="At which amounts of noise the denoiser is still bad; a gap between training and held-out is overfitting. "
        "Mean of (said − target)² per pixel at noise level √(1 − ᾱ_t).",
        axes=("noise level √(1 − ᾱ_t)", "loss per pixel"),
        at=to_array(schedule.noise[times]),
        series=mean_losses(loss, times, probe, rng),
    )


def learned_profile(learned: LearnedSchedule, schedule: Schedule) -> Profile:
    """How noise grows in training."""
    u = (torch.arange(_PLACES, device=learned.centres.device) + 0.5) / _PLACES
    gamma = 2 * (schedule.noise / schedule.signal).log()
    times = {"learned": learned.times(u).cpu(), "cosine": (u * schedule.steps).long().cpu() + 1}
    return Profile(
        name="learned_schedule",
        title="Learned noise schedule",
        tip="How noise grows over what training draws; flat where the loss is large, so that it is drawn more often. "
        "γ(u) = log((1 − ᾱ_t)/ᾱ_t), t = t(u), u ~ U(0, 1).",
        axes=("u, drawn evenly", "noise to signal γ"),
        at=to_array(u),
        series={name: to_array(gamma[places]) for name, places in times.items()},
    )


def mean_losses(loss: Loss, times: Tensor, probe: Probe, rng: torch.Generator) -> dict[str, NDArray[np.float64]]:
    """Mean loss at each of `times` (T,) of a few real images, by whether they are trained on, each (T,)."""

    def losses(images: Tensor, labels: Tensor | None) -> NDArray[np.float64]:
        images, labels = images[:_JUDGED], None if labels is None else labels[:_JUDGED]
        found = [loss(images, time.expand(len(images)), rng, labels).mean() for time in times.to(images.device)]
        return to_array(torch.stack(found))

    sets = ("training", probe.seen, probe.seen_labels), ("held-out", probe.held_out, probe.held_out_labels)
    return {title: losses(images, labels) for title, images, labels in sets if len(images)}


def pull(guess: Guess, schedule: Schedule, points: Tensor) -> Arrows:
    """Where points (n, 2, 1, 1) would be moved that are taken for a little noisy."""
    time = int(torch.searchsorted(schedule.noise, _LITTLE_NOISE).clamp(1, schedule.steps))
    moved = guess(schedule.signal[time].item() * points, time) - points
    return arrows("pull", "Pull on samples", PULL_TIP, points, moved / schedule.noise[time].item())


def flow_from_noise(stages: Sequence[Stage]) -> Flow:
    """The ways of points (n, 2, 1, 1) from noise to sample; the last stage counts by its guess."""
    return flow(FLOW_TIP, [*(stage.noisy for stage in stages), stages[-1].guess])


def sampling_stages(schedule: Schedule, stages: Sequence[Stage]) -> Pictures:
    """Noisy image and guess of the clean one at a few of the stages."""
    shown = [
        (f"t = {time}, noise level {schedule.noise[time].item():.2f}", noisy, guess) for time, noisy, guess in stages
    ]
    return stage_pictures(shown, "x_t and x̂_0(x_t) as t falls from T to 0.")


def stage_pictures(stages: Sequence[tuple[str, Tensor, Tensor]], formula: str) -> Pictures:
    """Rows of images at a few of the stages: (where, the images so far, what they would become)."""
    places = np.unique(np.linspace(0, len(stages) - 1, _ROWS).round().astype(int))
    shown = [stages[place] for place in places]
    return Pictures(
        name="sampling_stages",
        title="Samples at several t",
        tip=f"Samples on their way out of the noise, from top to bottom; below each a guess of the end. {formula}",
        images=to_pixels(torch.cat([image for _, *images in shown for image in images])),
        columns=len(shown[0][1]),
        rows=tuple(
            f"{where}: {what}" for where, *_ in shown for what in ("the image so far", "guess of the final image")
        ),
    )


def log_masses(guess: Guess, schedule: Schedule, like: Tensor) -> Tensor:
    """log q of each cell of `plane_views.grid`, up to a constant, shape (SIDE²,), by a guess (x_t, t) → x̂_0.

        q(cell) ≈ N(f(x); 0, 1)·area of f(cell)

    f takes a point x at the least noise to noise x_T, along the way on which deterministic samples come out of it, and
    a cell of the plane to a quadrangle. Going that way the steps are those of sampling with s > t, so f is as exact as
    samples are. Source: Y. Song et al., arXiv:2011.13456 (2021), whose integral of a divergence the areas stand for.
    """
    edge = torch.linspace(-1, 1, SIDE + 1, device=like.device, dtype=like.dtype)
    up, across = torch.meshgrid(edge, edge, indexing="ij")
    times = [*sorted(schedule.times(_DENSITY_STEPS))[1:], 0]  # the 0 ends the way
    start = schedule.signal[times[0]].item() * torch.stack((across.flatten(), up.flatten()), 1)[:, :, None, None]
    rng = torch.Generator(like.device)  # unused: the way is deterministic
    *_, last = trajectory(start, guess, schedule, times, Sampler.SECOND_ORDER, rng)
    knots = last.noisy.flatten(1).double().reshape(SIDE + 1, SIDE + 1, 2)
    return (_noise_density(knots) * _areas(knots)).clamp(min=_LEAST_MASS).log().flatten()


def _noise_density(knots: Tensor) -> Tensor:
    """Mean of N(x; 0, 1) over the corners of each cell of knots (rows + 1, columns + 1, 2), shape (rows, columns)."""
    density = (-0.5 * knots.square().sum(2)).exp() / (2 * math.pi)
    return (density[:-1, :-1] + density[1:, :-1] + density[:-1, 1:] + density[1:, 1:]) / 4


def _areas(knots: Tensor) -> Tensor:
    """Area of the quadrangle between the four corners of each cell, half the product of its diagonals."""
    first, second = knots[1:, 1:] - knots[:-1, :-1], knots[1:, :-1] - knots[:-1, 1:]
    return (first[..., 0] * second[..., 1] - first[..., 1] * second[..., 0]).abs() / 2

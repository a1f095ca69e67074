"""Conditioning: a model that is told classes is told those of the target, p′_c·e^{−δH_c} up to a factor.

    p′(x) = Σ_c p′_c·p(x|c)

so that a tilt by class is as exact as p(x|c) is: no draw is thrown away, and none comes twice. What differs within a
class cannot be told: it is learned in training, or resampled.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch

from studio.data.scale import Scale, Values
from studio.errors import UserError
from studio.models.base import at_rest
from studio.models.conditional import Conditional
from studio.names import listed
from studio.number_text import compact
from studio.perturb.arrays import Floats
from studio.progress import Progress
from studio.sampling.base import Prediction, Tilted, joined
from studio.sampling.pool import PIECE, Pool
from studio.sampling.rejection import INDEPENDENT
from studio.sampling.tilt import Tilt

_FEW, _NOTICED = 20, 0.01
"""Examples of a class, and its share of the samples. After 2,000 steps of a VAE on the digits, of the twos asked for
60 and 89 % were twos where these had weighed as much as one example (two seeds), 95 and 98 % as three, and all as ten;
of a diffusion model that was told 18 of their labels about 60 %.
"""


@dataclass(frozen=True, kw_only=True)
class Conditioning:
    """Of a model that has learned what labels mean, on `device`; its samples are stored by `scale`.

    For the target that it was trained for, and held to, it is `told` classes with these shares, shape (K,). `worth` is
    how many labelled examples it learned each class from, by name, where that is known.
    """

    model: Conditional
    scale: Scale
    device: torch.device
    told: Floats
    worth: Mapping[str, float] = field(default_factory=dict)
    name: str = "condition"

    def predict(self, pool: Pool, tilt: Tilt, count: int) -> Prediction:
        """See `TiltedSampler`."""
        if tilt.by_class is None:
            return Prediction(seconds=math.inf, says="", why_not="the target differs within classes")
        return Prediction(
            seconds=count * pool.seconds_per_draw,
            says="the model is told classes as frequent as in the target, no draw is lost, and none comes twice",
            worth=INDEPENDENT,
        )

    @torch.no_grad()
    def sample(self, pool: Pool, tilt: Tilt, count: int, rng: np.random.Generator, progress: Progress) -> Tilted:
        """See `TiltedSampler`."""
        change = tilt.by_class
        if change is None:
            raise UserError(
                "This target differs within classes",
                "A conditional model is told classes and nothing else; energy terms within a class act in training.",
                "Use resampling, or train it.",
            )
        shares = self.told * np.exp(change.min() - change)
        shares /= shares.sum()
        labels = torch.from_numpy(rng.choice(len(shares), count, p=shares)).to(self.device)
        noise = torch.Generator(self.device).manual_seed(int(rng.integers(2**62)))
        begun = time.perf_counter()
        values: list[Values] = []
        with at_rest(self.model):
            for part in labels.split(PIECE):
                progress.report("Drawing classes of the target", PIECE * len(values) / count)
                images = self.model.sample(len(part), noise, part)
                values.append(self.scale.stored(images.float().cpu().numpy()))
        return Tilted(
            values=joined(values),
            method=self.name,
            draws=count,
            seconds=time.perf_counter() - begun,
            effective=float(count),
            distinct=count,
            remarks=_hardly_learned(self.worth, shares),
        )


def _hardly_learned(worth: Mapping[str, float], shares: Floats) -> tuple[str, ...]:
    """A remark on the classes that samples are often of, if some of them were learned from few examples."""
    often = zip(worth, worth.values(), shares, strict=False)
    poor = {name: examples for name, examples, share in often if share > _NOTICED and examples < _FEW}
    if not poor:
        return ()
    most = f"{compact(max(poor.values()), 2)} labelled examples’ worth of weight"
    if len(poor) == 1:
        return (f"Class {listed(poor)} was trained on with only {most}: its samples may be poor",)
    return (f"Classes {listed(poor)} were trained on with only {most} each, or less: their samples may be poor",)

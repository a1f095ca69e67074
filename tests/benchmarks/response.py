"""How a model follows a tilt, predicted to first order against trained anew at s = 0.1.

    OMP_NUM_THREADS=1 python -m tests.benchmarks.response [planar-vae planar-diffusion digits-vae …]

For each model ten tilts ΔH, and of each the slope d⟨f⟩/ds of all class shares and some features

    retrained   (⟨f⟩_{s=0.1} − ⟨f⟩_0)/0.1, both trained from the same weights by the same batches and noise
    predicted   dθ/ds = (H + D/τ)⁻¹·∇Cov(ΔH, ℓ) of the model at s = 0; −Cov(f, ΔH) of the data beside it

as the rank correlation over the tilts, the root mean square error over that of the slopes, and the factor c of the best
fit retrained = c·predicted. Models that minimise one loss are trained side by side, the others one after the other. On
idle cores a model takes a few minutes.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor, nn
from torch.func import functional_call, vmap

from studio.data.catalog import load_dataset
from studio.data.example_set import ExampleSet
from studio.models.base import GenerativeModel
from studio.models.tangent import Fitted
from studio.perturb.arrays import Floats
from studio.perturb.energy import Energy
from studio.perturb.perturbation import Perturbation
from studio.perturb.planner import FixedSizePlanner
from studio.perturb.terms import FormulaTerm, checked_energy
from studio.progress import Progress
from studio.response.parameters import Response, Trained
from studio.training.analysis.generated import Generated, each_class
from studio.training.config.assignments import with_settings
from studio.training.config.presets import config_or_preset
from studio.training.config.run_config import RunConfig
from studio.training.engine.building import build_model
from studio.training.engine.optimisers import NetworkOptimiser
from studio.training.engine.trainer import Trainer
from studio.training.examples.examples import for_models
from studio.training.examples.judges import Judges
from studio.training.examples.measured_set import measured_set, whole_log_weights

SCALE, SAMPLES = 0.1, 8000
_ZERO = (0.0,) * 10
_DRAWN = np.random.default_rng(5)
Tilt = tuple[tuple[float, ...], str]
"""Offsets of the classes, and a formula that is added."""
ON_PLANE: tuple[Tilt, ...] = (
    *(((0, 0, -2.5), ""), ((1, 0, 0), ""), ((0, -1, 0), "")),
    *(((0, 0, 0), text) for text in ("0.5*x", "-0.5*y", "0.15*x*x", "-0.15*y*y", "0.25*x*y")),
    *(((-1, 0, 1), ""), ((0, 0, 0), "cos(2*x)")),
)
ON_DIGITS: tuple[Tilt, ...] = (
    ((0, 0, -1.3667, 0, 0, 0, 0, 0, 0, 0), ""),
    *((_ZERO, text) for text in ("0.1*slant", "0.05*ink", "-0.1*mean")),
    *((tuple(_DRAWN.normal(size=10).round(2).tolist()), "") for _ in range(6)),
)
_SLOWER = "model.{0}_optimiser.half_after=500"
_FASTER = (_SLOWER.format("denoiser"), "model.denoiser_optimiser.learning_rate=3e-3")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is trained, how long, and which means are looked at beside the classes' shares."""

    preset: str
    settings: tuple[str, ...]
    steps: int
    tilts: tuple[Tilt, ...]
    features: tuple[str, ...]


_SMALL = ("model.width=8", "batch.average_size=128")


def _on_plane(preset: str, *settings: str) -> Case:
    return Case(preset=preset, settings=(*_SMALL, *settings), steps=3000, tilts=ON_PLANE, features=("x", "y"))


def _on_digits(*settings: str, steps: int = 3000) -> Case:
    features = ("ink", "slant", "mean")
    return Case(preset="digits-vae", settings=settings, steps=steps, tilts=ON_DIGITS, features=features)


CASES = {
    "planar-vae": _on_plane("planar-vae", _SLOWER.format("autoencoder")),
    "planar-diffusion": _on_plane("planar-diffusion", "dataset.kind=planar_mixture", *_FASTER),
    "digits-vae": _on_digits("model.width=8", _SLOWER.format("autoencoder")),
    "digits-diffusion": _on_digits("model.kind=diffusion", "model.width=16", *_FASTER),
    "digits-rbm": _on_digits("model.kind=rbm", "model.hidden_units=64", "model.chains=256", steps=1500),
}


def target(tilt: Tilt, scale: float) -> Perturbation:
    """s·ΔH."""
    offsets, text = tilt
    terms = (FormulaTerm(text=text, scale=scale),) if text else ()
    return Perturbation(offsets=tuple(scale * each for each in offsets), energy=Energy(terms=terms))


def retrained(
    config: RunConfig, data: ExampleSet, targets: Sequence[Perturbation], steps: int
) -> list[GenerativeModel]:
    """The averaged model of each target, all from the same weights and random numbers."""
    if isinstance(build_model(config.model, data.image_shape, config.seed), Fitted):
        return _side_by_side(config, data, targets, steps)
    found = []
    for each in targets:
        trainer = Trainer(config, data)
        trainer.retarget(each)
        for _ in range(steps):
            trainer.step()
        found.append(trainer.average.model)
    return found


class _Loss(nn.Module):
    """ℓ of images by a model whose parameters can be replaced."""

    def __init__(self, model: GenerativeModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor, rng: torch.Generator) -> Tensor:
        assert isinstance(self.model, Fitted)
        said = self.model.say(images, rng)
        return said.loss(said.outputs)


def _side_by_side(
    config: RunConfig, data: ExampleSet, targets: Sequence[Perturbation], steps: int
) -> list[GenerativeModel]:
    model = build_model(config.model, data.image_shape, config.seed)
    (phase,), loss_of = model.phases(), _Loss(model)
    stacked = {
        f"model.{name}": nn.Parameter(each.detach().repeat(len(targets), *[1] * each.dim()))
        for name, each in model.named_parameters()
    }
    parameters = tuple(stacked.values())
    average = [each.detach().clone() for each in parameters]
    rng = torch.Generator().manual_seed(config.seed)
    optimiser = NetworkOptimiser(config.model.optimiser(phase.network), parameters, rng)
    measured, size = measured_set(data), config.batch.average_size
    measured.prepare(name for each in targets for name in each.energy.names)
    weights = torch.from_numpy(np.stack([np.exp(whole_log_weights(each, measured)) for each in targets])).float()
    planner = FixedSizePlanner(np.zeros(len(data)), size, np.random.default_rng(config.seed), labels=data.labels)
    for step in range(steps):
        chosen = planner.next().indices
        images = for_models(data.rows(chosen), data.scale, torch.device("cpu"))
        losses = vmap(
            lambda own: functional_call(loss_of, own, (images, rng)),  # noqa: B023 - called at once
            randomness="same",
        )(stacked)
        optimiser.step(torch.autograd.grad((weights[:, chosen] * losses).sum() / size, parameters))
        decay = min(config.ema_decay, (1 + step) / (10 + step))
        with torch.no_grad():
            torch._foreach_lerp_(average, [each.detach() for each in parameters], 1 - decay)
    found = []
    for place in range(len(targets)):
        one = build_model(config.model, data.image_shape, config.seed).eval().requires_grad_(False)
        for own, each in zip(one.parameters(), average, strict=True):
            own.copy_(each[place])
        found.append(one)
    return found


def measured_case(name: str, data_root: Path) -> None:
    """Print a line of the table for each f."""
    case = CASES[name]
    settings = ("perturbation.offsets={}", "batch.planner=fixed_size", *case.settings)
    config = with_settings(config_or_preset(case.preset), settings)
    data = load_dataset(config.dataset, data_root, Progress())
    measured, looked = measured_set(data), Generated(data, Judges(data, data_root))
    looked.bring_judge(Progress())
    means = [f"label == {place}" for place in range(len(data.class_names))] + list(case.features)
    terms = [FormulaTerm(text=text) for text in means]

    def observe(images: Tensor) -> Floats:
        drawn = looked.look(data.scale.stored(images.float().numpy()))
        return np.stack([(drawn.probabilities * each_class(drawn, term)).sum(1) for term in terms], axis=1)

    targets = [Perturbation.zero(len(data.class_names)), *(target(tilt, SCALE) for tilt in case.tilts)]
    models = retrained(config, data, targets, case.steps)
    with torch.no_grad():
        seen = [observe(model.sample(SAMPLES, torch.Generator().manual_seed(7))).mean(0) for model in models]
    truth = (np.stack(seen[1:]) - seen[0]) / SCALE
    images = for_models(data.rows(slice(None)), data.scale, torch.device("cpu"))
    optimiser = config.model.optimiser(models[0].phases()[0].network)
    how = Trained(optimiser=optimiser, steps=case.steps, size=round(config.batch.average_size))
    response = Response(models[0], images, torch.ones(len(images)), how)
    predicted, own, begun = [], [], time.process_time()
    measured.prepare(name for term in terms for name in term.names)
    of_data = np.stack([checked_energy(term, measured) for term in terms], axis=1)
    for tilt in case.tilts:
        measured.prepare(target(tilt, 1.0).energy.names)
        energy = -whole_log_weights(target(tilt, 1.0), measured)
        change = torch.from_numpy(energy).float()
        predicted.append(response.slopes(response.to(change, Progress()).x, change, observe, SAMPLES // 2).slope)
        own.append(-((of_data - of_data.mean(0)) * (energy - energy.mean())[:, None]).mean(0))
    seconds = (time.process_time() - begun) / len(case.tilts)
    for place, text in enumerate(means):
        of_truth = truth[:, place]
        cells = [_compared(np.stack(each)[:, place], of_truth) for each in (predicted, own)]
        print(f"| {name} | {text} | {' | '.join(cells)} | {seconds:.0f} s |", flush=True)


def _compared(found: Floats, truth: Floats) -> str:
    rank = spearmanr(found, truth)[0]
    error = np.sqrt(((found - truth) ** 2).mean() / (truth**2).mean())
    return f"{rank:.2f} | {100 * error:.0f} % | {found @ truth / (found @ found):.2f}"


def main() -> None:
    """Print the table as it comes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", choices=(*CASES, []), help="all if none is named")
    parser.add_argument(
        "--data", type=Path, default=Path("data"), help="folder of downloaded data sets; none is needed"
    )
    options = parser.parse_args()
    print("| model | f | rank, model | error | c | rank, data | error | c | processor time a tilt |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name in options.cases or CASES:
        measured_case(name, options.data)


if __name__ == "__main__":
    main()

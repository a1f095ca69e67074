"""How a model follows a tilt, predicted to first order against trained anew at s = ±0.1.

    OMP_NUM_THREADS=1 python -m tests.benchmarks.response [planar-vae planar-diffusion digits-vae …] [--seeds 6]

For each model ten tilts ΔH, and of each the slope d⟨f⟩/ds of all class shares and some features

    retrained   (⟨f⟩_{s=0.1} − ⟨f⟩_{s=−0.1})/0.2, both trained from the same weights by the same batches and noise
    predicted   by `studio.response` of the model at s = 0; −Cov(f, ΔH) of the data beside it

and all that again from other weights with other batches, for two trainings part by chance however alike they begin. Of
slopes t with predictions p, n seeds each, d = t − p, and means over tilts, f and seeds

    scatter   √Var t/‖t‖, of one retraining, ‖t‖² = ⟨t̄²⟩ − Var t/n
    error     √(⟨d̄²⟩ − Var d/n)/‖t‖, of the prediction, without what chance has a part in
    c         of the best fit t̄ = c·p̄; rank: correlation of the ranks of t̄ and p̄

Models that minimise one loss are trained side by side, the others one after the other. On an idle core a seed of one of
the former takes two minutes and more, most of them to predict.
"""

from __future__ import annotations

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
from studio.training.engine.learner import build_model
from studio.training.engine.optimisers import NetworkOptimiser
from studio.training.engine.trainer import Trainer
from studio.training.examples.examples import for_models
from studio.training.examples.judges import Judges
from studio.training.examples.measured_set import measured_set, whole_log_weights
from tests.benchmarks.options import parser_of

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


class Means:
    """Of what models make of one data set: the classes' shares, then other features.

    Attributes:
        names: of each.
        of_data: each of each example, shape (N, F).
    """

    def __init__(self, data: ExampleSet, features: Sequence[str], data_root: Path) -> None:
        self._scale, self._generated = data.scale, Generated(data, Judges(data, data_root))
        self._generated.bring_judge(Progress())
        self.names = [*(f"share of {name}" for name in data.class_names), *features]
        texts = [*(f"label == {place}" for place in range(len(data.class_names))), *features]
        self._terms = [FormulaTerm(text=text) for text in texts]
        measured = measured_set(data)
        measured.prepare(name for term in self._terms for name in term.names)
        self.of_data = np.stack([checked_energy(term, measured) for term in self._terms], axis=1)

    def of(self, images: Tensor) -> Floats:
        """Each of each image, shape (n, F)."""
        drawn = self._generated.look(self._scale.stored(images.float().numpy()))
        return np.stack([(drawn.probabilities * each_class(drawn, term)).sum(1) for term in self._terms], axis=1)


def slopes_of(
    case: Case, config: RunConfig, data: ExampleSet, energies: Sequence[Floats], means: Means
) -> tuple[Floats, Floats]:
    """Retrained and predicted, by one seed, shapes (tilts, F)."""
    scales = [target(tilt, sign * SCALE) for tilt in case.tilts for sign in (1, -1)]
    models = retrained(config, data, [Perturbation.zero(len(data.class_names)), *scales], case.steps)
    with torch.no_grad():
        seen = [means.of(model.sample(SAMPLES, torch.Generator().manual_seed(7))).mean(0) for model in models[1:]]
    images = for_models(data.rows(slice(None)), data.scale, torch.device("cpu"))
    optimiser = config.model.optimiser(models[0].phases()[0].network)
    how = Trained(optimiser=optimiser, steps=case.steps, size=round(config.batch.average_size), decay=config.ema_decay)
    response, predicted = Response(models[0], images, torch.ones(len(images)), how), []
    for energy in energies:
        change = torch.from_numpy(energy).float()
        direction = response.to(change, Progress())
        predicted.append(response.slopes(direction, change, means.of, SAMPLES // 2).slope)
    return (np.stack(seen[::2]) - np.stack(seen[1::2])) / (2 * SCALE), np.stack(predicted)


def measured_case(name: str, seeds: int, data_root: Path) -> None:
    """Print a line of the table for all shares together and for each f."""
    case = CASES[name]
    settings = ("perturbation.offsets={}", "batch.planner=fixed_size", *case.settings)
    config = with_settings(config_or_preset(case.preset), settings)
    data = load_dataset(config.dataset, data_root, Progress())
    measured, means = measured_set(data), Means(data, case.features, data_root)
    energies = []
    for whole in (target(tilt, 1.0) for tilt in case.tilts):
        measured.prepare(whole.energy.names)
        energies.append(-whole_log_weights(whole, measured))
    begun = time.process_time()
    found = [slopes_of(case, with_settings(config, (f"seed={seed}",)), data, energies, means) for seed in range(seeds)]
    truth, predicted = (np.stack(each) for each in zip(*found, strict=True))
    apart = means.of_data - means.of_data.mean(0)
    own = np.stack([-((energy - energy.mean()) @ apart) / len(data) for energy in energies])
    minutes = (time.process_time() - begun) / 60 / seeds
    groups = {"all shares": slice(len(data.class_names))} | {
        each: slice(i, i + 1) for i, each in enumerate(means.names)
    }
    for text, part in groups.items():
        of_truth = truth[:, :, part]
        scatter = _percent(of_truth.var(0, ddof=1).mean(), _square(of_truth))
        cells = [_compared(each[..., part], of_truth) for each in (predicted, np.stack([own] * seeds))]
        print(f"| {name} | {text} | {scatter} | {' | '.join(cells)} | {minutes:.1f} min |", flush=True)


def _square(values: Floats) -> float:
    """Of the mean over seeds, shape (seeds, …), without what chance adds; the mean over all else."""
    return float((values.mean(0) ** 2).mean() - values.var(0, ddof=1).mean() / len(values))


def _compared(found: Floats, truth: Floats) -> str:
    p, t = found.mean(0).ravel(), truth.mean(0).ravel()
    error = _percent(_square(truth - found), _square(truth))
    return f"{spearmanr(p, t)[0]:.2f} | {error} | {p @ t / (p @ p):.2f}"


def _percent(square: float, whole: float) -> str:
    """The root of their ratio, as far as chance leaves something of both."""
    return f"{100 * np.sqrt(square / whole):.0f} %" if min(square, whole) > 0 else "≈ 0" if whole > 0 else "–"


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("cases", nargs="*", choices=(*CASES, []), help="all if none is named")
    parser.add_argument("--seeds", type=int, default=3, help="at least 2 (3)")
    parser.add_argument(
        "--data", type=Path, default=Path("data"), help="folder of downloaded data sets; none is needed"
    )
    options = parser.parse_args()
    print("| model | f | scatter | rank, model | error | c | rank, data | error | c | processor time a seed |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name in options.cases or CASES:
        measured_case(name, options.seeds, options.data)


if __name__ == "__main__":
    main()

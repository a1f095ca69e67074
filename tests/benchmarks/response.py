"""How a model follows a tilt, predicted to first order against trained anew at s = ±0.1.

    OMP_NUM_THREADS=1 python -m tests.benchmarks.response [planar-vae digits-vae …] [--seeds 3] [--tilts 10]

For each model ten tilts ΔH, and of each the slope d⟨f⟩/ds of all class shares and some features

    retrained   (⟨f⟩_{s=0.1} − ⟨f⟩_{s=−0.1})/0.2, both trained from the same weights by the same batches and noise
    predicted   by `studio.response` of the model at s = 0; −Cov(f, ΔH) of the data beside it

and all that again from other weights with other batches, for two trainings part by chance however alike they begin. Of
slopes t with predictions p, n seeds each, d = t − p, and means over tilts, f and seeds

    scatter   √Var t/‖t‖, of one retraining, ‖t‖² = ⟨t̄²⟩ − Var t/n
    error     √(⟨d̄²⟩ − Var d/n)/‖t‖, of the prediction, without what chance has a part in
    c         of the best fit t̄ = c·p̄, with its standard error by leaving out a seed at a time
    rank      correlation of the ranks of t̄ and p̄

What was measured before lies in `--results`, a file for each model and seed, and is not measured again: it goes on
where it was stopped. Models that minimise one loss are trained side by side, the others one after the other.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor

from studio.data.catalog import load_dataset
from studio.data.example_set import ExampleSet
from studio.perturb.arrays import Floats
from studio.perturb.energy import Energy
from studio.perturb.perturbation import Perturbation
from studio.perturb.terms import FormulaTerm, checked_energy
from studio.progress import Progress
from studio.response.parameters import Response, Trained
from studio.training.analysis.sample_features import SampleFeatures, each_class
from studio.training.config.assignments import with_settings
from studio.training.config.presets import config_or_preset
from studio.training.examples.examples import for_models
from studio.training.examples.judges import Judges
from studio.training.examples.measured_set import measured_set, whole_log_weights
from tests.benchmarks.options import parser_of
from tests.benchmarks.retraining import retrained

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
    "planar-flow-matching": _on_plane(
        "planar-vae",
        "model.kind=flow_matching",
        _SLOWER.format("velocity"),
        "model.velocity_optimiser.learning_rate=3e-3",
    ),
    "planar-normalising-flow": _on_plane("planar-vae", "model.kind=normalising_flow", _SLOWER.format("flow")),
    "digits-vae": _on_digits("model.width=8", _SLOWER.format("autoencoder")),
    "digits-diffusion": _on_digits("model.kind=diffusion", "model.width=16", *_FASTER),
    "digits-rbm": _on_digits("model.kind=rbm", "model.hidden_units=64", "model.chains=256", steps=1500),
}


def target(tilt: Tilt, scale: float) -> Perturbation:
    """s·ΔH."""
    offsets, text = tilt
    terms = (FormulaTerm(text=text, scale=scale),) if text else ()
    return Perturbation(offsets=tuple(scale * each for each in offsets), energy=Energy(terms=terms))


class Means:
    """Of what models make of one data set: the classes' shares, then other features.

    Attributes:
        names: of each.
        of_data: each of each example, shape (N, F).
    """

    def __init__(self, data: ExampleSet, features: Sequence[str], data_root: Path) -> None:
        self._scale, self._features = data.scale, SampleFeatures(data, Judges(data, data_root))
        self._features.bring_judge(Progress())
        self.names = [*(f"share of {name}" for name in data.class_names), *features]
        texts = [*(f"label == {place}" for place in range(len(data.class_names))), *features]
        self._terms = [FormulaTerm(text=text) for text in texts]
        measured = measured_set(data)
        measured.prepare(name for term in self._terms for name in term.names)
        self.of_data = np.stack([checked_energy(term, measured) for term in self._terms], axis=1)

    def of(self, images: Tensor) -> Floats:
        """Each of each image, shape (n, F)."""
        drawn = self._features.look(self._scale.stored(images.float().numpy()))
        return np.stack([(drawn.probabilities * each_class(drawn, term)).sum(1) for term in self._terms], axis=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Slopes by one seed, retrained, predicted and of the data, shapes (tilts, F); processor time of all and of one
    prediction, in minutes.
    """

    truth: Floats
    predicted: Floats
    own: Floats
    minutes: float
    prediction: float


class Measurement:
    """Of one case."""

    def __init__(self, case: Case, tilts: int, data_root: Path) -> None:
        self._case, self._tilts = case, case.tilts[:tilts]
        settings = ("perturbation.offsets={}", "batch.planner=fixed_size", *case.settings)
        self._config = with_settings(config_or_preset(case.preset), settings)
        self._data = data = load_dataset(self._config.dataset, data_root, Progress())
        self._means = Means(data, case.features, data_root)
        measured, self._energies = measured_set(data), list[Floats]()
        for whole in (target(tilt, 1.0) for tilt in self._tilts):
            measured.prepare(whole.energy.names)
            self._energies.append(-whole_log_weights(whole, measured))

    @property
    def names(self) -> list[str]:
        return self._means.names

    def of(self, seed: int) -> Found:
        """By one seed."""
        begun, means, data = time.process_time(), self._means, self._data
        config = with_settings(self._config, (f"seed={seed}",))
        scales = [target(tilt, sign * SCALE) for tilt in self._tilts for sign in (1, -1)]
        models = retrained(config, data, [Perturbation.zero(len(data.class_names)), *scales], self._case.steps)
        with torch.no_grad():
            seen = [means.of(model.sample(SAMPLES, torch.Generator().manual_seed(7))).mean(0) for model in models[1:]]
        images = for_models(data.rows(slice(None)), data.scale, torch.device("cpu"))
        optimiser, trained = config.model.optimiser(models[0].phases()[0].network), time.process_time()
        how = Trained(
            optimiser=optimiser, steps=self._case.steps, size=round(config.batch.average_size), decay=config.ema_decay
        )
        response, predicted = Response(models[0], images, torch.ones(len(images)), how), []
        for energy in self._energies:
            change = torch.from_numpy(energy).float()
            direction = response.to(change, Progress())
            predicted.append(response.slopes(direction, change, means.of, SAMPLES // 2).slope)
        apart = means.of_data - means.of_data.mean(0)
        ended = time.process_time()
        return Found(
            truth=(np.stack(seen[::2]) - np.stack(seen[1::2])) / (2 * SCALE),
            predicted=np.stack(predicted),
            own=np.stack([-((energy - energy.mean()) @ apart) / len(data) for energy in self._energies]),
            minutes=(ended - begun) / 60,
            prediction=(ended - trained) / len(self._energies) / 60,
        )


def measured_case(name: str, seeds: int, tilts: int, data_root: Path, results: Path) -> None:
    """Print a line of the table for all shares together and for each f."""
    case, measurement, all_found = CASES[name], None, []
    for seed in range(seeds):
        file = results / f"{name}-{case.steps}-{tilts}-{seed}.npz"
        if not file.exists():
            measurement = measurement or Measurement(case, tilts, data_root)
            np.savez(file, names=measurement.names, **asdict(measurement.of(seed)))
        with np.load(file) as kept:
            names = kept["names"].tolist()
            all_found.append(Found(**{field.name: kept[field.name] for field in fields(Found)}))
    truth, predicted, own = (
        np.stack([getattr(each, key) for each in all_found]) for key in ("truth", "predicted", "own")
    )
    groups = {"all shares": slice(len(names) - len(case.features))} | {
        each: slice(place, place + 1) for place, each in enumerate(names)
    }
    for text, part in groups.items():
        of_truth = truth[:, :, part]
        scatter = _percent(of_truth.var(0, ddof=1).mean(), _square(of_truth))
        cells = [_compared(each[..., part], of_truth) for each in (predicted, own)]
        print(f"| {name} | {text} | {scatter} | {' | '.join(cells)} |")
    whole, one = (np.mean([getattr(each, key) for each in all_found]) for key in ("minutes", "prediction"))
    print(
        f"{name}: {seeds} seeds, {tilts} tilts, {whole:.1f} min a seed, {60 * one:.0f} s a prediction", file=sys.stderr
    )


def _square(values: Floats) -> float:
    """Of the mean over seeds, shape (seeds, …), without what chance adds; the mean over all else."""
    return float((values.mean(0) ** 2).mean() - values.var(0, ddof=1).mean() / len(values))


def _compared(found: Floats, truth: Floats) -> str:
    rank = spearmanr(found.mean(0).ravel(), truth.mean(0).ravel())[0]
    error = _percent(_square(truth - found), _square(truth))
    n = len(truth)
    without = [_fitted(np.delete(found, seed, 0), np.delete(truth, seed, 0)) for seed in range(n)]
    spread = np.sqrt((n - 1) * np.var(without))
    return f"{rank:.2f} | {error} | {_fitted(found, truth):.2f} ± {spread:.2f}"


def _fitted(found: Floats, truth: Floats) -> float:
    """c."""
    p, t = found.mean(0).ravel(), truth.mean(0).ravel()
    return float(p @ t / (p @ p))


def _percent(square: float, whole: float) -> str:
    """The root of their ratio, as far as chance leaves something of both."""
    return f"{100 * np.sqrt(square / whole):.0f} %" if min(square, whole) > 0 else "≈ 0" if whole > 0 else "–"


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("cases", nargs="*", choices=(*CASES, []), help="all if none is named")
    parser.add_argument("--seeds", type=int, default=3, help="at least 2 (3)")
    parser.add_argument("--tilts", type=int, default=10, help="the first so many of each model's ten (10)")
    parser.add_argument(
        "--results", type=Path, default=Path("build/response"), help="folder of what was measured before"
    )
    parser.add_argument("--data", type=Path, default=Path("data"), help="of downloaded data sets; none is needed")
    options = parser.parse_args()
    options.results.mkdir(parents=True, exist_ok=True)
    print("| model | f | scatter | rank, model | error | c | rank, data | error | c |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name in options.cases or CASES:
        measured_case(name, options.seeds, options.tilts, options.data, options.results)


if __name__ == "__main__":
    main()

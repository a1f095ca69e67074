"""The tilt speedrun: what it costs a recipe to bring class shares to a target on MNIST.

    python -m tests.benchmarks.speedrun --judge judge.py [--data DIR] [--results DIR] [--tasks 2 3 4] [--entries …]
        [--seeds 0 1 2] [--steps 4000] [--minutes 360] [--model sn_gan]

Tasks, of the digit 2 (its share in the data → what is asked for, and ESS/n):

    1  9.9 → 30 %  .69      2  9.9 → 90 %  .12      of a set that is thinned to 0.1 % twos:
    3  0.1 → 10 %  .09      4  0.1 → 30 %  .011     5  0.1 → 90 %  .0012

Rules. Every `CHECK` steps 5,000 samples are judged by two classifiers that took no part, of different builds: the file
`--judge` and a perceptron that is trained here once. A recipe is there when both see a TV of at most 0.05 from the
target and the first an FD of at most 12 (or 20) to MNIST with the target's shares. Its score is processor seconds until
then: steps × the recipe's seconds a step, drawing and judging left out (but for what it draws to hold shares). The
benchmark goes on where it was stopped; without `--minutes` left, what is missing is listed and not run.

Entries: the four planners; `ramp`, whose ΔH grows so that ESS/n falls evenly over half of them;
`hold`: shares are held; `at_once`, an untilted model whose samples are tilted by `studio.sampling`; and the control,
`condition`: such a model that is conditional, and is told the target's classes; one training answers all tasks of
a data set; `told`, a conditional model that is trained towards the target in stratified batches. If asked for,
`fade`: a diffusion or flow whose weights fade to 1 over the noisiest tenth of the times.
"""

import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
import torch

from studio.data.catalog import load_dataset
from studio.data.image_set import ImageSet
from studio.evaluation.judge_store import judge_for
from studio.paths import default_data_root
from studio.perturb.perturbation import Perturbation, offsets_for_some_shares
from studio.progress import Progress
from studio.training.analysis.at_once import AtOnce
from studio.training.analysis.evaluator import Evaluator
from studio.training.analysis.side_tasks import SideTasks
from studio.training.analysis.trained_model import TrainedModel
from studio.training.config.assignments import with_settings
from studio.training.config.presets import config_or_preset
from studio.training.config.run_config import RunConfig
from studio.training.engine.trainer import Trainer
from studio.training.examples.judges import Judges
from studio.training.examples.measured_set import measured_set
from tests.benchmarks.options import parser_of
from tests.benchmarks.shelf import CLASS, Images, Judge, Perceptron

CHECK, SAMPLES, MOST_TV, MOST_FD, LOOSE_FD = 500, 5_000, 0.05, 12.0, 20.0
PLANNERS = ("error_carry", "fixed_size", "resampling", "stratified")
AT_ONCE = ("at_once", "condition")
ENTRIES = (*PLANNERS, "ramp", "hold", *AT_ONCE, "told", "fade")
TASKS = {1: (None, 0.3), 2: (None, 0.9), 3: (0.001, 0.1), 4: (0.001, 0.3), 5: (0.001, 0.9)}
"""Share of twos in the data, as it is if None; and what is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What was seen after some steps: TV by both judges, FD and the share of twos by the first."""

    steps: int
    seconds: float
    tv: float
    other_tv: float
    frechet: float
    share: float

    def there(self, most_fd: float) -> bool:
        return max(self.tv, self.other_tv) <= MOST_TV and self.frechet <= most_fd


class Course:
    """One task: its data, its target, and those who judge it.

    Args:
        whole: MNIST.
        judge: file of the first judge.
        folder: where the second is kept.
    """

    def __init__(self, task: int, whole: ImageSet, judge: Path, folder: Path) -> None:
        thinned, asked = TASKS[task]
        self.data = whole if thinned is None else thin(whole, thinned)
        offsets = offsets_for_some_shares(self.data.counts, np.zeros(10), {CLASS: asked})
        self.target = Perturbation(offsets=tuple(offsets.tolist()))
        mass = self.data.counts * np.exp(self.target.class_log_weights(self.data.counts))
        self.shares = np.asarray(mass / mass.sum(), np.float64)
        self._first = Judge(judge, whole, torch.from_numpy((self.shares / whole.counts)[whole.labels]))
        self._second = Perceptron(whole, folder / "perceptron.pt")

    def check(self, steps: int, seconds: float, images: Images) -> Check:
        found = self._first.verdict(images)
        other = 0.5 * float(np.abs(self._second.shares(images) - self.shares).sum())
        return Check(
            steps=steps, seconds=seconds, tv=found.tv, other_tv=other, frechet=found.frechet, share=found.share
        )


def thin(whole: ImageSet, share: float) -> ImageSet:
    """A set with so many twos only, chosen by chance."""
    twos, rest = np.flatnonzero(whole.labels == CLASS), np.flatnonzero(whole.labels != CLASS)
    count = round(share / (1 - share) * len(rest))
    places = np.sort(np.concatenate([np.random.default_rng(0).choice(twos, count, replace=False), rest]))
    name = f"{whole.name}, {100 * share:g} % twos"
    return ImageSet(name=name, images=whole.images[places], labels=whole.labels[places], class_names=whole.class_names)


def configured(model: str, entry: str, course: Course, seed: int) -> RunConfig:
    """A recipe's configuration."""
    untilted = entry in (*AT_ONCE, "ramp")
    offset = 0.0 if untilted else course.target.offsets[CLASS]
    settings = [f"seed={seed}", f"perturbation.offsets.{CLASS}={offset}"]
    settings += [f"batch.planner={entry}"] if entry in PLANNERS else []
    settings += ["model.weights_fade=0.1"] if entry == "fade" else []
    settings += ["hold.on=true", "hold.every=500", "hold.samples=2000"] if entry == "hold" else []
    settings += ["batch.planner=stratified"] if entry == "told" else []
    settings += ["model.conditional=true"] if entry in ("condition", "told") else []
    return with_settings(config_or_preset(f"mnist-twos-30-{model}"), settings)


def ramped(course: Course, done: float) -> Perturbation:
    """ΔH times the s ≤ 1 at which ESS/n is 1 − done·(1 − that of the target)."""
    counts = course.data.counts

    def scaled(scale: float) -> Perturbation:
        return replace(course.target, offsets=tuple(scale * offset for offset in course.target.offsets))

    def efficiency(scale: float) -> float:
        weights = np.exp(scaled(scale).class_log_weights(counts))
        return float((counts @ weights) ** 2 / (counts @ weights**2) / counts.sum())

    floor = 1 - min(1.0, done) * (1 - efficiency(1.0))
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if efficiency(middle) >= floor else (low, middle)
    return scaled(1.0 if done >= 1 else low)


def run(model: str, entry: str, courses: Mapping[int, Course], seed: int, steps: int) -> dict[int, list[Check]]:
    """One recipe for tasks of one data set, each until it is there or the steps are over."""
    first = next(iter(courses.values()))
    trainer = Trainer(configured(model, entry, first, seed), first.data)
    between = _between(entry, trainer, first, steps)
    found: dict[int, list[Check]] = {task: [] for task in courses}
    spent, left = 0.0, list(courses)
    while trainer.step_count < steps and left:
        begun = time.process_time()
        for _ in range(CHECK):
            between(trainer)
            trainer.step()
        between(trainer)
        spent += time.process_time() - begun
        draw = _drawing(entry, trainer)
        for task in left:
            begun = time.process_time()
            images = draw(courses[task].target)
            drawing = time.process_time() - begun if entry in AT_ONCE else 0.0
            found[task].append(courses[task].check(trainer.step_count, spent + drawing, images))
            print(f"task {task}, {entry}, seed {seed}: {found[task][-1]}", flush=True)
        left = [task for task in left if not found[task][-1].there(MOST_FD)]
    return found


def _between(entry: str, trainer: Trainer, course: Course, steps: int) -> Callable[[Trainer], None]:
    """What a recipe does between steps."""
    if entry == "ramp":

        def ramp(trainer: Trainer) -> None:
            if trainer.step_count % 100 == 0:
                target = ramped(course, trainer.step_count / (steps / 2))
                trainer.retarget(replace(target, revision=trainer.perturbation.revision + 1))

        return ramp
    if entry == "hold":
        judge = judge_for(course.data, Progress())
        tasks = SideTasks(trainer, Evaluator(trainer, lambda: judge), lambda event: None)

        def hold(trainer: Trainer) -> None:
            tasks.look(0.0)
            while tasks.waited_for:
                tasks.advance()

        return hold
    return lambda trainer: None


def _drawing(entry: str, trainer: Trainer) -> Callable[[Perturbation], Images]:
    """Draws samples for a target: that of the trainer, or any at once."""
    if entry not in AT_ONCE:
        return lambda target: np.asarray(trainer.sample(SAMPLES, seed=1), np.uint8)
    data, judges = trainer.whole, Judges(trainer.whole, default_data_root())
    own = TrainedModel(
        model=trainer.shown(averaged=True).eval(),
        target=trainer.perturbation,
        applied=trainer.applied,
        examples=data,
        judges=judges,
        measured=measured_set(data, judges),
    )
    at_once = AtOnce(own, Progress(), seed=1)
    return lambda target: np.asarray(at_once.sample(target, SAMPLES).alike(np.random.default_rng(1)).values, np.uint8)


def together(entry: str, tasks: Sequence[int]) -> list[list[int]]:
    """Tasks of which one training answers all: those of one data set, where a target is asked for at once."""
    if entry not in AT_ONCE:
        return [[task] for task in tasks]
    return [
        [task for task in tasks if TASKS[task][0] == share] for share in dict.fromkeys(TASKS[each][0] for each in tasks)
    ]


def row(task: int, entry: str, runs: Sequence[Sequence[Check]]) -> str:
    """A line of the table: medians over seeds, with the least and the most."""

    def score(most_fd: float) -> str:
        first = [next((check for check in checks if check.there(most_fd)), None) for checks in runs]
        reached = [check for check in first if check is not None]
        if not reached:
            return "not reached"
        middle = sorted(reached, key=lambda check: check.seconds)[len(reached) // 2]
        spread = f"{min(each.seconds for each in reached):.0f}–{max(each.seconds for each in reached):.0f}"
        return f"{middle.steps:,} steps, {middle.seconds:.0f} s ({spread}; {len(reached)} of {len(runs)})"

    def middle(name: str) -> str:
        values = [getattr(checks[-1], name) for checks in runs]
        return f"{statistics.median(values):.3g}"

    best = [min(checks, key=lambda check: max(check.tv, check.other_tv)) for checks in runs]
    tvs = f"{statistics.median(each.tv for each in best):.3f}, {statistics.median(each.other_tv for each in best):.3f}"
    pace = statistics.median(1000 * checks[-1].seconds / checks[-1].steps for checks in runs)
    share = f"{100 * statistics.median(checks[-1].share for checks in runs):.1f} %"
    return (
        f"| {task} | {entry} | {score(MOST_FD)} | {score(LOOSE_FD)} | {tvs} | {middle('frechet')} | {share} "
        f"| {statistics.median(checks[-1].steps for checks in runs):,.0f} | {pace:.0f} ms |"
    )


HEADER = (
    f"| task | entry | TV ≤ {MOST_TV:g}, FD ≤ {MOST_FD:g} | FD ≤ {LOOSE_FD:g} | best TV, by both | last FD "
    "| last share | steps | a step |\n|---|---|---|---|---|---|---|---|---|"
)


def main() -> None:
    parser = parser_of(__doc__, data=True)
    parser.add_argument("--judge", type=Path, required=True)
    parser.add_argument("--results", type=Path, default=Path("speedrun"), help="folder of what was run before")
    parser.add_argument("--tasks", nargs="+", type=int, default=[2, 3, 4, 1, 5])
    parser.add_argument("--entries", nargs="+", default=list(ENTRIES[:-1]), choices=ENTRIES)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--minutes", type=float, default=360.0, help="after which nothing more is begun")
    parser.add_argument("--model", default="sn_gan")
    options = parser.parse_args()
    options.results.mkdir(parents=True, exist_ok=True)
    begun, left_out = time.monotonic(), []
    whole = load_dataset(config_or_preset("mnist-twos-30").dataset, options.data, Progress())
    assert isinstance(whole, ImageSet)
    courses: dict[int, Course] = {}

    def file_of(task: int, entry: str, seed: int) -> Path:
        return Path(options.results, f"{options.model}-{task}-{entry}-{seed}-{options.steps}.json")

    for seed, entry in product(options.seeds, options.entries):
        for group in together(entry, options.tasks):
            tasks = [task for task in group if not file_of(task, entry, seed).exists()]
            if tasks and time.monotonic() - begun > 60 * options.minutes:
                left_out += [f"{task} {entry} seed {seed}" for task in tasks]
            elif tasks:
                for task in tasks:
                    courses[task] = courses.get(task) or Course(task, whole, options.judge, options.results)
                found = run(options.model, entry, {task: courses[task] for task in tasks}, seed, options.steps)
                for task, checks in found.items():
                    file_of(task, entry, seed).write_text(json.dumps([asdict(check) for check in checks]))
    print(f"\n{options.model}, up to {options.steps:,} steps, {torch.get_num_threads()} thread(s)\n\n{HEADER}")
    for task, entry in product(sorted(options.tasks), options.entries):
        files = [file_of(task, entry, seed) for seed in options.seeds]
        runs = [[Check(**each) for each in json.loads(file.read_text())] for file in files if file.exists()]
        if runs:
            print(row(task, entry, runs))
    if left_out:
        print(f"\nLeft out: {', '.join(left_out)}.")


if __name__ == "__main__":
    main()

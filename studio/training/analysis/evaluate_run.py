"""Evaluating a run that lies on disk."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from studio.data.example_set import ExampleSet
from studio.data.image_set import ImageSet
from studio.errors import UserError
from studio.evaluation.evaluation import Evaluation, TiltedData
from studio.models.base import GenerativeModel
from studio.paths import default_data_root
from studio.perturb.arrays import Floats
from studio.progress import Progress
from studio.training.analysis.evaluator import EvaluationJob, judged_count
from studio.training.engine.memory import telling_of_shortage
from studio.training.examples.judges import Judges
from studio.training.examples.measured_set import measured_set, whole_log_weights
from studio.training.messages.events import Evaluated
from studio.training.storage.folder_lock import ensure_free
from studio.training.storage.metrics import append_metrics, newest_evaluations, newest_point
from studio.training.storage.run import Run, restore_model
from studio.training.storage.run_identity import RunIdentity

if TYPE_CHECKING:
    from studio.evaluation.judge import Judge

_JUDGE_PART = 0.5
_MANY = 10**6


def evaluate_run(
    run: Run,
    data: Callable[[Progress], ExampleSet],
    progress: Progress,
    *,
    count: int = 2000,
    seed: int | None = None,
    judge: str | None = None,
    judges: Judges | None = None,
    data_root: Path | None = None,
) -> Evaluated:
    """Compare what a run's averaged model generates with the target that the run ended with, at the step of the
    weights.

    In a run that diverged or was killed that is not its last one.

    Args:
        data: loads the run's data set.
        count: samples, at least 10; no more are judged than are independent of each other.
        seed: of their latents; others at each evaluation of a step if absent.
        judge: name of the judge, as `Judges` has it; the one of the run's configuration if absent.
        judges: of that data set, if there are some already.
        data_root: folder of downloaded data sets, for judges of other ones; the person's own if absent.

    Raises:
        UserError: the run or its data set cannot be read, or does not fit the other.
    """
    model = restore_model(run)
    count = judged_count(model, count)
    part = progress.part(0.0, _JUDGE_PART)
    images = images_of(run, data(part))
    judges = judges or Judges(images, data_root or default_data_root())
    measured = measured_set(images, judges)
    measured.prepare(run.config.perturbation.energy().names, part)
    log_weights = whole_log_weights(run.identity.perturbation(measured), measured)
    found = judges.judge(run.config.evaluation.judge if judge is None else judge, part)
    seed = _fresh_seed(run) if seed is None else seed
    evaluation = _work(model, found, log_weights, progress.part(_JUDGE_PART, 1.0), count, seed)
    return Evaluated(
        step=run.weights_step or 0, seconds=run.weights_seconds, revision=run.revision, evaluation=evaluation
    )


def keep_evaluation(run: Run, found: Evaluated) -> UserError | None:
    """Put an evaluation among a run's metrics, unless the run has gone back behind it; why they cannot be written, as
    where another process has the run.
    """
    if run.weights_step is not None:
        try:
            ensure_free(run.path)
            if max(newest_point(run.path)[0], RunIdentity.read(run.path).weights_step or 0) >= found.step:
                append_metrics(run.path, evaluations=[found])
        except UserError as error:
            return error
    return None


def _fresh_seed(run: Run) -> int:
    """Of samples that no evaluation of this step has seen that the run keeps: they would confirm themselves."""
    step, kept = run.weights_step or 0, 0
    with suppress(UserError):  # damaged metrics, which confirm nothing
        kept = sum(each.step == step for each in newest_evaluations(run.path, step, _MANY))
    return run.config.seed + kept


def _work(
    model: GenerativeModel, judge: Judge, log_weights: Floats, progress: Progress, count: int, seed: int
) -> Evaluation:
    rng = torch.Generator().manual_seed(seed)
    with telling_of_shortage("Evaluate fewer samples at once."):
        job = EvaluationJob(model, judge, lambda: TiltedData.of(judge, log_weights, count), count, rng)
        while job.next is not None:
            progress.report(job.next.name, job.next.fraction)
            job.advance()
    assert job.result is not None
    return job.result


def images_of(run: Run, images: ExampleSet) -> ImageSet:
    """The data set, if it is the one that the run was trained on and can be judged."""
    if not isinstance(images, ImageSet):
        raise UserError(
            "Only images can be judged",
            f"{images.name} has {images.noun}.",
            "The run's own metrics say how far points are from their target.",
        )
    run.identity.ensure_data(images)
    if images.class_names != run.class_names or images.image_shape != run.image_shape:
        raise UserError(
            "The data set is not the one that the run was trained on",
            f"{images.name} has {len(images.class_names)} classes and images of shape {images.image_shape}; "
            f"the run has {len(run.class_names)} and {run.image_shape}.",
            "The data set was changed after the run.",
        )
    return images

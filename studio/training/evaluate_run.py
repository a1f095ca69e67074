"""Evaluating a run that lies on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch

from studio.data.image_set import ImageSet
from studio.errors import UserError
from studio.evaluation.report import LEAST_SAMPLES, Evaluation
from studio.models.base import GenerativeModel
from studio.perturb.perturbation import Perturbation
from studio.progress import Progress
from studio.training.evaluator import EvaluationJob, target_of
from studio.training.memory import out_of_memory
from studio.training.restore import restore_model
from studio.training.store import SavedRun

if TYPE_CHECKING:
    from studio.evaluation.judge import Judge

__all__ = ["evaluate_run"]

_JUDGE_PART = 0.5


def evaluate_run(
    run: SavedRun,
    data: Callable[[Progress], ImageSet],
    progress: Progress,
    *,
    count: int = 2000,
    seed: int = 0,
    judge: Judge | None = None,
) -> Evaluation:
    """Compare what a run's averaged model generates with the target that the run ended with.

    Args:
        run: an opened run folder.
        data: loads the run's data set.
        progress: told how far it is; may cancel.
        count: samples, at least 10.
        seed: of their latents.
        judge: of that data set, if there is one already.

    Raises:
        UserError: the run or its data set cannot be read, or does not fit the other.
        Cancelled: the person cancelled.
    """
    if count < LEAST_SAMPLES:
        raise UserError("Too few samples to evaluate", f"{count} were asked for.", f"Use at least {LEAST_SAMPLES}.")
    model = restore_model(run)
    perturbation = _target(run)
    left = progress if judge is not None else progress.part(_JUDGE_PART, 1.0)
    if judge is None:
        from studio.evaluation.judge_store import judge_for

        part = progress.part(0.0, _JUDGE_PART)
        images = data(part)
        _check(run, images)
        judge = judge_for(images, part)
    return _work(model, judge, perturbation, left, count, seed)


def _work(
    model: GenerativeModel, judge: Judge, perturbation: Perturbation, progress: Progress, count: int, seed: int
) -> Evaluation:
    rng = torch.Generator().manual_seed(seed)
    try:
        job = EvaluationJob(model, judge, lambda: target_of(judge, perturbation, count), count, rng)
        while job.next is not None:
            progress.report(job.next.name, job.next.fraction)
            job.advance()
    except (MemoryError, RuntimeError) as found:
        error = out_of_memory(found, "Evaluate fewer samples at once.")
        if error is None:
            raise
        raise error from found
    assert job.result is not None
    return job.result


def _target(run: SavedRun) -> Perturbation:
    """The target that the run ended with; a run may have been retargeted on its way."""
    offsets = run.summary.get("offsets")
    if not isinstance(offsets, dict) or set(offsets) != set(run.class_names):
        raise _damaged(run)
    try:
        return Perturbation(offsets=tuple(float(offsets[name]) for name in run.class_names))
    except (TypeError, ValueError) as error:
        raise _damaged(run) from error


def _damaged(run: SavedRun) -> UserError:
    return UserError(
        "The run's summary cannot be read",
        f"{run.path / 'summary.json'} does not hold an offset for each class.",
        "It was changed after the run.",
    )


def _check(run: SavedRun, images: ImageSet) -> None:
    """Whether this is the data set that the run was trained on."""
    if images.class_names != run.class_names or images.image_shape != run.image_shape:
        raise UserError(
            "The data set is not the one that the run was trained on",
            f"{images.name} has {len(images.class_names)} classes and images of shape {images.image_shape}; "
            f"the run has {len(run.class_names)} and {run.image_shape}.",
            "The data set was changed after the run.",
        )

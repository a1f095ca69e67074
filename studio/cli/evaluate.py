"""Evaluating a run without a window, behind a progress bar."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from studio.cli.meter import progress_bar
from studio.errors import UserError
from studio.evaluation.arrival import KEPT, Sighting
from studio.evaluation.arrival_words import tilt_answer
from studio.evaluation.evaluation import Evaluation
from studio.evaluation.record import record, table
from studio.files import whole_file
from studio.records import json_text
from studio.training.config.run_config import target_record
from studio.training.messages.events import Evaluated
from studio.training.storage.metrics import RecordedEvaluation, newest_evaluations
from studio.training.storage.run import Run

if TYPE_CHECKING:
    from studio.training.analysis.asked_target import AskedTarget


def evaluate(
    run: Path,
    count: int,
    seed: int | None,
    out: Path | None,
    *,
    data_root: Path | None,
    judge: str | None = None,
    assignments: Sequence[str] = (),
    asked: AskedTarget | None = None,
    method: str = "auto",
) -> None:
    """Evaluate a run's averaged model, and print the table; also where the file can then not be written.

    Args:
        seed: of the latents; if absent, others than those of the evaluations that the run keeps of this step.
        out: a JSON file for every figure, written whole; none if absent.
        data_root: folder of downloaded data sets; where the run's were, or else the person's own, if absent.
        judge: name of the judge; the one of the run's configuration if absent.
        assignments: other places of its data, such as ``dataset.path=/new/place``.
        asked, method: another target, of which what this method gives at once is evaluated.

    Raises:
        UserError: the run or its data cannot be read, or the file not be written.
    """
    saved = Run.open(run).at(assignments)
    root = saved.identity.root(data_root)
    if asked is not None:
        _at_once(saved, asked, method, count, seed or 0, out, root, judge)
        return
    with progress_bar() as progress:
        from studio.training.analysis.evaluate_run import evaluate_run, keep_evaluation

        found = evaluate_run(
            saved,
            lambda part: saved.identity.load(root, part),
            progress,
            count=count,
            seed=seed,
            judge=judge,
            data_root=root,
        )
    lost = keep_evaluation(saved, found)
    print(table(found.evaluation))
    print(f"{run.resolve().name} at step {found.step:,}. {_answer(saved, found)}")
    if found.evaluation.shares.count < count:
        print(f"No more of the {count:,} samples asked for are independent of each other")
    if lost is not None:
        print(f"studio: The run does not keep this evaluation. {lost}", file=sys.stderr)
    about = saved.record() | {"run": str(run.resolve()), "revision": found.revision}
    _save(out, found.evaluation, **about)


def _answer(run: Run, found: Evaluated) -> str:
    """Whether the tilt has arrived, by this evaluation and those before it that the run keeps."""
    before: list[RecordedEvaluation] = []
    with suppress(UserError):  # damaged metrics, which are told of already
        before = newest_evaluations(run.path, found.step, KEPT)
    seen = [*((each.step, each.evaluation) for each in before), (found.step, found.evaluation)]
    names = found.evaluation.class_names
    tilt = run.identity.target.of_classes(names).resolve(names)
    return tilt_answer(names, [Sighting.of(step, each) for step, each in seen if each], tilt)


def _at_once(
    run: Run, asked: AskedTarget, method: str, count: int, seed: int, out: Path | None, root: Path, judge: str | None
) -> None:
    """Print the table of what the run's averaged model gives for another target at once, and save it."""
    from studio.sampling.choice import Method
    from studio.training.analysis.at_once import AtOnce
    from studio.training.analysis.trained_model import TrainedModel

    with progress_bar() as progress:
        trained = TrainedModel.of_run(run, lambda part: run.identity.load(root, part), progress, data_root=root)
        at_once, wanted = AtOnce(trained, progress, seed=seed), trained.asked(asked, progress)
        made = at_once.sample(wanted, count, progress, Method(method))
        by = run.config.evaluation.judge if judge is None else judge
        measured = at_once.measure(made, wanted, progress, by=by)
    print(table(measured.evaluation))
    print(f"{run.path.resolve().name} at step {run.weights_step or 0:,}, at once")
    agree = measured.agreement
    if not math.isnan(agree):
        print(f"The judge that weighed takes {100 * agree:.1f} % of these for the same class as those that measure.")
    print(made.told())
    target = target_record(wanted, run.class_names)
    about = run.record() | {"run": str(run.path.resolve()), "target": target, "at_once": made.record()}
    _save(out, measured.evaluation, **about, agreement=None if math.isnan(agree) else agree)


def _save(out: Path | None, evaluation: Evaluation, **about: object) -> None:
    """Write every figure as JSON, whole, behind what it is `about`, if it is asked for."""
    if out is not None:
        with whole_file(out) as file:
            file.write((json_text(about | record(evaluation), indent=2) + "\n").encode())

"""Evaluating a run without a window, behind a progress bar."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from studio.cli.meter import progress_bar
from studio.evaluation.tables import record, table
from studio.files import whole_file
from studio.json_text import json_text
from studio.training.storage.run import Run


def evaluate(
    run: Path,
    count: int,
    seed: int,
    out: Path | None,
    *,
    data_root: Path | None,
    judge: str | None = None,
    assignments: Sequence[str] = (),
) -> str:
    """Evaluate a run's averaged model, and return the table to print.

    Args:
        run: a run's folder.
        seed: of their latents.
        out: a JSON file for every figure, written whole; none if absent.
        data_root: folder of downloaded data sets; where the run's were, or else the person's own, if absent.
        judge: name of the judge; the one of the run's configuration if absent.
        assignments: other places of its data, such as ``dataset.path=/new/place``.

    Raises:
        UserError: the run or its data cannot be read, or the file not be written.
    """
    saved = Run.open(run).at(assignments)
    root = saved.identity.root(data_root)
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
    keep_evaluation(saved, found)
    if out is not None:
        with whole_file(out) as file:
            about = {"run": str(run.resolve()), "step": found.step, "revision": found.revision}
            file.write((json_text(about | record(found.evaluation), indent=2) + "\n").encode())
    lines = [table(found.evaluation), f"{run.resolve().name} at step {found.step:,}"]
    if found.evaluation.shares.count < count:
        lines.append(f"No more of the {count:,} samples asked for are independent of each other")
    return "\n".join(lines)

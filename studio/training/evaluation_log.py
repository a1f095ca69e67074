"""The evaluations of a run, kept in its folder: evaluations.jsonl, a line of JSON for each.

A line has ``step``, ``seconds`` and ``revision``, and what `studio evaluate --json` writes.
"""

from __future__ import annotations

import json
from pathlib import Path

from studio.errors import UserError
from studio.evaluation.tables import record
from studio.files import append_whole
from studio.training.events import Evaluated

FILE_NAME = "evaluations.jsonl"


class EvaluationLog:
    """Adds to one run's file.

    Args:
        folder: of the run.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self._waiting: list[Evaluated] = []

    def add(self, done: Evaluated) -> None:
        """Keep an evaluation for the next `write`."""
        self._waiting.append(done)

    def write(self) -> None:
        """Write what is waiting; it goes on waiting if that fails.

        Raises:
            UserError: the file cannot be written.
        """
        lines = "".join(json.dumps(_line(done), ensure_ascii=False) + "\n" for done in self._waiting)
        try:
            append_whole(self._path, lines.encode())
        except OSError as error:
            raise UserError(
                "The evaluations cannot be written",
                f"{self._path}: {error.strerror or error}.",
                "Make room there, and see that you may write there.",
            ) from error
        self._waiting.clear()


def _line(done: Evaluated) -> dict[str, object]:
    return {
        "step": done.step,
        "seconds": round(done.seconds, 3),
        "revision": done.revision,
        **record(done.evaluation),
    }

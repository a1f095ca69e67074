"""Evaluations in a run's folder, on a disk that is full for a while."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from studio.errors import UserError
from studio.evaluation.neighbours import Likeness
from studio.evaluation.report import Evaluation, Specimens
from studio.evaluation.shares import estimate
from studio.files import append_whole
from studio.training.evaluation_log import EvaluationLog
from studio.training.events import Evaluated


def evaluated(step: int) -> Evaluated:
    nothing = np.zeros((0, 4, 4, 1), np.uint8)
    found = Evaluation(
        class_names=("a", "b"),
        data=np.array([0.5, 0.5]),
        target=np.array([0.3, 0.7]),
        shares=estimate(np.array([30, 60, 10]), np.array([[10, 0], [0, 10], [0, 0]])),
        tv=0.1,
        kl=0.2,
        raw_tv=0.1,
        raw_kl=0.2,
        tv_floor=0.01,
        frechet=2.0,
        frechet_floor=0.5,
        mmd=0.3,
        mmd_floor=0.01,
        likeness=Likeness(precision=0.9, recall=0.1, density=float("nan"), coverage=0.2),
        nearness=0.8,
        features={},
        specimens=Specimens(labels=np.zeros(0, np.int64), images=nothing, neighbours=nothing, distances=np.zeros(0)),
    )
    return Evaluated(step=step, seconds=1.23456, revision=2, evaluation=found)


def test_that_each_evaluation_is_a_line_of_json(tmp_path: Path) -> None:
    log = EvaluationLog(tmp_path)
    for step in (10, 20):
        log.add(evaluated(step))
        log.write()
    lines = [json.loads(line) for line in (tmp_path / "evaluations.jsonl").read_text().splitlines()]
    assert [(line["step"], line["seconds"], line["revision"]) for line in lines] == [(10, 1.235, 2), (20, 1.235, 2)]
    assert lines[0]["classes"]["b"]["target"] == 0.7
    assert lines[0]["density"] is None


def test_that_what_cannot_be_written_waits_for_the_next_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = EvaluationLog(tmp_path)

    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("studio.training.evaluation_log.append_whole", full)
    log.add(evaluated(10))
    with pytest.raises(UserError, match="No space left"):
        log.write()
    monkeypatch.setattr("studio.training.evaluation_log.append_whole", append_whole)
    log.add(evaluated(20))
    log.write()
    assert len((tmp_path / "evaluations.jsonl").read_text().splitlines()) == 2

"""Runs of a sweep as it would leave them, made without training."""

import itertools
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np

from studio.training.config.assignments import with_settings
from studio.training.config.sweep_mark import SweepMark, write_mark
from tests.library.made_runs import CLASSES, make_config, make_run

SETTINGS = ("perturbation.offsets.2", "batch.planner", "seed")
OFFSETS, PLANNERS, SEEDS = (-2.0, -1.0, 0.0), ("error_carry", "stratified"), (0, 1)
NAME = "tilts_2026-01-02"


def make_sweep(root: Path) -> list[Path]:
    """Twelve runs, all but the last of which were evaluated: the stronger the tilt, the further from its target."""
    cases = list(itertools.product(OFFSETS, PLANNERS, SEEDS))
    return [_make_run(root, number, len(cases), case) for number, case in enumerate(cases, 1)]


def _make_run(root: Path, number: int, count: int, case: tuple[float, str, int]) -> Path:
    offset = case[0]
    values = dict(zip(SETTINGS, case, strict=True))
    config = with_settings(make_config(f"run {number}"), [f"{path}={value}" for path, value in values.items()])
    path = make_run(root, f"tilts_{number:03d}", config, frames=0)
    write_mark(path, SweepMark(sweep=NAME, title="Tilts", number=number, count=count, settings=SETTINGS, values=values))
    if number < count:
        _evaluate(path, offset, number)
    return path


def _evaluate(path: Path, offset: float, seed: int) -> None:
    even = np.full(len(CLASSES), 1 / len(CLASSES))
    target = even * np.where(np.array(CLASSES) == "2", np.exp(-offset), 1.0)
    target /= target.sum()
    found = 0.8 * target + 0.2 * even
    noisy = np.abs(found + np.random.default_rng(seed).normal(0, 0.004, len(found)))
    noisy /= noisy.sum()
    deviation = np.sqrt(noisy * (1 - noisy) / 1000)
    rows = {
        name: {
            **dict.fromkeys(("data", "raw_low", "low"), 0.0),
            **dict.fromkeys(("raw_high", "high"), 1.0),
            "target": float(target[place]),
            "raw": float(noisy[place]),
            "corrected": float(noisy[place]),
            "deviation": float(deviation[place]),
        }
        for place, name in enumerate(CLASSES)
    }
    unsure = dict.fromkeys(("data", "target", "raw", "raw_low", "raw_high", "corrected", "low", "high"), 0.0)
    record = {
        "count": 1000,
        "tv": float(np.abs(noisy - target).sum() / 2),
        "frechet": 20.0 - offset,
        "classes": rows,
        "unsure": unsure | {"deviation": 0.001},
    }
    with closing(sqlite3.connect(path / "metrics.sqlite", isolation_level=None)) as connection:
        connection.execute(
            "INSERT INTO evaluation (step, seconds, revision, record) VALUES (100, 2, 0, ?)", (json.dumps(record),)
        )

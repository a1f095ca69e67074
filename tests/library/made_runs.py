"""Run folders as a run would leave them, made without training."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from studio.data.scale import PIXELS
from studio.training.config.file import parse_config
from studio.training.config.run_config import RunConfig
from studio.training.messages.events import Logged
from studio.training.messages.marks import Mark, MarkKind
from studio.training.messages.snapshot import SampleGrid
from studio.training.storage.frames import Frame, append_frames
from studio.training.storage.metrics import append_metrics
from studio.training.storage.run_folder import RunFolder

CLASSES = tuple("0123456789")


def make_config(
    name: str = "", model: str = "vae", offsets: dict[str, float] | None = None, **settings: Any
) -> RunConfig:
    """With `settings` of the model."""
    given = {"name": name, "model": {"kind": model, **settings}, "perturbation": {"offsets": offsets or {}}}
    return parse_config(given, "test")


def make_grid(step: int, count: int = 9, side: int = 8) -> SampleGrid:
    """Noise that gets brighter with the step."""
    rng = np.random.default_rng(step)
    pixels = rng.integers(0, min(255, 20 + step), (2, count, side, side, 1), dtype=np.uint8)
    return SampleGrid(step=step, raw=pixels[0], averaged=pixels[1])


def make_run(
    root: Path,
    folder: str,
    config: RunConfig | None = None,
    *,
    steps: int = 100,
    every: int = 10,
    frames: int = 4,
    summary: dict[str, Any] | None = None,
) -> Path:
    """A run of so many steps, with a point each `every` steps, some frames and one edit half-way."""
    config = config or make_config()
    path = root / folder
    run = RunFolder.at(path, config)
    points = [
        Logged(step=step, seconds=step / 50, values={"loss_autoencoder": 100 / step, "epoch": step / 28})
        for step in range(every, steps + 1, every)
    ]
    edit = Mark(step=steps // 2, kind=MarkKind.EDIT, text=f"ΔH edited at step {steps // 2} (edit 1)")
    append_metrics(path, points, [edit])
    offsets = {name: config.perturbation.offsets.get(name, 0.0) for name in CLASSES}
    grids = [make_grid(round(step)) for step in np.linspace(0, steps, frames)] if frames else []
    append_frames(path, [Frame(grid=grid, seconds=grid.step / 50, offsets=offsets) for grid in grids], 10**9)
    run.write_summary(
        {
            "schema_version": 1,
            "status": "completed",
            "started": "2026-01-02T03:04:05+00:00",
            "steps": steps,
            "seconds": steps / 50,
            "epochs": steps / 28,
            "examples": 64 * steps,
            "dataset": "Digits",
            "image_shape": [1, 8, 8],
            "scale": asdict(PIXELS),
            "class_names": list(CLASSES),
            "offsets": offsets,
            "weights_step": steps,
            "weights_seconds": steps / 50,
            "revision": 1,
            "config": config.model_dump(mode="json"),
            "data": {"data": "", "classes": dict.fromkeys(CLASSES, 0)},
            **(summary or {}),
        }
    )
    return path


def add_weights(path: Path) -> Path:
    """Untrained weights for a made run, the averaged ones half as large as the raw ones."""
    import torch

    from studio.models.catalog import model_spec
    from studio.training.storage.run import Run

    run = Run.open(path)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        build = model_spec(run.config.model.kind).build
        state = build(run.config.model, run.image_shape, len(run.class_names)).state_dict()
    raw = {f"model.{name}": tensor.clone() for name, tensor in state.items()}
    averaged = {
        f"average.{name}": tensor / 2 if tensor.is_floating_point() else tensor.clone()
        for name, tensor in state.items()
    }
    RunFolder(path).save_weights(raw | averaged)
    return path


def record_evaluation(path: Path, step: int, tv: float, frechet: float, high: float = 0.12) -> None:
    """Put an evaluation with these figures among a run's metrics."""
    import sqlite3
    from contextlib import closing

    classes = {
        name: {"data": 0.1, "target": 0.1, "raw": 0.1, "corrected": 0.1, "low": 0.08, "high": high} for name in CLASSES
    }
    found = {"count": 1000, "tv": tv, "kl": 2 * tv, "frechet": frechet, "classes": classes, "unsure": classes["0"]}
    with closing(sqlite3.connect(path / "metrics.sqlite", isolation_level=None)) as connection:
        connection.execute(
            "INSERT INTO evaluation (step, seconds, revision, record) VALUES (?, ?, 0, ?)",
            (step, step / 50, json.dumps(found)),
        )

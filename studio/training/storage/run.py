"""A run as it lies on disk: its configuration, its summary and its weights."""

from __future__ import annotations

import errno
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.data.scale import PIXELS, Scale
from studio.errors import UserError
from studio.names import composed
from studio.training.config.file import read_config
from studio.training.config.run_config import RunConfig, target_record
from studio.training.storage.checkpoint import read_record
from studio.training.storage.checkpoint_store import CheckpointStore
from studio.training.storage.metrics import newest_point
from studio.training.storage.run_identity import RunIdentity, learned_target, nearest_kept, no_summary, read_summary

if TYPE_CHECKING:
    from torch import Tensor

    from studio.models.base import GenerativeModel

_LARGEST_SIDE = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run folder as it lies on disk.

    Attributes:
        image_shape: (C, H, W).
        scale: from what the model makes to what its data set stores.
        class_names: in label order.
        checkpoint: that holds its weights; None where they are those that were saved last.
    """

    path: Path
    identity: RunIdentity
    image_shape: tuple[int, int, int]
    scale: Scale
    class_names: tuple[str, ...]
    summary: Mapping[str, Any]
    checkpoint: Path | None = None

    @classmethod
    def open(cls, path: Path) -> Run:
        """Read a run folder's configuration and summary; raises UserError if it is none, or damaged."""
        if not os.path.isfile(path / "config.json"):
            raise UserError("This is not a run folder", f"{path} holds no config.json.", "Choose the folder of a run.")
        config = read_config(path / "config.json")
        summary = read_summary(path)
        identity = RunIdentity.of(path, config, summary)
        try:
            shape = _image_shape(summary["image_shape"])
            scale = _scale(summary["scale"])
            names = tuple(composed(str(name)) for name in summary["class_names"])
        except (ValueError, KeyError, TypeError) as error:
            raise no_summary(path, error) from error
        return cls(path=path, identity=identity, image_shape=shape, scale=scale, class_names=names, summary=summary)

    @property
    def config(self) -> RunConfig:
        """In force when the weights were saved."""
        return self.identity.config

    @property
    def weights_step(self) -> int | None:
        """Step that the weights are of; None where the summary does not say."""
        return self.identity.weights_step

    def back_at(self, step: int) -> Run:
        """The run after one of `RunIdentity.kept_steps`; UserError if there is no such checkpoint, or it is damaged."""
        if step == self.weights_step:
            return self
        checkpoint = CheckpointStore(self.path).find(step)
        record = read_record(checkpoint)
        config = self.config.model_copy(update={"perturbation": record.target(self.config.perturbation)})
        try:
            learned = learned_target(record.notes.began, record.notes.edits, step)
        except (KeyError, TypeError, ValueError) as error:
            raise no_summary(checkpoint, error) from error
        identity = replace(self.identity, config=config, corrected=record.corrected, learned=learned, data=record.data)
        return replace(
            self,
            checkpoint=checkpoint,
            identity=replace(identity, weights_step=step),
            summary={**self.summary, "weights_seconds": record.notes.seconds, "revision": record.revision},
        )

    def near(self, step: int) -> Run:
        """The run by the weights that are kept nearest to a step; errors as of `back_at`."""
        kept = self.identity.kept_steps
        return self.back_at(nearest_kept(kept, step)) if kept else self

    def at(self, assignments: Sequence[str]) -> Run:
        """The same run with its data in other places, as `RunIdentity.at`."""
        return replace(self, identity=self.identity.at(assignments)) if assignments else self

    @property
    def weights_seconds(self) -> float:
        """Time spent training by then, as far as the summary says."""
        seconds = self.summary.get("weights_seconds")
        return float(seconds) if isinstance(seconds, int | float) else 0.0

    @property
    def revision(self) -> int:
        """Of the target that the run ended with."""
        revision = self.summary.get("revision")
        return revision if isinstance(revision, int) and 0 <= revision < 2**53 else 0

    @property
    def cut_short(self) -> str:
        """What to know of weights from before training, or from before the end of a run that was killed; else empty."""
        kept, last = self.weights_step, newest_point(self.path)[0]
        if kept == 0:
            return "The run has only the weights of step 0, from before training. `studio resume` goes on from there."
        if kept is None or last <= kept:
            return ""
        return (
            f"The run was cut short at step {last:,}; the weights are those that were saved last, of step {kept:,}. "
            "`studio resume` goes on from there."
        )

    def record(self) -> dict[str, Any]:
        """Whose weights, samples or shares a file holds, in JSON: run, step, target in force, data; and what the
        weights learned, where the target was edited after their last step.
        """
        identity, names = self.identity, self.class_names
        targets = {"target": identity.target} | ({"learned": identity.learned} if identity.learned else {})
        return {
            "run": self.path.resolve().name,
            "step": self.weights_step,
            **{name: target_record(target.resolve(names), names) for name, target in targets.items()},
            "data": identity.data.data if identity.data is not None else None,
        }

    def weights(self, part: str) -> dict[str, Tensor]:
        """One part, "model" or "average", of weights.safetensors or the checkpoint; raises UserError if damaged.

        A run that is being saved, or was cut off then, has newer weights than its summary is about: those of the
        summary's step are in the checkpoint.
        """
        if self.checkpoint is not None:
            return _tensors(self.checkpoint, f"{part}/")[0]
        found, step = _tensors(self.path / "weights.safetensors", f"{part}.")
        if step in ("", str(self.weights_step)):
            return found
        store = CheckpointStore(self.path)
        if self.weights_step not in store.steps:
            raise UserError(
                "The run's weights are not those that its summary is about",
                f"{self.path}: weights.safetensors is of step {step}, summary.json of {self.weights_step}.",
                "Try again if the run is being saved; if it was cut off, `studio resume` goes on with it.",
            )
        return _tensors(store.find(self.weights_step), f"{part}/")[0]


def _tensors(path: Path, start: str) -> tuple[dict[str, Tensor], str]:
    """Those of a file whose names have this start, without it, and the step that it says, if any; raises UserError."""
    from safetensors import SafetensorError, safe_open

    try:
        if not path.is_file():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        with safe_open(path, framework="pt") as file:
            names = [name for name in file.keys() if name.startswith(start)]  # noqa: SIM118 - no dict
            step = (file.metadata() or {}).get("step", "")
            return {name.removeprefix(start): file.get_tensor(name) for name in names}, step
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, RuntimeError, AttributeError) as error:
        raise UserError(
            "The run's weights cannot be read", f"{path}: {error}.", "Weights are saved when a run stops."
        ) from error


def restore_model(run: Run, *, averaged: bool = True) -> GenerativeModel:
    """The trained model, averaged or as it was, on the CPU in eval mode; raises UserError if the weights do not fit."""
    from studio.training.engine.learner import build_model

    weights = run.weights("average" if averaged else "model")
    try:
        model = build_model(run.config.model, run.image_shape, 0, len(run.class_names))
        model.load_state_dict(weights)
    except (RuntimeError, MemoryError) as error:
        raise UserError(
            "The run's weights do not fit its configuration",
            f"{run.path}: {(str(error).splitlines() or ['out of memory'])[-1].strip()[:200]}",
            "config.json, summary.json or weights.safetensors was changed after the run.",
        ) from error
    return model.eval().requires_grad_(False)


def _image_shape(sizes: Any) -> tuple[int, int, int]:
    """(C, H, W) as a summary holds it; raises TypeError or ValueError if it is no shape of images."""
    channels, height, width = sizes
    largest = (3, _LARGEST_SIDE, _LARGEST_SIDE)
    for size, most in zip(sizes, largest, strict=True):
        if type(size) is not int or not 1 <= size <= most:
            raise ValueError(f"{sizes!r:.60} is no shape of images")
    return channels, height, width


def _scale(given: Any) -> Scale:
    """A scale as a summary holds it; raises TypeError or ValueError if it is none."""
    scale = Scale(centre=float(given["centre"]), half=float(given["half"]), whole=given["whole"] is True)
    if (scale.whole and scale != PIXELS) or not (abs(scale.centre) < math.inf and 0 < scale.half < math.inf):
        raise ValueError(f"{given!r:.80} is no scale")
    return scale

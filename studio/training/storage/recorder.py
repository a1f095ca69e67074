"""Keeps a run on disk while it trains: what to write, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from studio.errors import UserError
from studio.training.config.run_config import StopCondition, offsets_by_name, target_record
from studio.training.engine.trainer import Trainer
from studio.training.engine.trainer_state import TrainerState, all_finite
from studio.training.messages.events import (
    BatchSizeApplied,
    Evaluated,
    Event,
    HoldApplied,
    LatentsApplied,
    LearningRateApplied,
    Logged,
    Outcome,
    PerturbationApplied,
    Restored,
)
from studio.training.messages.latents import read_latents, write_latents
from studio.training.messages.marks import Mark, mark_of
from studio.training.storage.checkpoint import Checkpoint, Notes, packed
from studio.training.storage.checkpoint_store import CheckpointStore
from studio.training.storage.fingerprints import Fingerprints
from studio.training.storage.frames import Frame, append_frames
from studio.training.storage.health import nothing_to_keep
from studio.training.storage.metrics import append_metrics
from studio.training.storage.run_folder import RunFolder
from studio.training.storage.run_identity import noted_of_step


class Recorder:
    """Writes a trainer's run into its folder, after what `notes` told of it before, if it goes on from a checkpoint.

    What could not be written is kept and tried again at the next call: a disk that is full for a while loses nothing.
    `latents` are those that its grids show; None where they are those that a run begins with. Raises UserError if what
    its folder says of them is damaged.
    """

    def __init__(
        self,
        folder: RunFolder,
        trainer: Trainer,
        notes: Notes | None = None,
        data_root: Path | None = None,
        limit: StopCondition | None = None,
    ) -> None:
        self.folder = folder
        self._trainer = trainer
        self._data_root = data_root
        self._limit = limit.steps if limit is not None else None
        self._notes = notes or Notes()
        self._config_kept = not self._notes.started  # else it may go on with other settings
        if not self._notes.started:
            started = datetime.now().astimezone().isoformat(timespec="seconds")
            target = {"revision": trainer.perturbation.revision} | self._target()
            began = self._notes.began or target
            self._notes = self._notes.model_copy(update={"started": started, "began": began})
            if target != {name: value for name, value in [began, *self._notes.edits][-1].items() if name != "step"}:
                self._note(edits={"step": trainer.step_count} | target)  # a fork's, whose weights learned another
        self._summary: dict[str, Any] = {}  # as it was written last
        self._data = Fingerprints.of(trainer.whole)
        self._points: list[Logged] = []
        self._marks: list[Mark] = []
        self._evaluations: list[Evaluated] = []
        self._frames: list[Frame] = []
        self._kept: int | None = None
        self._kept_seconds: float | None = None
        self._metrics_back_to: int | None = None
        self._frames_back_to: int | None = None
        self.latents = read_latents(folder.path)
        self._latents_kept = True

    def release(self) -> None:
        self.folder.release()

    def hear(self, event: Event) -> None:
        """Keep for the next `flush` what an event says of the run."""
        match event:
            case Logged():
                self._points.append(event)
            case Evaluated():
                self._evaluations.append(event)
            case PerturbationApplied(step=step, revision=revision):
                self._note(edits={"step": step, "revision": revision} | self._target())
                self._config_kept = False
            case LearningRateApplied(step=step, network=network, rate=rate):
                self._note(learning_rates={"step": step, "network": network, "learning_rate": rate})
                self._config_kept = False
            case BatchSizeApplied() | HoldApplied():
                self._config_kept = False
            case LatentsApplied(latents=latents):
                self.latents, self._latents_kept = latents, False
            case Restored(step=step, left=left):
                self._go_back(left, step)
        mark = mark_of(event)
        if mark is not None:
            self._marks.append(mark)

    def _note(self, **change: dict[str, Any]) -> None:
        """Add to what is told of the run, by the name of one of its lists."""
        self._notes = self._notes.model_copy(
            update={name: (*getattr(self._notes, name), each) for name, each in change.items()}
        )

    def _target(self) -> dict[str, Any]:
        return target_record(self._trainer.perturbation, self._trainer.data.class_names)

    def _held(self) -> dict[str, object]:
        """What holding made of the target for the weights of this step, by class name, and what it looked by."""
        names, held = self._trainer.data.class_names, self._trainer.held
        hold = held.learned(self._trainer.step_count)
        correction = dict(zip(names, hold.correction, strict=True))
        applied = offsets_by_name(hold.applied(self._trainer.perturbation).offsets, names)
        return {"correction": correction, "applied": applied, "step": held.step, "judge": held.judge}

    def _go_back(self, left: int, step: int) -> None:
        """The run went back from one step to an earlier one; what was kept of the steps in between goes.

        Target and learning rates stay as they are: from the earlier step on they are in force.
        """
        edits, rates = _in_force(self._notes.edits, step), _in_force(self._notes.learning_rates, step)
        self._notes = self._notes.model_copy(update={"edits": edits, "learning_rates": rates})
        self._note(returns={"step": left, "back_to": step})
        self._points = [point for point in self._points if point.step <= step]
        self._marks = [mark for mark in self._marks if mark.step <= step]
        self._evaluations = [found for found in self._evaluations if found.step <= step]
        self._frames = [frame for frame in self._frames if frame.step <= step]
        # The two files are written one after the other, and either may have to wait for room.
        self._metrics_back_to = min(step, self._metrics_back_to if self._metrics_back_to is not None else step)
        self._frames_back_to = min(step, self._frames_back_to if self._frames_back_to is not None else step)

    def flush(self) -> None:
        """Write what is waiting; raises UserError if the folder cannot be written."""
        self._tell_changes()
        append_metrics(self.folder.path, self._points, self._marks, self._evaluations, back_to=self._metrics_back_to)
        self._metrics_back_to = None
        for written in (self._points, self._marks, self._evaluations):
            written.clear()
        room = self._trainer.config.cadence.sample_room * 10**6
        append_frames(self.folder.path, self._frames, room, back_to=self._frames_back_to)
        self._frames_back_to = None
        self._frames.clear()
        if not self._config_kept:
            self.folder.write_text("config.json", self._trainer.config.to_json())
            self._config_kept = True
        if self.latents is not None and not self._latents_kept:
            write_latents(self.folder.path, self.latents)
            self._latents_kept = True

    def _tell_changes(self) -> None:
        """Have the summary say what was changed since it was written: all else of it is of the last save, but numbers
        and samples of later steps are on disk, too.
        """
        notes = self._notes
        told = {"edits": notes.edits, "learning_rates": notes.learning_rates, "returns": notes.returns}
        if self._summary and told != {name: self._summary[name] for name in told}:
            self._write_summary({**self._summary, **told})

    def _write_summary(self, summary: dict[str, Any]) -> None:
        self.folder.write_summary(summary)
        self._summary = summary

    def save_frame(self, frame: Frame) -> None:
        """Keep a sample grid under the target of its step; write what waits. Raises UserError if it cannot be
        written.
        """
        revision, offsets = self.target_of(frame.step)
        self._frames.append(replace(frame, revision=revision, offsets=offsets))
        self.flush()

    def target_of(self, step: int) -> tuple[int, dict[str, float]]:
        """Revision of the target of a step, as `noted_of_step`, and its ΔH by class name."""
        noted = noted_of_step(self._notes.began, self._notes.edits, step)
        found = noted or {"revision": self._trainer.perturbation.revision} | self._target()
        return found["revision"], found["offsets"]

    def move(self, root: Path, seconds: float) -> None:
        """Go on in a new folder under `root`, with what can be read of the old; raises UserError, staying, if not."""
        before, self.folder = self.folder, self.folder.copied_under(root, self._trainer.config)
        try:
            self.save(None, seconds)
        except UserError:
            self.folder.release()
            self.folder = before
            raise
        before.release()

    def save(self, outcome: Outcome | None, seconds: float) -> UserError | None:
        """Write metrics, a checkpoint, weights and summary; no checkpoint of a run that failed, perhaps amid a step.

        Of a run that has diverged the checkpoint and the weights from before stay, for nothing could go on from its
        own; what to tell of it is returned. Raises UserError if the folder cannot be written.
        """
        self.flush()
        finite, trainer, notes = self._save_weights(outcome, seconds), self._trainer, self._notes
        self._write_summary(
            {
                "schema_version": 1,
                "status": str(outcome) if outcome else "running",
                "started": notes.started,
                "steps": trainer.step_count,
                **({"step_limit": self._limit} if self._limit else {}),
                "seconds": round(seconds, 3),
                "epochs": round(trainer.epoch, 4),
                "examples": trainer.examples,
                "weights_step": self._kept,
                "weights_seconds": self._kept_seconds,
                "skipped_steps": trainer.skipped,
                "device": str(trainer.device),
                "parameters": trainer.parameter_count,
                "dataset": trainer.data.name,
                "image_shape": list(trainer.data.image_shape),
                "scale": asdict(trainer.data.scale),
                "class_names": list(trainer.data.class_names),
                "revision": trainer.perturbation.revision,
                **self._target(),
                "remarks": list(trainer.remarks),
                "config": trainer.config.model_dump(mode="json"),
                "data": self._fingerprints().model_dump(),
                "data_root": str(self._data_root.absolute()) if self._data_root else None,
                "began_with": notes.began,
                "edits": notes.edits,
                "learning_rates": notes.learning_rates,
                "returns": notes.returns,
                **({"forked_from": notes.forked_from} if notes.forked_from else {}),
                **({"held": self._held()} if trainer.held.step else {}),
            }
        )
        return None if finite else nothing_to_keep(trainer.step_count, self._kept)

    def _save_weights(self, outcome: Outcome | None, seconds: float) -> bool:
        """A checkpoint and the weights, if finite; whether they are. Raises UserError if they cannot be written."""
        trainer = self._trainer
        parts = {"model": trainer.model, "average": trainer.average.model}
        weights = {f"{part}.{name}": each for part, model in parts.items() for name, each in model.state_dict().items()}
        finite = all_finite(weights.values())
        if outcome is not Outcome.FAILED:  # which may be for want of memory, so that nothing is copied then
            state = trainer.state()
            finite = state.finite
            if finite:
                CheckpointStore(self.folder.path).put(trainer.step_count, packed(self._checkpoint(state, seconds)))
        if finite:
            self.folder.save_weights(weights, trainer.step_count)
            self._kept, self._kept_seconds = trainer.step_count, round(seconds, 3)
        return finite

    def _fingerprints(self) -> Fingerprints:
        """Of the data, and of the columns that the target in force asks, as they were loaded."""
        return self._data.with_columns(self._trainer.measured, self._trainer.perturbation.energy)

    def _checkpoint(self, state: TrainerState, seconds: float) -> Checkpoint:
        trainer = self._trainer
        return Checkpoint(
            state=state,
            resume_state=trainer.resume_state(),
            config=trainer.config,
            data=self._fingerprints(),
            class_names=trainer.data.class_names,
            notes=self._notes.model_copy(update={"seconds": seconds}),
        )


def _in_force(changes: Sequence[dict[str, Any]], step: int) -> tuple[dict[str, Any], ...]:
    """Changes up to a step; of those after it the last one of each network, or of the target, as if made there."""
    later = {change.get("network"): change | {"step": step} for change in changes if change["step"] > step}
    return (*(change for change in changes if change["step"] <= step), *later.values())

"""Keeps a run on disk while it trains: what to write, and when."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from studio.errors import UserError
from studio.perturb.energy import Energy
from studio.training.checkpoint import Checkpoint, Notes, fingerprint, packed
from studio.training.energy_config import energy_record
from studio.training.events import Logged, Outcome
from studio.training.shelf import Shelf
from studio.training.snapshot import SampleGrid
from studio.training.store import RunFolder
from studio.training.trainer import Trainer


class Recorder:
    """Writes a trainer's run into its folder.

    What could not be written is kept and tried again at the next call: a disk that is full for a while loses nothing.

    Args:
        folder: the run's own.
        trainer: what is recorded.
        notes: what was told of the run before, if it goes on from a checkpoint.
    """

    def __init__(self, folder: RunFolder, trainer: Trainer, notes: Notes | None = None) -> None:
        self.folder = folder
        self._trainer = trainer
        notes = notes or Notes()
        self._started = notes.started or datetime.now().astimezone().isoformat(timespec="seconds")
        self._origin = notes.forked_from
        self._data = fingerprint(trainer.data)
        self._unwritten: list[Logged] = []
        self._edits = list(notes.edits)
        self._rates = list(notes.learning_rates)
        self._returns = list(notes.returns)

    def log(self, point: Logged) -> None:
        """Keep a point for the next `flush`."""
        self._unwritten.append(point)

    def note_edit(self, step: int) -> None:
        """Keep that the target was changed before this step."""
        perturbation = self._trainer.perturbation
        self._edits.append({"step": step, "revision": perturbation.revision} | self._target())

    def _target(self) -> dict[str, object]:
        """The offsets by class name; and what is added to them, if anything is."""
        perturbation = self._trainer.perturbation
        offsets = dict(zip(self._trainer.data.class_names, perturbation.offsets, strict=True))
        further = {} if perturbation.energy == Energy() else {"energy": energy_record(perturbation.energy)}
        return {"offsets": offsets, **further}

    def note_learning_rate(self, step: int, network: str, rate: float) -> None:
        """Keep that a network's learning rate was changed before this step."""
        self._rates.append({"step": step, "network": network, "learning_rate": rate})

    def note_return(self, left: int, step: int) -> None:
        """Keep that the run went back from one step to an earlier one; the rows in between stay in metrics.csv."""
        self._returns.append({"step": left, "back_to": step})

    def flush(self) -> None:
        """Write the points that are waiting.

        Raises:
            UserError: the folder cannot be written.
        """
        self.folder.append_metrics(self._unwritten)
        self._unwritten.clear()

    def save_grid(self, grid: SampleGrid) -> None:
        """Write a sample grid by the averaged weights, and the points that are waiting.

        Raises:
            UserError: the folder cannot be written.
        """
        self.flush()
        self.folder.save_grid(grid.step, grid.averaged)

    def move(self, root: Path, seconds: float) -> None:
        """Go on in a new folder under `root`, with what can be read of the old one.

        Args:
            root: where the new folder is made.
            seconds: time spent training.

        Raises:
            UserError: nothing can be written there; the run stays in its old folder.
        """
        before, self.folder = self.folder, self.folder.copied_under(root, self._trainer.config)
        try:
            self.save(None, seconds)
        except UserError:
            self.folder = before
            raise

    def save(self, outcome: Outcome | None, seconds: float) -> None:
        """Write metrics, a checkpoint, weights and summary; no checkpoint of a run that failed, perhaps amid a step.

        Args:
            outcome: how the run ended; None while it goes on.
            seconds: time spent training.

        Raises:
            UserError: the folder cannot be written.
        """
        self.flush()
        trainer = self._trainer
        if outcome is not Outcome.FAILED:
            Shelf(self.folder.path).put(trainer.step_count, packed(self._checkpoint(seconds)))
        parts = {"model": trainer.model, "average": trainer.average.model}
        self.folder.save_weights(
            {f"{part}.{name}": tensor for part, model in parts.items() for name, tensor in model.state_dict().items()}
        )
        self.folder.write_summary(
            {
                "schema_version": 1,
                "status": str(outcome) if outcome else "running",
                "started": self._started,
                "steps": trainer.step_count,
                "seconds": round(seconds, 3),
                "epochs": round(trainer.epoch, 4),
                "examples": trainer.examples,
                "skipped_steps": trainer.skipped,
                "device": str(trainer.device),
                "parameters": trainer.parameter_count,
                "dataset": trainer.data.name,
                "image_shape": list(trainer.data.image_shape),
                "scale": asdict(trainer.data.scale),
                "class_names": list(trainer.data.class_names),
                **self._target(),
                "edits": self._edits,
                "learning_rates": self._rates,
                "returns": self._returns,
                **({"forked_from": self._origin} if self._origin else {}),
            }
        )

    def _checkpoint(self, seconds: float) -> Checkpoint:
        notes = Notes(
            started=self._started,
            seconds=seconds,
            edits=tuple(self._edits),
            learning_rates=tuple(self._rates),
            returns=tuple(self._returns),
            forked_from=self._origin,
        )
        trainer = self._trainer
        return Checkpoint(
            state=trainer.state(),
            course=trainer.course(),
            config=trainer.config,
            data=self._data,
            class_names=trainer.data.class_names,
            notes=notes,
        )

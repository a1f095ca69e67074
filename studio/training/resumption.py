"""Going on from a checkpoint: in the same run folder, where it is the same run, or in another with another tilt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from studio.errors import UserError
from studio.training.assignments import with_settings
from studio.training.checkpoint import Checkpoint, Notes, fingerprint, read_checkpoint, read_record
from studio.training.config import PerturbationConfig, RunConfig
from studio.training.config_file import parse_config, read_config
from studio.training.run_folder import RunFolder
from studio.training.shelf import Shelf

if TYPE_CHECKING:
    from studio.training.trainer import Trainer

_FREE = ("perturbation", "name", "cadence", "evaluation", "threads", "device")
_SIZE = "batch.average_size"
"""Settings that may differ from those the run began with: they do not decide what the checkpoint's numbers mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumption:
    """Where a run goes on from.

    Attributes:
        run: the folder that holds the checkpoint.
        file: the checkpoint.
        config: what the run goes on with.
        target: in force at the checkpoint, which edits may have made another than the configuration's.
        revision: of that target.
        step: training steps behind it.
        seconds: time spent training so far.
        forked: it is a new run, whose target is the configuration's.
    """

    run: Path
    file: Path
    config: RunConfig
    target: PerturbationConfig
    revision: int
    step: int
    seconds: float
    forked: bool = False

    def folder(self) -> RunFolder:
        """The run's own folder, as it was at the checkpoint.

        Raises:
            UserError: it cannot be written.
        """
        return RunFolder.reopen(self.run, self.step)

    def take_up(self, trainer: Trainer) -> Notes:
        """Bring a trainer of `config` to where the run was; what is told of the run so far.

        Raises:
            UserError: the checkpoint is damaged, or belongs to another configuration or to other data.
        """
        checkpoint = read_checkpoint(self.file)
        _ensure_same(checkpoint.config, self.config)
        if checkpoint.data != fingerprint(trainer.data):
            raise UserError(
                "The data set is not the one that the run was trained on",
                f"{trainer.data.name} has changed since, or lies elsewhere.",
                "Bring it back, or start a new run.",
            )
        _take_up(trainer, checkpoint)
        if not self.forked:
            return checkpoint.notes
        target = replace(trainer.perturbation, revision=0)
        wanted = self.config.perturbation.resolve(trainer.data.class_names)
        if wanted != target:
            trainer.retarget(replace(wanted, revision=trainer.perturbation.revision + 1))
        origin = {"run": str(self.run), "step": self.step}
        return checkpoint.notes.model_copy(update={"started": "", "forked_from": origin})


def resume(run: Path, step: int | None = None) -> Resumption:
    """The same run, from its newest checkpoint or from one of that step.

    Raises:
        UserError: it is no run folder, or has no such checkpoint.
    """
    config = read_config(run / "config.json")
    file = Shelf(run).find(step)
    record = read_record(file)
    _ensure_same(parse_config(record.config, file.name), config)
    return Resumption(
        run=run,
        file=file,
        config=config,
        target=record.target(config.perturbation),
        revision=record.revision,
        step=record.step,
        seconds=record.notes.seconds,
    )


def fork(run: Path, step: int | None = None, assignments: Sequence[str] = ()) -> Resumption:
    """A new run from a checkpoint, with another tilt.

    Args:
        run: folder of the run to begin from.
        step: of the checkpoint; the newest one if absent.
        assignments: ``path=value``, on top of the target that was in force.

    Raises:
        UserError: it is no run folder, has no such checkpoint, or something was set that only a new run can have.
    """
    found = resume(run, step)
    config = with_settings(found.config.model_copy(update={"perturbation": found.target}), assignments)
    _ensure_same(found.config, config)
    return replace(found, config=config, forked=True)


def _take_up(trainer: Trainer, checkpoint: Checkpoint) -> None:
    """Bring a trainer to where the run was; its planner has got there by batches of the size that was set then."""
    then, now = checkpoint.config.batch.average_size, trainer.config.batch.average_size
    if then == now:  # planning the rest anew would round differently
        trainer.take_up(checkpoint.state, checkpoint.course)
        return
    trainer.set_batch_size(then)
    trainer.take_up(checkpoint.state, checkpoint.course)
    trainer.set_batch_size(now)


def _ensure_same(then: RunConfig, now: RunConfig) -> None:
    free: dict[str, object] = {name: getattr(then, name) for name in _FREE}
    free["batch"] = now.batch.model_copy(update={"average_size": then.batch.average_size})
    before, after = then.model_dump(), now.model_copy(update=free).model_dump()
    changed = [name for name in before if before[name] != after[name]]
    if changed:
        raise UserError(
            "A run cannot go on with these settings changed",
            f"Changed since its checkpoint: {', '.join(changed)}.",
            f"Only these may change: {', '.join((*_FREE, _SIZE))}. Start a new run for the rest.",
            field=changed[0],
        )

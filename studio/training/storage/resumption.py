"""Going on from a checkpoint: in the same run folder, where it is the same run, or in another with another tilt."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from studio.errors import UserError
from studio.training.config.assignments import with_settings
from studio.training.config.file import parse_config, read_config
from studio.training.config.run_config import PerturbationConfig, RunConfig
from studio.training.storage.checkpoint import Checkpoint, Notes, read_checkpoint, read_record
from studio.training.storage.checkpoint_store import CheckpointStore
from studio.training.storage.data_paths import made_absolute, with_places_of, without_places
from studio.training.storage.fingerprints import Fingerprints
from studio.training.storage.folder_lock import ensure_free
from studio.training.storage.run_folder import RunFolder
from studio.training.storage.run_identity import RunIdentity

if TYPE_CHECKING:
    from studio.training.engine.trainer import Trainer

_FREE = ("perturbation", "hold", "name", "cadence", "evaluation", "threads", "device")
_LIVE = ("batch.average_size", "learning rates")
"""Settings that may differ from those the run began with: they do not decide what the checkpoint's numbers mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumption:
    """Where a run goes on from.

    Attributes:
        identity: of the run whose folder holds the checkpoint.
        config: what the run goes on with; its target is the one in force at the checkpoint, which edits may have made
            another than the run began with, unless config.json has been given another since.
        revision: of that target.
        retargeted: it is another than the checkpoint's.
        step, seconds: training so far.
        forked: it is a new run, whose target is the configuration's.
        seen: what the folder looked like when the checkpoint was chosen.
    """

    identity: RunIdentity
    file: Path
    config: RunConfig
    revision: int
    retargeted: bool
    step: int
    seconds: float
    data: Fingerprints
    seen: tuple[object, ...] = ()
    forked: bool = False

    @property
    def run(self) -> Path:
        """The folder that holds the checkpoint."""
        return self.identity.folder

    @property
    def target(self) -> PerturbationConfig:
        """What the run goes on towards."""
        return self.config.perturbation

    def ensure_current(self) -> None:
        """Refuse to go on in a folder that is written now, or was since the checkpoint was chosen; raises UserError."""
        if not self.forked:
            ensure_free(self.run)
            self._ensure_seen()

    def folder(self) -> RunFolder:
        """The run's own folder as at the checkpoint; raises UserError if it cannot be written, or has been since."""
        folder = RunFolder.owned(self.run)
        try:
            self._ensure_seen()
            folder.go_back_to(self.step, self.revision - self.retargeted)
        except BaseException:
            folder.release()
            raise
        return folder

    def _ensure_seen(self) -> None:
        if _look(self.run) != self.seen:
            raise UserError(
                "The run has continued in the meantime",
                f"{self.run} has been written since its checkpoint of step {self.step:,} was chosen.",
                "Resume it again: it then continues from where it is now.",
            )

    def load_into(self, trainer: Trainer) -> Notes:
        """Bring a trainer of `config` to where the run was; what is told of the run so far. Raises UserError if the
        checkpoint is damaged, belongs to another configuration, or its target asks other columns.
        """
        checkpoint = read_checkpoint(self.file)
        _ensure_same(checkpoint.config, self.config)
        target = self.config.perturbation.resolve(trainer.data.class_names, self.revision)
        if not self.retargeted:  # but its files may lie elsewhere by now
            checkpoint = replace(checkpoint, resume_state=replace(checkpoint.resume_state, perturbation=target))
        self.data.ensure_columns(trainer.measured, checkpoint.resume_state.perturbation.energy)
        _load(trainer, checkpoint)
        if self.retargeted:
            trainer.retarget(target)
        trainer.hold(self.config.hold)
        rates, wanted = checkpoint.resume_state.rates, self.config.model.learning_rates
        changed = [network for network in trainer.networks if wanted[network] != rates[network]]
        for network in changed:
            trainer.set_learning_rate(network, wanted[network])
        noted = [{"step": self.step, "network": name, "learning_rate": wanted[name]} for name in changed]
        notes = checkpoint.notes
        notes = notes.model_copy(update={"learning_rates": (*notes.learning_rates, *noted)})
        if not self.forked:
            return notes
        origin = {"run": str(self.run.absolute()), "step": self.step}
        return notes.model_copy(update={"started": "", "forked_from": origin})


def resume(run: Path, step: int | None = None, assignments: Sequence[str] = ()) -> Resumption:
    """The same run, from its newest checkpoint or from one of that step.

    What config.json was given since the checkpoint, and assignments on top of it, are taken up, or refused where they
    would make another run.

    Raises:
        UserError: it is no run folder, has no such checkpoint, or something was set that only a new run can have.
    """
    seen = _look(run)
    config = made_absolute(with_settings(read_config(run / "config.json"), assignments))
    file = CheckpointStore(run).find(step)
    record = read_record(file)
    then = parse_config(record.config, file.name)
    _ensure_same(then, config)
    retargeted = not _same_target(then, config, record.class_names)
    if not retargeted:
        in_force = then.model_copy(update={"perturbation": record.target(then.perturbation)})
        config = config.model_copy(update={"perturbation": with_places_of(in_force, config).perturbation})
    if record.rates.keys() != then.model.learning_rates.keys():
        from studio.training.engine.trainer_state import wrong_state  # brings torch, which the window has later

        raise wrong_state(f"It has optimisers of {', '.join(record.rates)}.")
    if config.model.learning_rates == then.model.learning_rates:
        config = config.model_copy(update={"model": config.model.with_learning_rates(record.rates)})
    return Resumption(
        identity=replace(RunIdentity.read(run), config=config),
        file=file,
        config=config,
        revision=record.revision + retargeted,
        retargeted=retargeted,
        step=record.step,
        seconds=record.notes.seconds,
        data=record.data,
        seen=seen,
    )


def fork(
    run: Path, step: int | None = None, assignments: Sequence[str] = (), target: PerturbationConfig | None = None
) -> Resumption:
    """A new run from a checkpoint, with another tilt: the one in force if absent; with errors as of `resume`."""
    found = resume(run, step)
    before = found.config if target is None else found.config.model_copy(update={"perturbation": target})
    config = made_absolute(with_settings(before, assignments))
    _ensure_same(found.config, config)
    another = not _same_target(found.config, config, read_record(found.file).class_names)
    return replace(
        found,
        identity=replace(found.identity, config=config),
        config=config,
        revision=found.revision + (another and not found.retargeted),
        retargeted=found.retargeted or another,
        forked=True,
    )


def _look(run: Path) -> tuple[object, ...]:
    """What changes whenever a run is saved."""
    found = []
    for path in (run / "summary.json", *sorted((run / "checkpoints").glob("step-*.safetensors"))):
        with suppress(OSError):
            state = path.stat()
            found.append((path.name, state.st_mtime_ns, state.st_size))
    return tuple(found)


def _same_target(one: RunConfig, other: RunConfig, class_names: Sequence[str]) -> bool:
    """Whether two targets are the same, wherever their files lie; raises UserError if an offset belongs to no class."""
    first, second = (without_places(each).perturbation.resolve(class_names) for each in (one, other))
    return first == second


def _load(trainer: Trainer, checkpoint: Checkpoint) -> None:
    """Bring a trainer to where the run was; its planner has got there by batches of the size that was set then."""
    then, now = checkpoint.config.batch.average_size, trainer.config.batch.average_size
    if then == now:  # planning the rest anew would round differently
        trainer.load_checkpoint(checkpoint.state, checkpoint.resume_state)
        return
    trainer.set_batch_size(then)
    trainer.load_checkpoint(checkpoint.state, checkpoint.resume_state)
    trainer.set_batch_size(now)


def _ensure_same(then: RunConfig, now: RunConfig) -> None:
    then, now = without_places(then), without_places(now)
    free: dict[str, object] = {name: getattr(then, name) for name in _FREE}
    free["batch"] = now.batch.model_copy(update={"average_size": then.batch.average_size})
    if now.model.kind == then.model.kind:
        free["model"] = now.model.with_learning_rates(then.model.learning_rates)
    before, after = then.model_dump(), now.model_copy(update=free).model_dump()
    changed = [name for name in before if before[name] != after[name]]
    if changed:
        raise UserError(
            "A run cannot be resumed with these settings changed",
            f"Changed since its checkpoint: {', '.join(changed)}.",
            f"Only these may change: {', '.join((*_FREE, *_LIVE))}. Start a new run for the rest.",
            field=changed[0],
        )

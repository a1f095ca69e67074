"""A run at one moment, whole, as one file: a run that goes on from it is the run that never stopped.

A safetensors file: networks, average, optimisers, streams and the planner's arrays as tensors named "part/name", all
else as JSON in its header under "record", with a checksum of both. Opening one executes nothing and reads no more than
the file's own length.
"""

from __future__ import annotations

import json
import stat
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

from pydantic import Field, ValidationError, model_validator

from studio.errors import UserError, other_version
from studio.perturb.hold import Hold
from studio.perturb.perturbation import Gauge, Perturbation
from studio.settings import Settings
from studio.training.config.energy import energy_config_of_record, energy_of_record, energy_record
from studio.training.config.run_config import PerturbationConfig, RunConfig, offsets_by_name
from studio.training.storage.fingerprints import Fingerprints

if TYPE_CHECKING:
    from torch import Tensor

    from studio.training.engine.trainer_state import Held, ResumeState, TrainerState

_VERSION = 2
_MOST = 2**62
Count = Field(ge=0, le=_MOST)


class Notes(Settings):
    """What is told of a run so far, beside its curves.

    Attributes:
        started: when, in ISO 8601.
        seconds: time spent training, pauses left out.
        began: the target that its weights began with, in the run that was forked; None where that is not known.
        edits, learning_rates, returns: what was changed at which step.
        forked_from: the run and the step that it began at, if it did not begin at none.
    """

    started: str = ""
    seconds: float = Field(0.0, ge=0)
    began: dict[str, Any] | None = None
    edits: tuple[dict[str, Any], ...] = ()
    learning_rates: tuple[dict[str, Any], ...] = ()
    returns: tuple[dict[str, Any], ...] = ()
    forked_from: dict[str, Any] | None = None


class HeldRecord(Settings):
    """Where holding its shares stands."""

    start: tuple[float, ...] = ()
    correction: tuple[float, ...]
    mean: tuple[float, ...]
    spread: tuple[Annotated[float, Field(ge=0)], ...]
    looks: int = Count
    step: int = Count
    judge: str = ""
    revision: int = Count
    before: tuple[float, ...] = ()
    changed: Annotated[int, Count] | None = None

    @classmethod
    def of(cls, held: Held) -> HeldRecord:
        parts = asdict(held)
        return cls(**parts.pop("hold"), **parts)

    @property
    def since(self) -> int:
        """Step after which it was changed last; runs of before noted that of looks alone."""
        return self.step if self.changed is None else self.changed

    def held(self) -> Held:
        from studio.training.engine.trainer_state import Held

        start = self.start or (0.0,) * len(self.mean)
        hold = Hold(start=start, correction=self.correction, mean=self.mean, spread=self.spread, looks=self.looks)
        noted = {name: getattr(self, name) for name in ("step", "judge", "revision", "before")}
        return Held(hold=hold, changed=self.since, **noted)


class CheckpointRecord(Settings):
    """What a checkpoint holds besides tensors; its header, which can be read without them."""

    schema_version: Literal[2] = 2
    step: int = Count
    updates: int = Count
    skipped: int = Count
    offsets: tuple[float, ...]
    gauge: Gauge
    revision: int = Count
    energy: dict[str, Any]
    held: HeldRecord | None = None
    planning: dict[str, Any]
    rates: dict[str, Annotated[float, Field(gt=0)]]
    taken: dict[str, int]
    config: dict[str, Any]
    data: Fingerprints
    class_names: tuple[str, ...]
    notes: Notes

    @model_validator(mode="after")
    def _check_classes(self) -> CheckpointRecord:
        if len(self.class_names) != len(self.offsets):
            raise ValueError("there are not as many offsets as classes")
        held = self.held
        parts = held and (held.start or held.mean, held.before or held.mean, held.correction, held.mean, held.spread)
        if any(len(part) != len(self.offsets) for part in parts or ()):
            raise ValueError("there are not as many corrections as classes")
        return self

    @property
    def perturbation(self) -> Perturbation:
        """The target in force; raises ValueError if the energy is none."""
        energy = energy_of_record(self.energy)
        return Perturbation(offsets=self.offsets, energy=energy, gauge=self.gauge, revision=self.revision)

    @property
    def corrected(self) -> dict[str, float] | None:
        """The offsets by class name that its weights learned, not 0, which holding made of those in force; None if it
        had corrected nothing.
        """
        held = self.held
        correction = (held.before if held.since == self.step else ()) or held.correction if held is not None else ()
        if not any(correction):
            return None
        hold = Hold.begun(correction)
        return offsets_by_name(hold.applied(self.perturbation).offsets, self.class_names)

    def target(self, before: PerturbationConfig) -> PerturbationConfig:
        """The target in force, and as in `before` what it does not say; raises ValueError if the energy is none."""
        named = {name: offset for name, offset in zip(self.class_names, self.offsets, strict=True) if offset != 0}
        kept = before.model_copy(update={"offsets": named, "gauge": self.gauge})
        return kept.with_energy(energy_config_of_record(self.energy))


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A run at one moment, with both states of its trainer, and what is told of it so far."""

    state: TrainerState
    resume_state: ResumeState
    config: RunConfig
    data: Fingerprints
    class_names: tuple[str, ...]
    notes: Notes = field(default_factory=Notes)


def packed(checkpoint: Checkpoint) -> bytes:
    """A checkpoint as a file's bytes."""
    from safetensors.torch import save

    state, resume_state = checkpoint.state, checkpoint.resume_state
    perturbation = resume_state.perturbation
    record = CheckpointRecord(
        step=state.step,
        updates=state.updates,
        skipped=resume_state.skipped,
        offsets=perturbation.offsets,
        gauge=perturbation.gauge,
        revision=perturbation.revision,
        energy=energy_record(perturbation.energy),
        held=HeldRecord.of(state.held),
        planning=dict(resume_state.planning),
        rates=dict(resume_state.rates),
        taken=dict(resume_state.taken),
        config=checkpoint.config.model_dump(mode="json"),
        data=checkpoint.data,
        class_names=checkpoint.class_names,
        notes=checkpoint.notes,
    )
    text, tensors = record.model_dump_json(), _tensors(state, resume_state)
    return save(tensors, metadata={"record": text, "checksum": _checksum(text, tensors)})


def _tensors(state: TrainerState, resume_state: ResumeState) -> dict[str, Tensor]:
    import torch

    parts: dict[str, Mapping[str, Tensor]] = {
        "model": state.model,
        "average": state.average,
        "scalars": state.scalars,
        "planner": {name: torch.from_numpy(values) for name, values in resume_state.planner.items()},
        "noise": {"state": resume_state.noise},
    }
    parts |= {f"optimiser:{network}": tensors for network, tensors in state.optimisers.items()}
    return {
        f"{part}/{name}": tensor.detach().cpu().contiguous()
        for part, tensors in parts.items()
        for name, tensor in tensors.items()
    }


def read_record(path: Path) -> CheckpointRecord:
    """The header of a checkpoint; raises UserError if it cannot be read, or is damaged."""
    return _open(path, whole=False)[0]


def read_checkpoint(path: Path) -> Checkpoint:
    """Open a checkpoint; raises UserError if it is unreadable, damaged or from another version of the studio."""
    from studio.training.config.file import parse_config
    from studio.training.engine.trainer_state import Held, ResumeState, TrainerState

    record, tensors = _open(path, whole=True)
    parts: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        part, _, rest = name.partition("/")
        parts.setdefault(part, {})[rest] = tensor
    try:
        noise = parts["noise"]["state"]
        planner = {name: tensor.numpy() for name, tensor in parts.get("planner", {}).items()}
    except (KeyError, TypeError, ValueError) as error:  # one is missing, or has a type that NumPy lacks
        _refuse(path, str(error))
    return Checkpoint(
        state=TrainerState(
            step=record.step,
            model=parts.get("model", {}),
            average=parts.get("average", {}),
            updates=record.updates,
            optimisers={network: parts.get(f"optimiser:{network}", {}) for network in record.rates},
            scalars=parts.get("scalars", {}),
            held=record.held.held() if record.held else Held(hold=Hold.at_rest(len(record.offsets))),
        ),
        resume_state=ResumeState(
            skipped=record.skipped,
            perturbation=record.perturbation,
            planner=planner,
            planning=record.planning,
            noise=noise,
            rates=record.rates,
            taken=record.taken,
        ),
        config=parse_config(record.config, path.name),
        data=record.data,
        class_names=record.class_names,
        notes=record.notes,
    )


def _open(path: Path, *, whole: bool) -> tuple[CheckpointRecord, dict[str, Tensor]]:
    from safetensors import SafetensorError, safe_open

    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            _refuse(path, "it is no file of its own")
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            text = metadata.get("record", "")
            tensors = {name: file.get_tensor(name) for name in file.keys()} if whole else {}  # noqa: SIM118 - no dict
    except OSError as error:
        _refuse(path, error.strerror or str(error))
    except (SafetensorError, MemoryError, RuntimeError, KeyError, TypeError, ValueError, AttributeError) as error:
        _refuse(path, (str(error).splitlines() or ["no checkpoint"])[0][:200])
    if whole and metadata.get("checksum") != _checksum(text, tensors):
        _refuse(path, "its checksum is wrong")
    return _record(path, text), tensors


def _record(path: Path, text: str) -> CheckpointRecord:
    try:
        raw = json.loads(text)
        version = raw.get("schema_version") if isinstance(raw, dict) else None
        if isinstance(version, int) and version != _VERSION:
            raise other_version("The checkpoint comes", path, version, _VERSION)
        record = CheckpointRecord.model_validate(raw)
        energy_of_record(record.energy)
        return record
    except ValidationError as error:
        fault = error.errors()[0]
        _refuse(path, f"{'.'.join(map(str, fault['loc']))[:80]}: {fault['msg']}")
    except (ValueError, RecursionError) as error:
        _refuse(path, str(error)[:200])


def _checksum(text: str, tensors: Mapping[str, Tensor]) -> str:
    """Of the record and of every tensor's name and bytes."""
    import torch

    checksum = zlib.crc32(text.encode(errors="replace"))
    for name, tensor in sorted(tensors.items()):
        checksum = zlib.crc32(name.encode(errors="replace"), checksum)
        if tensor.numel():  # nothing at all has no bytes, and a stride that `view` refuses
            checksum = zlib.crc32(tensor.reshape(-1).view(torch.uint8).numpy().tobytes(), checksum)
    return f"{checksum:08x}"


def _refuse(path: Path, reason: str) -> NoReturn:
    raise UserError(
        "A checkpoint cannot be read", f"{path}: {reason}.", "It is damaged or not a checkpoint; try an earlier one."
    ) from None

"""The run configuration: the file that people share.

JSON, versioned, strict: an unknown key or a value out of range is refused with its place, all faults at once.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from studio.data.catalog import DATASETS, AnyDataset
from studio.errors import UserError
from studio.models.catalog import MODELS, AnyModel
from studio.perturb.perturbation import LARGEST_OFFSET, Gauge, Perturbation
from studio.settings import Settings, setting
from studio.training.energy_config import EnergyConfig

SCHEMA_VERSION = 1

_LONGEST_SHOWN = 60
_OFFSETS = ("perturbation", "offsets")


class PlannerKind(StrEnum):
    """Ways to plan batches."""

    ERROR_CARRY = "error_carry"
    FIXED_SIZE = "fixed_size"
    RESAMPLING = "resampling"
    STRATIFIED = "stratified"

    @property
    def label(self) -> str:
        """What lists and tables show."""
        return self.value.replace("_", " ").capitalize()

    @property
    def help(self) -> str:
        """What it does, in a sentence."""
        return _PLANNER_HELP[self]


_PLANNER_HELP = {
    PlannerKind.ERROR_CARRY: "Fills batches until their weights add up to B_avg on average, and carries the remainder.",
    PlannerKind.FIXED_SIZE: "B_avg examples, each weighted.",
    PlannerKind.RESAMPLING: "Draws examples by weight; each then counts as one.",
    PlannerKind.STRATIFIED: "Gives each class its target share of the batch and takes examples of a class by weight; "
    "each then counts as one. The steadiest gradient.",
}


class Precision(StrEnum):
    """Arithmetic of the networks; AUTO is bfloat16 where the device computes in it natively, else float32."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    AUTO = "auto"


class PerturbationConfig(EnergyConfig):
    """The tilt: an energy offset per class, by class name, and further terms; classes not named have offset 0."""

    offsets: dict[str, Annotated[float, Field(ge=-LARGEST_OFFSET, le=LARGEST_OFFSET)]] = setting(
        {}, "Offsets ΔH", "Energy offset of each class; its weight is exp(−ΔH)."
    )
    gauge: Gauge = setting(
        Gauge.NORMALISED,
        "Gauge",
        "Normalised: weights have mean 1 over the data, so that a constant added to every offset changes nothing. "
        "Raw: exp(−ΔH) as it is.",
        advanced=True,
    )

    def resolve(self, class_names: Sequence[str], revision: int = 0) -> Perturbation:
        """The perturbation of a data set with these classes.

        Raises:
            UserError: an offset belongs to no class, or is beyond ±700.
        """
        unknown = [name for name in self.offsets if name not in class_names]
        if unknown:
            raise UserError(
                "An offset belongs to no class of this data set",
                f"Unknown: {', '.join(unknown)}. The classes are {', '.join(class_names)}.",
                "Correct the names under perturbation.offsets.",
                field="perturbation.offsets",
            )
        offsets = tuple(float(self.offsets.get(name, 0.0)) for name in class_names)
        return Perturbation(offsets=offsets, energy=self.energy(), gauge=self.gauge, revision=revision)


class BatchConfig(Settings):
    """How batches are filled."""

    planner: PlannerKind = setting(
        PlannerKind.ERROR_CARRY,
        "Planner",
        " ".join(f"{kind.label}: {kind.help}" for kind in PlannerKind),
    )
    average_size: float = setting(
        64.0,
        "Batch size B_avg",
        "Adjusted batch size Σ exp(−ΔH) that batches have on average. Larger is smoother and slower.",
        unit="examples",
        step=8,
        decimals=0,
        ge=1,
        le=65536,
    )


class CadenceConfig(Settings):
    """How often a run reports."""

    log_every: int = setting(
        10,
        "Log every",
        "Steps between two points of the curves and rows of metrics.csv.",
        unit="steps",
        ge=1,
        le=100_000,
    )
    sample_every: float = setting(
        2.0, "Sample every", "Time between two sample grids.", unit="s", step=0.5, decimals=1, ge=0.1, le=3600
    )
    samples: int = setting(64, "Samples", "Images in a sample grid.", unit="images", ge=1, le=400)


class EvaluationConfig(Settings):
    """How a run finds out, while it trains, whether the tilt arrives."""

    budget: float = setting(
        5.0,
        "Evaluation budget",
        "Share of the training time that evaluating may take. 0 evaluates on demand only.",
        unit="%",
        step=1,
        decimals=1,
        ge=0,
        le=50,
    )
    samples: int = setting(
        1000,
        "Samples judged",
        "Samples of each evaluation. More give narrower intervals, less often.",
        unit="images",
        step=500,
        ge=20,
        le=50_000,
    )


class RunConfig(Settings):
    """Everything that determines a run."""

    schema_version: Literal[1] = 1
    name: str = setting("", "Name", "What to call the run; also part of its folder's name.", max_length=80)
    dataset: AnyDataset = Field(default_factory=DATASETS[0].config)
    model: AnyModel = Field(default_factory=MODELS[0].config)
    perturbation: PerturbationConfig = Field(default_factory=PerturbationConfig)
    batch: BatchConfig = Field(default_factory=BatchConfig)
    cadence: CadenceConfig = Field(default_factory=CadenceConfig)
    evaluation: EvaluationConfig = Field(default_factory=EvaluationConfig)
    seed: int = setting(0, "Seed", "Same seed, same run on the same machine.", ge=0, le=2**31 - 1)
    held_out: float = setting(
        0.02,
        "Held out",
        "Share of each class that is never trained on, for diagnostics that compare seen with unseen examples.",
        decimals=3,
        step=0.01,
        advanced=True,
        ge=0,
        le=0.5,
    )
    ema_decay: float = setting(
        0.999,
        "EMA decay",
        "Share of the averaged weights that each step keeps; 0 averages nothing. Averages sample more steadily.",
        decimals=5,
        step=0.001,
        advanced=True,
        ge=0,
        lt=1,
    )
    device: str = setting(
        "auto", "Device", "Where to compute; auto takes a GPU if there is one.", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$"
    )
    precision: Precision = setting(
        Precision.FLOAT32,
        "Precision",
        "Arithmetic of the networks while they train; weights and losses stay in float32. Bfloat16 has fewer digits "
        "and is faster where the processor or GPU has it: auto takes it there. Autoencoders and RBMs keep float32.",
        advanced=True,
    )
    threads: int = setting(0, "Threads", "Processor threads for torch; 0 chooses.", ge=0, le=256, advanced=True)

    def to_json(self) -> str:
        """The file's text; a path that is no Unicode keeps its odd bytes as JSON escapes."""
        text = json.dumps(self.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"
        return text.encode(errors="backslashreplace").decode()


def parse_config(raw: Any, place: str) -> RunConfig:
    """Check what a file or a form holds.

    Args:
        raw: parsed JSON.
        place: what to call its source in messages.

    Raises:
        UserError: it is no run configuration; names every fault with its place.
    """
    if not isinstance(raw, dict):
        raise UserError("This is not a run configuration", f"{place} holds no JSON object.")
    version = raw.get("schema_version", SCHEMA_VERSION)
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise UserError(
            "This configuration comes from a newer version of the studio",
            f"{place} has version {version}; this studio reads up to {SCHEMA_VERSION}.",
            "Update the studio, or save the configuration from there in an older format.",
            field="schema_version",
        )
    try:
        return RunConfig.model_validate(raw)
    except ValidationError as error:
        raise UserError(
            "The configuration has a fault" if error.error_count() == 1 else "The configuration has faults",
            f"{place}: " + "; ".join(_fault(fault) for fault in error.errors()),
            "Correct it and open it again.",
            field=_location(error.errors()[0]),
        ) from error


def _location(fault: Any) -> str:
    """Dotted path of a fault; the names that a union puts between are left out."""
    parts = [str(part) for part in fault["loc"]]
    if len(parts) > 1 and parts[0] in ("dataset", "model"):
        del parts[1]
    if len(parts) > 3 and parts[:2] == ["perturbation", "terms"]:
        del parts[3]
    return ".".join(parts)


def _fault(fault: Any) -> str:
    if fault["type"] == "extra_forbidden":
        return f"{_location(fault)} is not a setting that this version knows"
    given = fault.get("input")
    shown = f" (it is {_short(given)})" if isinstance(given, str | int | float | bool) else ""
    return f"{_location(fault)}: {fault['msg'][:1].lower()}{fault['msg'][1:]}{shown}"


def _short(value: str | float) -> str:
    """A value as a message quotes it: a number of a thousand digits tells no more than its first."""
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def read_config(path: Path) -> RunConfig:
    """Open a configuration file.

    Raises:
        UserError: it cannot be read, is no JSON, or is no run configuration.
    """
    try:
        raw = json.loads(path.read_bytes())
    except OSError as error:
        raise UserError("The configuration cannot be opened", f"{path}: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise UserError(
            "The configuration is not valid JSON", f"{path}: {error}.", "Check it in a text editor."
        ) from error
    return parse_config(raw, path.name)


def with_settings(config: RunConfig, assignments: Sequence[str]) -> RunConfig:
    """`config` with ``path=value`` assignments, as given on the command line.

    Args:
        config: what to start from.
        assignments: such as ``model.latent_size=32`` or ``perturbation.offsets.2=-1.36``; values are JSON or text. Of
            two for the same setting the last one counts; otherwise their order does not matter.

    Raises:
        UserError: an assignment has no ``=``, no such place, or a value that does not fit.
    """
    split = [_assignment(text) for text in assignments]
    # A new model or data set starts from its own settings, so it comes before settings of it.
    for chosen in (True, False):
        config = _assigned(config, [each for each in split if _chooses(each[0]) is chosen])
    return config


def _assigned(config: RunConfig, assignments: Sequence[tuple[tuple[str, ...], Any]]) -> RunConfig:
    raw = config.model_dump(mode="json")
    for path, value in assignments:
        *parents, leaf = path
        place: Any = raw
        for parent in parents:
            place = place.get(parent) if isinstance(place, dict) else None
        if not isinstance(place, dict):
            raise UserError(
                "There is no such setting",
                f"“{'.'.join(path)}” leads nowhere.",
                "See a run's config.json for the names.",
            )
        if _chooses(path) and place.get("kind") != value:
            place.clear()
        place[leaf] = value
    return parse_config(raw, "--set")


def _chooses(path: tuple[str, ...]) -> bool:
    """Whether this setting says which model or data set the others beside it belong to."""
    return path in (("model", "kind"), ("dataset", "kind"))


def _assignment(text: str) -> tuple[tuple[str, ...], Any]:
    """The place and the value of one ``path=value``."""
    path, equals, value = text.partition("=")
    parts = path.strip().split(".")
    if not equals or not all(parts):
        raise UserError("A setting needs the form path=value", f"“{text}” has not.", "Example: batch.average_size=32.")
    if tuple(parts[:2]) == _OFFSETS and len(parts) > 2:
        parts[2:] = [".".join(parts[2:])]  # a class may have a name with points in it
    try:
        return tuple(parts), json.loads(value)
    except (ValueError, RecursionError):
        return tuple(parts), value


def offsets_by_name(perturbation: Perturbation, class_names: Sequence[str]) -> dict[str, float]:
    """The offsets that are not 0, by class name, as a configuration holds them."""
    return {name: offset for name, offset in zip(class_names, perturbation.offsets, strict=True) if offset != 0}


__all__ = [
    "SCHEMA_VERSION",
    "BatchConfig",
    "CadenceConfig",
    "EvaluationConfig",
    "PerturbationConfig",
    "PlannerKind",
    "Precision",
    "RunConfig",
    "offsets_by_name",
    "parse_config",
    "read_config",
    "with_settings",
]

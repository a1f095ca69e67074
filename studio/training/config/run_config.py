"""The run configuration: everything that determines a run, by sections."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from studio.data.catalog import DATASETS, AnyDataset
from studio.errors import UserError
from studio.models.catalog import MODELS, AnyModel
from studio.names import MOST_LISTED, composed, listed
from studio.perturb.energy import Energy
from studio.perturb.perturbation import LARGEST_OFFSET, Gauge, Perturbation
from studio.settings import Settings, setting
from studio.training.config.energy import EnergyConfig, energy_config_of_record, energy_record
from studio.training.config.planners import PlannerKind

SCHEMA_VERSION = 1


class Precision(StrEnum):
    """Arithmetic of the networks; AUTO is bfloat16 where it is faster, else float32."""

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
    )

    @field_validator("offsets", mode="after")
    @classmethod
    def _compose_names(cls, offsets: dict[str, float]) -> dict[str, float]:
        found = {composed(name): value for name, value in offsets.items()}
        if len(found) < len(offsets):
            raise ValueError("a class is named twice, in two spellings of the same letters")
        return found

    def of_classes(self, class_names: Sequence[str]) -> PerturbationConfig:
        """With the offsets of these classes alone."""
        offsets = {name: self.offsets[name] for name in class_names if self.offsets.get(name)}
        return self.model_copy(update={"offsets": offsets})

    def resolve(self, class_names: Sequence[str], revision: int = 0) -> Perturbation:
        """The perturbation of these classes; raises UserError if an offset belongs to none, or is beyond ±700."""
        unknown = [name for name in self.offsets if name not in class_names]
        if unknown:
            raise UserError(
                "An offset belongs to no class of this data set",
                f"Unknown: {listed(unknown)}. {_nearest(unknown, class_names)}",
                "Correct the names under perturbation.offsets, or begin without offsets: perturbation.offsets={}.",
                field="perturbation.offsets",
            )
        offsets = tuple(float(self.offsets.get(name, 0.0)) for name in class_names)
        return Perturbation(offsets=offsets, energy=self.energy(), gauge=self.gauge, revision=revision)

    @classmethod
    def of(cls, perturbation: Perturbation, class_names: Sequence[str]) -> PerturbationConfig:
        """The settings that stand for a perturbation; `resolve` undone."""
        offsets = offsets_by_name(perturbation.offsets, class_names)
        energy = energy_config_of_record(energy_record(perturbation.energy))
        return cls(offsets=offsets, gauge=perturbation.gauge).with_energy(energy)


class BatchConfig(Settings):
    """How batches are filled."""

    planner: PlannerKind = setting(
        PlannerKind.ERROR_CARRY, "Planner", " ".join(f"{kind.label}: {kind.help}" for kind in PlannerKind)
    )
    average_size: float = setting(
        64.0,
        "Batch size B_avg",
        "Adjusted batch size Σ exp(−ΔH) that batches have on average. Larger is smoother and slower.",
        unit="examples",
        step=8,
        decimals=0,
        within=(1, 65536),
    )


class CadenceConfig(Settings):
    """How often a run reports."""

    log_every: int = setting(
        10,
        "Log every",
        "Steps between two points of the curves, in the window and in the run's folder.",
        unit="steps",
        within=(1, 100_000),
    )
    sample_every: float = setting(
        2.0,
        "Sample every",
        "Time between two sample grids; more where they take long.",
        unit="s",
        step=0.5,
        decimals=1,
        within=(0.1, 3600),
    )
    samples: int = setting(64, "Samples", "Images in a sample grid.", unit="images", within=(1, 400))
    sample_room: int = setting(
        500,
        "Room for samples",
        "Most disk space for a run's sample grids, all of which are kept. Beyond it they are thinned out evenly.",
        unit="MB",
        step=100,
        within=(1, 1_000_000),
    )
    checkpoint_every: float = setting(
        5.0,
        "Checkpoint every",
        "Training time between two checkpoints, from which a run can be resumed exactly: what a crash loses at most. "
        "The last three are kept, and one is made at every stop.",
        unit="min",
        step=1,
        decimals=2,
        within=(0.01, 1440),
    )


class EvaluationConfig(Settings):
    """How a run finds out, while it trains, whether the tilt arrives."""

    budget: float = setting(
        5.0,
        "Evaluation budget",
        "Share of the training time that evaluating may take. 0 evaluates on demand only.",
        unit="%",
        step=1,
        decimals=1,
        within=(0, 50),
    )
    samples: int = setting(
        1000,
        "Samples judged",
        "Samples of each evaluation. More give narrower intervals, less often. A model that draws from "
        "chains or from a replay buffer gives no more than it has of those.",
        unit="images",
        step=500,
        within=(20, 50_000),
    )
    judge: str = setting(
        "",
        "Judge of",
        "The data set whose judge labels samples: empty for the run's own, else one with labels, such as mnist or "
        "folder:/home/me/pets. Images are brought to its size and colours.",
        editor="judge",
    )


class HoldConfig(Settings):
    """Whether the class shares are held, see `studio.perturb.hold`."""

    on: bool = setting(
        False,
        "Hold the shares",
        "Correct the class offsets while training until the shares of what the judge recognises are those asked for; "
        "where much is unsure, as blurred images are, those of all images differ. It trades unbiased weights for "
        "arrival: examples are then weighted for another target than the one asked for.",
    )
    every: int = setting(
        1000,
        "Look every",
        "Steps between two evaluations by which the offsets are corrected, enough for the model to follow suit. "
        "Training waits for them. They take the place of those within the evaluation budget.",
        unit="steps",
        step=500,
        within=(1, 1_000_000),
        when={"on": ()},
    )
    samples: int = setting(
        4000,
        "Samples judged",
        "Samples of each of these evaluations. What they find is averaged over evaluations, and a class is corrected "
        "as far as that mean is surely off its target, so that more samples or evaluations hold shares more closely.",
        unit="images",
        step=1000,
        within=(20, 50_000),
        when={"on": ()},
    )
    most: float = setting(
        1.0,
        "At most",
        "Largest correction of a class's ΔH: at 1 its examples are weighted up to 2.7 times more or less than asked.",
        step=0.1,
        decimals=2,
        within=(0.01, 10),
        when={"on": ()},
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
    hold: HoldConfig = Field(default_factory=HoldConfig)
    seed: int = setting(0, "Seed", "Same seed, same run on the same machine.", within=(0, 2**31 - 1))
    held_out: float = setting(
        0.02,
        "Held out",
        "Share of each class that is never trained on, for diagnostics that compare seen with unseen examples. Rounded "
        "down to whole examples; the weights of the others make up for it, so that classes keep their target shares.",
        decimals=3,
        step=0.01,
        within=(0, 0.5),
    )
    ema_decay: float = setting(
        0.999,
        "EMA decay",
        "Share of the averaged weights that each step keeps; 0 averages nothing. Averages sample more steadily.",
        decimals=5,
        step=0.001,
        ge=0,
        lt=1,
    )
    device: str = setting(
        "auto", "Device", "Where to compute; auto takes a GPU if there is one.", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$"
    )
    precision: Precision = setting(
        Precision.AUTO,
        "Precision",
        "Arithmetic of the networks while they train; weights and losses stay in float32. Bfloat16 has fewer digits "
        "and is faster where the GPU has it, or the processor for convolutions: auto takes it there. Autoencoders and "
        "RBMs keep float32.",
    )
    threads: int = setting(
        0,
        "Threads",
        "Processor threads for torch; 0 chooses, and takes fewer while other programs are busy. With a number set, "
        "two runs of one configuration agree to the last bit.",
        within=(0, 256),
    )

    def to_json(self) -> str:
        """The file's text; a path that is no Unicode keeps its odd bytes as JSON escapes."""
        text = json.dumps(self.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"
        return text.encode(errors="backslashreplace").decode()


def _nearest(unknown: Sequence[str], class_names: Sequence[str]) -> str:
    """The classes that may have been meant, or some of all."""
    near = [name for each in unknown[:MOST_LISTED] for name in get_close_matches(each, class_names)]
    if near and len(class_names) > MOST_LISTED:
        return f"Close to it: {listed(list(dict.fromkeys(near)))}, of {len(class_names):,} classes."
    return f"The classes are {listed(class_names)}."


def offsets_by_name(offsets: Sequence[float], class_names: Sequence[str]) -> dict[str, float]:
    """The offsets that are not 0, by class name, as a configuration holds them."""
    return {name: offset for name, offset in zip(class_names, offsets, strict=True) if offset != 0}


def target_record(target: Perturbation, class_names: Sequence[str]) -> dict[str, Any]:
    """A target whole, in JSON: the offsets by class name, and the gauge; and what is added to them, if anything is."""
    added = {} if target.energy == Energy() else {"energy": energy_record(target.energy)}
    return {"offsets": dict(zip(class_names, target.offsets, strict=True)), "gauge": str(target.gauge), **added}


@dataclass(frozen=True, slots=True, kw_only=True)
class StopCondition:
    """When a run is complete, after so many steps or seconds of training; without either, when it is stopped."""

    steps: int | None = None
    seconds: float | None = None

    def reached(self, steps: int, seconds: float) -> bool:
        return (self.steps is not None and steps >= self.steps) or (
            self.seconds is not None and seconds >= self.seconds
        )

"""What is worth a mark on a run's time: edits of the target and of learning rates, resumes, returns and warnings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from studio.training.messages.events import (
    BatchSizeApplied,
    Event,
    HoldApplied,
    LearningRateApplied,
    Noticed,
    PerturbationApplied,
    Restored,
    Resumed,
    Started,
    Warned,
)


class MarkKind(StrEnum):
    """What happened."""

    EDIT = "edit"
    RATE = "learning rate"
    RESUMED = "resumed"
    RETURN = "return"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something that happened at a step, in a few words, such as "ΔH edited at step 300 (edit 3)"."""

    step: int
    kind: MarkKind
    text: str


def mark_of(event: Event) -> Mark | None:
    """The mark of an event; None for those that are none."""
    match event:
        case PerturbationApplied(step=step, revision=revision):
            return Mark(step=step, kind=MarkKind.EDIT, text=f"ΔH edited at step {step:,} (edit {revision})")
        case HoldApplied(step=step, on=on):
            text = f"Shares are {'held' if on else 'no longer held'} from step {step:,} on"
            return Mark(step=step, kind=MarkKind.EDIT, text=text)
        case BatchSizeApplied(step=step, average_size=size):
            return Mark(step=step, kind=MarkKind.EDIT, text=f"B_avg set to {size:g} at step {step:,}")
        case LearningRateApplied(step=step, network=network, rate=rate):
            text = f"Learning rate of the {network.replace('_', ' ')} set to {rate:g}"
            return Mark(step=step, kind=MarkKind.RATE, text=text)
        case Started(step=step) if step:
            return Mark(step=step, kind=MarkKind.RESUMED, text="Went on from here")
        case Resumed(step=step):
            return Mark(step=step, kind=MarkKind.RESUMED, text="Resumed after a pause")
        case Restored(step=step, left=left):
            return Mark(step=step, kind=MarkKind.RETURN, text=f"Went back to this step from step {left:,}")
        case Noticed(step=step, error=error) | Warned(step=step, error=error):
            return Mark(step=step, kind=MarkKind.WARNING, text=error.title)
        case _:
            return None

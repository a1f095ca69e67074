"""What goes between a run and its watcher about a comparison of planners; parts of the unions in `messages`."""

from __future__ import annotations

from dataclasses import dataclass

from studio.training.planner_report import PlannerReport


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparePlanners:
    """Measure every planner's gradients at the parameters as they are; no step is taken meanwhile.

    Attributes:
        seconds: what it may take, about.
    """

    seconds: float = 8.0


@dataclass(frozen=True, slots=True)
class CancelComparison:
    """Call a comparison of planners off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparingPlanners:
    """A comparison of planners is under way; fraction in 0…1."""

    fraction: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannersCompared:
    """The answer to `ComparePlanners`.

    Attributes:
        step: training steps taken.
        report: what was found; None if it was called off.
    """

    step: int
    report: PlannerReport | None

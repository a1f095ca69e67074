"""The planners, by their names in configuration files."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from studio.perturb.planner import ErrorCarryPlanner, FixedSizePlanner, Planner, ResamplingPlanner, StratifiedPlanner


class PlannerKind(StrEnum):
    """Ways to plan batches."""

    ERROR_CARRY = "error_carry"
    FIXED_SIZE = "fixed_size"
    RESAMPLING = "resampling"
    STRATIFIED = "stratified"

    @property
    def label(self) -> str:
        return self.value.replace("_", " ").capitalize()

    @property
    def help(self) -> str:
        return _PLANNER_HELP[self]


_PLANNER_HELP = {
    PlannerKind.ERROR_CARRY: "Fills batches until their weights add up to B_avg on average, and carries the remainder.",
    PlannerKind.FIXED_SIZE: "B_avg examples, each weighted.",
    PlannerKind.RESAMPLING: "Draws examples by weight; each then counts as one.",
    PlannerKind.STRATIFIED: "Gives each class its target share of the batch and takes examples of a class by weight; "
    "each then counts as one. The steadiest gradient.",
}


PLANNERS: Mapping[PlannerKind, type[Planner]] = {
    PlannerKind.ERROR_CARRY: ErrorCarryPlanner,
    PlannerKind.FIXED_SIZE: FixedSizePlanner,
    PlannerKind.RESAMPLING: ResamplingPlanner,
    PlannerKind.STRATIFIED: StratifiedPlanner,
}

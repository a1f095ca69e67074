"""The planners by their names in configuration files."""

from __future__ import annotations

from collections.abc import Mapping

from studio.perturb.planner import ErrorCarryPlanner, FixedSizePlanner, Planner, ResamplingPlanner, StratifiedPlanner
from studio.training.config import PlannerKind

PLANNERS: Mapping[PlannerKind, type[Planner]] = {
    PlannerKind.ERROR_CARRY: ErrorCarryPlanner,
    PlannerKind.FIXED_SIZE: FixedSizePlanner,
    PlannerKind.RESAMPLING: ResamplingPlanner,
    PlannerKind.STRATIFIED: StratifiedPlanner,
}

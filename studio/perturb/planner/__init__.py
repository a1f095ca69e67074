"""Which examples make up the next batch, and with which weights: one interface, four ways."""

from studio.perturb.planner.base import BatchPlan, Planner, check_scale
from studio.perturb.planner.error_carry import ErrorCarryPlanner
from studio.perturb.planner.simple import FixedSizePlanner, ResamplingPlanner
from studio.perturb.planner.stratified import StratifiedPlanner

__all__ = [
    "BatchPlan",
    "ErrorCarryPlanner",
    "FixedSizePlanner",
    "Planner",
    "ResamplingPlanner",
    "StratifiedPlanner",
    "check_scale",
]

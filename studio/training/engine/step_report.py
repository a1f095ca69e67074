"""What one training step did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from studio.perturb.planner import BatchPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class StepReport:
    """What one step did: the batch, and what was last measured of each phase, scalars that stay on the device."""

    plan: BatchPlan
    scalars: Mapping[str, Tensor]

    def values(self) -> dict[str, float]:
        """Everything as plain numbers: one transfer from the device."""
        plan = self.plan
        batch = {
            "batch_size": float(len(plan.indices)),
            "adjusted_size": plan.adjusted_size,
            "average_size": plan.average_size,
            "ess": plan.effective_size,
            "err": plan.err,
        }
        numbers = torch.stack([scalar.float() for scalar in self.scalars.values()]).tolist() if self.scalars else []
        return batch | dict(zip(self.scalars, numbers, strict=True))

"""The samples that a panel may show in place of those of training."""

from __future__ import annotations

from dataclasses import dataclass

from studio.gui.live.at_once.control import AtOnceControl
from studio.gui.state.stepped_samples import SteppedSamples


@dataclass(frozen=True, slots=True)
class Untrained:
    """Of the model as it is, for another target; and of weights that were stepped along the tilt."""

    once: AtOnceControl
    stepped: SteppedSamples

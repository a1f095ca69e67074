"""Settings of flow matching."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from studio.models.config import GuidedSettings, OptimiserConfig
from studio.models.diffusion.config import DenoiserConfig
from studio.settings import setting


class FlowPath(StrEnum):
    """How an image is mixed with noise on the way."""

    RECTIFIED = "rectified"
    COSINE = "cosine"


class Solver(StrEnum):
    """How a sample is carried along the velocity."""

    EULER = "euler"
    HEUN = "heun"


class FlowMatchingConfig(GuidedSettings, DenoiserConfig):
    """Settings of flow matching."""

    kind: Literal["flow_matching"] = "flow_matching"
    path: FlowPath = setting(
        FlowPath.RECTIFIED,
        "Path",
        "How noise z turns into an image x. Rectified: x_t = (1 − t)·z + t·x, a straight line. Cosine: x_t = "
        "cos(πt/2)·z + sin(πt/2)·x, which keeps the variance.",
    )
    solver: Solver = setting(
        Solver.HEUN,
        "Solver",
        "Euler goes along the velocity of where it is. Heun goes along the mean of that and of the velocity where it "
        "would come to: two calls of the network a step, and an error that falls with the square of their number.",
    )
    sampling_steps: int = setting(
        12,
        "Sampling steps",
        "Steps from noise to a sample. More are closer to the flow, but slower.",
        unit="steps",
        log=True,
        within=(1, 10_000),
    )
    velocity_optimiser: OptimiserConfig = setting(OptimiserConfig(), "Velocity", "How the network is trained.")

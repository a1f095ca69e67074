"""From a run folder back to its model."""

from __future__ import annotations

from studio.errors import UserError
from studio.models.base import GenerativeModel
from studio.training.engine.building import build_model
from studio.training.storage.run import Run


def restore_model(run: Run, *, averaged: bool = True) -> GenerativeModel:
    """The trained model on the CPU, in eval mode.

    Args:
        averaged: with the moving average of the weights, or as they were.

    Raises:
        UserError: the weights are missing, damaged or of another model.
    """
    weights = run.weights("average" if averaged else "model")
    try:
        model = build_model(run.config.model, run.image_shape, seed=0)
        model.load_state_dict(weights)
    except (RuntimeError, MemoryError) as error:
        raise UserError(
            "The run's weights do not fit its configuration",
            f"{run.path}: {(str(error).splitlines() or ['out of memory'])[-1].strip()[:200]}",
            "config.json, summary.json or weights.safetensors was changed after the run.",
        ) from error
    return model.eval().requires_grad_(False)

"""Whether a model can learn a data set, told before anything is built."""

from __future__ import annotations

from studio.data.example_set import ExampleSet
from studio.errors import UserError
from studio.models.catalog import model_spec
from studio.models.config import ModelConfig


def misfit(model: ModelConfig, *, planar: bool) -> UserError | None:
    """Why this model cannot learn the set, with the field at fault; None if it can.

    Args:
        planar: whether examples are points of the plane.
    """
    return model_spec(model.kind).fault_on_points(model) if planar else None


def ensure_fit(model: ModelConfig, data: ExampleSet) -> None:
    """Refuse what would train on nonsense.

    Raises:
        UserError: the model cannot learn this set.
    """
    error = misfit(model, planar=data.plane is not None)
    if error is not None:
        raise error

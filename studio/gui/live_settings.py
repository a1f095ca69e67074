"""Settings of a model that a run takes up while it trains. No Qt."""

from __future__ import annotations

from studio.models.config import ModelConfig, OptimiserConfig

_OPTIMISER = "_optimiser"


def learning_rates(config: ModelConfig) -> dict[str, float]:
    """The learning rate of each network that has an optimiser, by the network's name."""
    fields = {name: getattr(config, name) for name in type(config).model_fields if name.endswith(_OPTIMISER)}
    return {
        name.removesuffix(_OPTIMISER): value.learning_rate
        for name, value in fields.items()
        if isinstance(value, OptimiserConfig)
    }

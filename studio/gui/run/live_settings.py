"""Settings of a model that a run takes up while it trains. No Qt."""

from __future__ import annotations

from studio.models.config import ModelConfig


def learning_rates(config: ModelConfig) -> dict[str, float]:
    """The learning rate of each network that has an optimiser, by the network's name."""
    return config.learning_rates

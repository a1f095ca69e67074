"""Settings that models share: the base of every model's own settings, and an optimiser for each of its networks.

Free of torch, so that forms and files can be read before torch is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar, Self

from studio.settings import Settings, setting

_OPTIMISER = "_optimiser"


class Optimiser(StrEnum):
    """Update rules on offer."""

    ADAM = "adam"
    ADAMW = "adamw"
    RMSPROP = "rmsprop"
    ADAGRAD = "adagrad"
    MOMENTUM = "momentum"
    SGD = "sgd"


class Architecture(StrEnum):
    """Kinds of network; AUTO is an MLP for images of up to 16 pixels a side, else convolutional."""

    AUTO = "auto"
    MLP = "mlp"
    CONVOLUTIONAL = "convolutional"


class OptimiserConfig(Settings):
    """How one network's parameters are updated."""

    kind: Optimiser = setting(Optimiser.ADAM, "Optimiser", "The update rule.")
    learning_rate: float = setting(
        1e-3,
        "Learning rate",
        "Size of a step; can be changed while it trains. Too large diverges, too small learns nothing.",
        log=True,
        live=True,
        gt=0,
        le=10,
    )
    half_after: float = setting(
        0.0,
        "Rate halves after",
        "The rate falls as 1/(1 + step/n), to a half after n steps, so that what is noisy settles. 0 keeps it.",
        unit="steps",
        step=2,
        decimals=0,
        log=True,
        within=(0, 1e9),
    )
    beta1: float = setting(
        0.9,
        "β₁ / momentum",
        "How much of the previous direction is kept (Adam's and AdamW's β₁, or the momentum). Others do not use it.",
        when={"kind": [Optimiser.ADAM, Optimiser.ADAMW, Optimiser.MOMENTUM]},
        step=0.05,
        ge=0,
        lt=1,
    )
    beta2: float = setting(
        0.999,
        "β₂ / smoothing",
        "How slowly the squared gradient is averaged (Adam's and AdamW's β₂, RMSprop's α). Others do not use it.",
        when={"kind": [Optimiser.ADAM, Optimiser.ADAMW, Optimiser.RMSPROP]},
        decimals=4,
        step=0.001,
        ge=0,
        lt=1,
    )
    weight_decay: float = setting(
        0.0, "Weight decay", "Pull of every weight towards 0; decoupled in AdamW.", log=True, within=(0, 1)
    )
    clip_norm: float = setting(
        0.0,
        "Clip gradient at",
        "Largest norm of the network's gradient; a larger one is shortened to it. 0 clips nothing.",
        log=True,
        within=(0, 1e6),
    )
    gradient_keep: float = setting(
        1.0,
        "Gradient kept",
        "Share of gradient entries kept in each step, drawn anew and rescaled (gradient dropout, ChildTuning-F). "
        "1 keeps all.",
        step=0.05,
        decimals=2,
        gt=0,
        le=1,
    )


class ModelConfig(Settings):
    """Base of the models' settings; every subclass has a literal ``kind`` and, per network, a ``NETWORK_optimiser``."""

    UNWEIGHTED: ClassVar[tuple[str, ...]] = ()
    """Networks whose steps see no real example, and so no weight."""

    kind: str

    @property
    def weighted_optimisers(self) -> Mapping[str, OptimiserConfig]:
        """The optimisers of the networks that learn from weighted examples, by network."""
        return {network: self.optimiser(network) for network in self.learning_rates if network not in self.UNWEIGHTED}

    def optimiser(self, network: str) -> OptimiserConfig:
        """The optimiser of one network, by the attribute name of that network in the model."""
        found = getattr(self, f"{network}{_OPTIMISER}")
        assert isinstance(found, OptimiserConfig)
        return found

    @property
    def learning_rates(self) -> dict[str, float]:
        """The learning rate of each network that has an optimiser, by the network's name."""
        fields = {name: getattr(self, name) for name in type(self).model_fields if name.endswith(_OPTIMISER)}
        return {
            name.removesuffix(_OPTIMISER): value.learning_rate
            for name, value in fields.items()
            if isinstance(value, OptimiserConfig)
        }

    def with_learning_rates(self, rates: Mapping[str, float]) -> Self:
        """The same with these learning rates, by the network's name."""
        return self.model_copy(
            update={
                f"{network}{_OPTIMISER}": self.optimiser(network).model_copy(update={"learning_rate": rate})
                for network, rate in rates.items()
            }
        )

    def latent_numbers(self, pixels: int) -> int:
        """Numbers in the latent behind one example of so many values; 0 for a model that has none."""
        return 0


class LatentModelConfig(ModelConfig):
    """Base for models that make an image from a latent vector z ~ N(0, 1) with the networks of `studio.models.nets`."""

    architecture: Architecture = setting(
        Architecture.AUTO,
        "Architecture",
        "Kind of network. Auto takes an MLP for images of up to 16 pixels a side and a convolutional pair above.",
    )
    width: int = setting(
        32,
        "Width",
        "Channels of the finest convolution; an MLP has 8 times as many hidden units. Wider learns more, but slower.",
        unit="channels",
        step=8,
        within=(4, 512),
    )
    latent_size: int = setting(
        64,
        "Latent size",
        "Numbers in the latent vector z from which an image is made. More can say more.",
        step=8,
        within=(1, 1024),
    )

    def latent_numbers(self, pixels: int) -> int:
        return self.latent_size

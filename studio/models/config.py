"""Settings that models share: the base of all, an optimiser for each network, labels, and what autoencoders have.

Free of torch, so that forms and files can be read before torch is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar, Self

from studio.errors import UserError
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
    FOREMOST: ClassVar[tuple[str, ...]] = ()
    """Settings that are shown right below the model; the others are folded away."""

    kind: str

    @property
    def variant(self) -> str:
        """What sets it apart from others of its kind so much that its name says so; empty if nothing does."""
        return ""

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
        """The same with these learning rates, by the network's name; raises UserError if one is out of range."""
        return self.model_copy(
            update={
                f"{network}{_OPTIMISER}": self.optimiser(network).with_value("learning_rate", rate)
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


class LabelSettings(ModelConfig):
    """Whether a model is told the class of each example."""

    FOREMOST = ("conditional",)

    conditional: bool = setting(
        False,
        "Conditional",
        "Tell the model the class of each example, and draw the classes of its samples from the target’s shares. A "
        "tilt by class is then exact at once and costs no training: the better tool where only shares are to change. "
        "Asked for 30 % and 90 % twos, a VAE of the digits missed the shares by 1–2 % in all, where weights left 6–12 "
        "% after as many steps. Energy terms within a class still act in training.",
    )
    labels_dropped: float = setting(
        0.1,
        "Labels dropped",
        "Share of the examples of each batch whose class is not told, so that the model learns also what examples "
        "look like whose class is not known. At 1 no class is ever told.",
        step=0.05,
        decimals=2,
        within=(0, 1),
        when={"conditional": ()},
    )
    labels_used: float = setting(
        1.0,
        "Labels used",
        "Share of each class's examples whose class may be told at all, chosen by the seed; of the others the model "
        "learns as of unlabelled ones. Their weights stay: it shows how few labels are enough. With a tenth of the "
        "digits' labels, 90 % twos asked for at once were 89 % by a VAE, whose step then takes three times as long, "
        "and 60 to 81 % by diffusion and flow matching, where Guidance makes up for it.",
        step=0.05,
        decimals=3,
        within=(0, 1),
        when={"conditional": ()},
    )

    @property
    def variant(self) -> str:
        return "conditional" if self.conditional else super().variant

    def latent_numbers(self, pixels: int) -> int:
        return super().latent_numbers(pixels) + self.conditional


class GuidedSettings(LabelSettings):
    """The same of a model whose samples can be guided to their class."""

    guidance: float = setting(
        0.0,
        "Guidance",
        "How far each step of a sample is led beyond what the network says for its class, away from what it says for "
        "none. 0 leads nowhere. More makes samples surer of the class that was asked for, less varied, and takes twice "
        "the time. With a tenth of the digits' labels, 90 % twos asked for at once were 60 to 81 % at 0, 83 to 89 % at "
        "0.5, and 88 to 90 % at 1, of three quarters of the variance. It needs labels that were dropped.",
        step=0.25,
        decimals=2,
        within=(0, 20),
        when={"conditional": (), "labels_dropped": ()},
    )


class Likelihood(StrEnum):
    """p(x|z): how a pixel may differ from what the decoder says."""

    BERNOULLI = "bernoulli"
    GAUSSIAN = "gaussian"
    DISCRETISED_LOGISTIC = "discretised_logistic"


def code_size() -> Any:
    """The setting of a model whose images have one code each."""
    return setting(
        12,
        "Latent size",
        "Numbers in the code z of an image. More rebuild it better, but make fresh samples harder.",
        step=4,
        within=(1, 1024),
    )


class AutoencoderConfig(LatentModelConfig):
    """Settings of an encoder and a decoder that are trained together on the evidence bound."""

    likelihood: Likelihood = setting(
        Likelihood.BERNOULLI,
        "Likelihood",
        "Bernoulli takes a pixel's brightness as a probability: best for black-and-white drawings. Gaussian and "
        "discretised logistic, each with a learned width, suit photographs; the latter knows the 256 grey levels.",
    )
    draw_pixels: bool = setting(
        False,
        "Draw pixels",
        "Draw each pixel of a sample from p(x|z), noise and all, as the model has it. Off, a sample is the mean of "
        "p(x|z), which looks cleaner.",
    )
    beta: float = setting(
        1.0,
        "β",
        "Weight of the KL term. Above 1 codes are simpler and images smoother; below 1 they are rebuilt more closely.",
        log=True,
        within=(0, 1000),
    )
    autoencoder_optimiser: OptimiserConfig = setting(
        OptimiserConfig(learning_rate=2e-3), "Optimiser", "How encoder and decoder are trained."
    )


def fault_on_points(config: AutoencoderConfig) -> UserError | None:
    """Why these settings cannot learn points of the plane; None if they can."""
    if config.likelihood is Likelihood.GAUSSIAN:
        return None
    return UserError(
        "This likelihood is for pixels, not for points",
        "Bernoulli takes a value as the probability of white, the discretised logistic counts 256 grey levels.",
        "Choose the Gaussian likelihood.",
        field="model.likelihood",
    )

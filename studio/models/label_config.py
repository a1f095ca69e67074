"""Settings of models that can be told classes. Free of torch."""

from __future__ import annotations

from studio.models.config import ModelConfig
from studio.settings import setting


class LabelSettings(ModelConfig):
    """Whether a model is told the class of each example."""

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
        "87 % by an SN-GAN, 77 % by flow matching and about 60 % by diffusion.",
        step=0.05,
        decimals=3,
        within=(0, 1),
        when={"conditional": ()},
    )

    def latent_numbers(self, pixels: int) -> int:
        return super().latent_numbers(pixels) + self.conditional

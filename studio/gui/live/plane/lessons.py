"""Lessons: planar sets and settings that show one thing each, in three steps with what the last one tries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from studio.paths import resources


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChange:
    """Start the lesson again with these settings of its model, by their names in a configuration."""

    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class OffsetChange:
    """Set ΔH of a class while it trains."""

    class_name: str
    offset: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Open another lesson, or a preset, by its name."""

    name: str


Trial: TypeAlias = ModelChange | OffsetChange | Opening


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """One thing to see.

    Attributes:
        name: of its configuration under resources/lessons, without ending.
        setting, sight, trial: a sentence each: what is set up, what will be seen, and what to try then.
        tries: what the button of the last one does.
    """

    name: str
    title: str
    setting: str
    sight: str
    trial: str
    tries: Trial | None = None

    @property
    def path(self) -> Path:
        return resources() / "lessons" / f"{self.name}.json"


LESSONS = (
    Lesson(
        name="vanishing-gradients",
        title="Vanishing gradients",
        setting="The generator begins between two lines that its points nowhere touch, and a minimax critic soon tells "
        "every point: D(real) goes to 1, D(fake) to 0.",
        sight="Press Start: JS stays at log 2 wherever the points are, so it has no slope to follow; the arrows of the "
        "pull shrink away, and W₁ hardly changes.",
        trial="Set the loss to non-saturating and start again: the arrows stay long, and the points set off.",
        tries=ModelChange(settings={"loss": "non_saturating"}),
    ),
    Lesson(
        name="falling-distance",
        title="A distance that falls",
        setting="The same lines and the same generator, but the critic's slope is held at 1, so that it measures the "
        "Wasserstein distance.",
        sight="Press Start: every arrow is about as long as the next, and W₁ falls along a straight line while JS "
        "still stands at log 2.",
        trial="Compare the critic's heat map with that of “Vanishing gradients”: a ramp here, a cliff there.",
        tries=Opening(name="vanishing-gradients"),
    ),
    Lesson(
        name="mode-collapse",
        title="Mode collapse",
        setting="A GAN on eight modes: the critic sees one point at a time, so a generator with all on a few modes "
        "is not found out.",
        sight="Press Start: samples gather on some modes and move on together when the critic turns against them, and "
        "JS stays far above 0 while each sample looks real.",
        trial="Open the WGAN-GP on the same ring: its samples spread over all of it.",
        tries=Opening(name="planar-wgan_gp"),
    ),
    Lesson(
        name="clipping",
        title="Clipping against penalty",
        setting="This WGAN keeps its critic from growing steep by clipping every weight to ±0.01.",
        sight="Press Start: the critic's heat map is a plain ramp or bowl and the range beside it is tiny, for clipped "
        "weights pile up at the clip and leave only simple functions.",
        trial="Set the constraint to gradient penalty with λ = 0.3 and start again: the critic follows the modes, and "
        "pulls thousands of times as strongly.",
        tries=ModelChange(settings={"lipschitz": {"kind": "gradient_penalty", "penalty_weight": 0.3}}),
    ),
    Lesson(
        name="unmeasured-distance",
        title="WGAN works though it does not measure W₁",
        setting="A WGAN-GP on the ring. The critic's gap, which its loss takes for the Wasserstein distance, is drawn "
        "beside the exact W₁.",
        sight="Press Start: W₁ falls to within twice its floor, while the gap stays at a fifth to a half of it. Their "
        "rank correlation, below the curves, was 0.1 to 0.4 in three runs.",
        trial="Clip the weights at ±0.1 instead: the gap is a few per cent of W₁ and says nothing of it, yet the "
        "samples come as near (Stanczuk et al. 2021; Mallasto et al. 2019).",
        tries=ModelChange(settings={"lipschitz": {"kind": "clip", "clip": 0.1}}),
    ),
    Lesson(
        name="parameter-gradients",
        title="Parameter and input gradients",
        setting="A GAN on the ring, whose critic may grow as steep as it likes. One that is steep in x must be steep "
        "in the parameters of each layer, too, unless its weights stretch a lot.",
        sight="Press Start and look at “Critic's slope in its parameters” under Inside: each layer's slope lies "
        "above the bound that the slope in x sets.",
        trial="Penalise the slope in the parameters and start again: it fell from 8–10 to 2.7, and that in x from "
        "1.9–2.7 to 0.6–0.8, with samples as good (three runs).",
        tries=ModelChange(settings={"lipschitz": {"kind": "parameter_penalty"}}),
    ),
    Lesson(
        name="gradient-flow",
        title="Gradient flow",
        setting="A GAN on the mixture, 5 % of it in the north. Its critic pulls samples down KL(q ‖ p′), as the "
        "gradient flow does, which knows p′ itself.",
        sight="Press Start, then G in the plot: particles of the flow end on whichever mode was near, a third of them "
        "in the north. The generator's samples find the shares.",
        trial="Ask for 39 % in the north: the samples move there within 500 steps. The particles hardly do, for the "
        "slope within one mode says nothing of the others.",
        tries=OffsetChange(class_name="north", offset=-2.5),
    ),
    Lesson(
        name="tilt-too-strong",
        title="A tilt too strong",
        setting="ΔH = −7 makes each point of the north count a thousand times as much as another: nearly all of p′ is "
        "there, carried by 5 % of the data, as ESS/n says.",
        sight="Press Start: batches of weight 64 hold a handful of points that count, so the losses are noisy, and "
        "west and east are all but forgotten.",
        trial="Raise the offset to −2.5 while it trains: ESS/n recovers, and samples come back to all three.",
        tries=OffsetChange(class_name="north", offset=-2.5),
    ),
    Lesson(
        name="control-experiment",
        title="The control experiment",
        setting="Weights are to bring 90 % of a VAE's points to the north, where 5 % of the data lie: ESS/n says that "
        "the data are then worth 6 % of themselves.",
        sight="Press Start: after 2,000 steps 94 to 95 % lie there, and W₁ stands at 0.33 to 0.39, with a floor of 0.2 "
        "(three runs).",
        trial="Tell the same model the classes: it draws 90 % of the north from the start, and W₁ comes to 0.20 to "
        "0.25. Where only shares of classes are to change, condition; what varies within a class takes weights.",
        tries=ModelChange(settings={"conditional": True}),
    ),
    Lesson(
        name="energy-carry",
        title="Energy carry",
        setting="Batches of weight 8, where one point of mode 1 alone weighs more than 5: a batch that had to keep to "
        "8 would leave out just those points.",
        sight="Press Start and look at Batch: n jumps between one and many, but B keeps to 8 on average, since what "
        "did not fit is carried into the next batch and never dropped.",
        trial="Compare the share of mode 1 among the samples with the target's p′: it arrives, small batches or not.",
    ),
    Lesson(
        name="umbrella-sampling",
        title="Umbrella sampling",
        setting="The spot amid the ring, class 2, holds 1 % of the points. ΔH = −4.6 makes it half of p′, so that half "
        "of all samples tell of it.",
        sight="Press Start. After 2,000 steps choose the share of 2 in Theory and press Back again: 2,000 draws give "
        "it to ± 0.04 %, each worth 25 of an untilted model. Three runs: 0.87 to 1.04 %.",
        trial="Set ΔH of 2 to 0 and ask again a thousand steps later: some twenty draws lie in the spot now, and its "
        "share is known to ± 0.2 % only.",
        tries=OffsetChange(class_name="2", offset=0.0),
    ),
)
"""In the order in which the menu shows them."""

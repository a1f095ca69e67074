"""What a person should know of a tilt before it is trained; window and command ask the same questions.

Where w > B_avg, one example makes a gradient w/B_avg times the usual, once in n steps. Adam and RMSprop divide by the
root of the mean square gradient of the last 1/(1 − β₂) steps: if that is less than about 5·n, the divisor grows just
when the example comes, and its class is learned too small, as it is by clipping. A class of 1 % that should have 30 %
is learned at 26 % with B_avg = 16 and β₂ = 0.9, at 29.7 % with β₂ = 0.99, and at 30 % by planners whose examples all
weigh 1. An SN-GAN of MNIST with 0.1 % twos that was asked for 10 % had 4 to 5 % after 4,000 steps by error carry, and
10 to 11 % by stratified batches (two seeds each).
"""

from __future__ import annotations

from studio.errors import UserError
from studio.models.config import Optimiser, OptimiserConfig
from studio.models.diffusion.config import DenoiserConfig
from studio.perturb.diagnostics import Strength, TiltSummary
from studio.training.config.recipes import COUNTING, better_recipe
from studio.training.config.run_config import RunConfig

_SHORT = 5.0
"""Times the steps between two such examples that a mean square should go back; the share is then 3 % too small."""
_SMOOTHED = (Optimiser.ADAM, Optimiser.ADAMW, Optimiser.RMSPROP)


def cautions(summary: TiltSummary, config: RunConfig) -> tuple[UserError, ...]:
    """All that speaks against training towards this target by these settings, the gravest first."""
    found = []
    if summary.strength is Strength.TOO_STRONG:
        hint = "A higher temperature, or a clip of ΔH, weakens it as well."
        recipe = better_recipe(summary, config)
        if recipe is not None:
            hint += f" Or {recipe.words}"
        found.append(UserError("The tilt is too strong", summary.reason, hint))
    if isinstance(config.model, DenoiserConfig) and config.model.weights_fade and config.batch.planner not in COUNTING:
        found.append(
            UserError(
                "There are no weights to fade",
                "This planner takes heavier examples more often, whatever the noise, and counts all alike.",
                "Take error carry or fixed size, or set “Weights fade over” to 0.",
                field="batch.planner",
            )
        )
    overweight = outweighing(summary, config)
    return (*found, overweight) if overweight is not None else tuple(found)


def outweighing(summary: TiltSummary, config: RunConfig) -> UserError | None:
    """Why single examples that outweigh a batch are learned at less than their weight; None if they are not."""
    every = summary.outweighed_every
    if every is None or config.batch.planner not in COUNTING:
        return None
    optimisers = config.model.weighted_optimisers
    found = [f"the {name}'s {why}" for name, each in optimisers.items() if (why := _shortens(each, every))]
    if not found:
        return None
    return UserError(
        "Single examples outweigh a batch",
        f"The largest weight is {summary.largest_weight:.3g}, B_avg is {config.batch.average_size:g}, and an example "
        f"above it comes once in {max(every, 1):.2g} steps. {_sentence(found)}, so that such examples "
        "are learned at less than their weight.",
        "Take the stratified planner, for which every example counts 1, or raise B_avg or β₂.",
        field="batch.planner",
    )


def _sentence(parts: list[str]) -> str:
    joined = " and ".join(parts)
    return joined[0].upper() + joined[1:]


def _shortens(optimiser: OptimiserConfig, every: float) -> str:
    """What in an update rule shortens a rare large gradient; empty if nothing does."""
    if optimiser.clip_norm:
        return f"gradient is clipped at {optimiser.clip_norm:g}"
    memory = 1 / (1 - optimiser.beta2)
    if optimiser.kind in _SMOOTHED and memory < _SHORT * every:
        return f"squared gradient is averaged over {memory:.3g} steps (β₂ = {optimiser.beta2:g})"
    return ""

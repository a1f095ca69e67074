"""How a target is reached sooner than as it is set up, by what was measured: offered in the window, named by cautions.

An SN-GAN of MNIST with 0.1 % twos, of which 10 and 30 % were asked for, had 4 to 5 and 13 % of them after 4,000 steps
by error carry, 10 to 11 and 30 % by stratified batches, and as many after 1,000 and 1,500 steps by these once it was
told the classes as well, with a third of the Fréchet distance; see `tests/benchmarks`.
"""

from __future__ import annotations

from dataclasses import dataclass

from studio.models.config import LabelSettings
from studio.perturb.diagnostics import Strength, TiltSummary
from studio.training.config.assignments import with_settings
from studio.training.config.planners import PlannerKind
from studio.training.config.run_config import RunConfig

COUNTING = (PlannerKind.ERROR_CARRY, PlannerKind.FIXED_SIZE)
"""Planners that count the heavier examples more; the others take them more often."""
_TOLD = (
    "Asked for 30 % twos of MNIST, an SN-GAN that was told the classes had a Fréchet distance of 11 to the target "
    "after 1,000 steps, and by weights alone of 29 after 2,000."
)
_BOTH = (
    "Asked for 90 % twos of MNIST, an SN-GAN with both had a Fréchet distance of 6 to the target after 2,000 steps, "
    "and by weights alone of 16. Of data with 0.1 % twos it made 31 % after 1,500 steps where 30 % were asked for, and "
    "by weights alone 13 % after 4,000."
)
_STRATIFIED = (
    "Every example of a stratified batch counts 1: of MNIST with 0.1 % twos, of which 30 % were asked for, an SN-GAN "
    "had 30 % after 4,000 steps, where weights by error carry had 13 %."
)
_STRONG = (Strength.STRONG, Strength.TOO_STRONG)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Settings to take instead of those that are set up.

    Attributes:
        name: what to do, as on a button.
        settings: as on the command line.
        reason: what was gained by it.
        urgent: weights differ so much that they are not enough; otherwise it is good to know where they were not.
    """

    name: str
    settings: tuple[str, ...]
    reason: str
    urgent: bool

    @property
    def words(self) -> str:
        return f"{self.name[0].lower()}{self.name[1:]} ({', '.join(self.settings)}). {self.reason}"

    def of(self, config: RunConfig) -> RunConfig:
        return with_settings(config, self.settings)


def better_recipe(summary: TiltSummary, config: RunConfig) -> Recipe | None:
    """A model is told classes where it can be and the target moves them; batches are stratified where weights differ
    much, or an example outweighs one. None where nothing better is known.
    """
    urgent = summary.outweighed_every is not None or summary.strength in _STRONG
    stratify = urgent and config.batch.planner in COUNTING
    told = isinstance(config.model, LabelSettings) and not config.model.conditional
    told = told and any(config.perturbation.offsets.values()) and config.perturbation.energy().offset_factor != 0
    if not told and not stratify:
        return None
    names = ["Tell the model the classes"] * told + ["stratify batches"] * stratify
    return Recipe(
        name=" and ".join(names).capitalize(),
        settings=("model.conditional=true",) * told + ("batch.planner=stratified",) * stratify,
        urgent=urgent,
        reason=_BOTH if told and stratify else _TOLD if told else _STRATIFIED,
    )

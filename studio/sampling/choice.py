"""Which method: by what each is predicted to cost, from the draws that tell what the model makes.

Rejection takes n·W_max/⟨W⟩ draws and resampling n·⟨W²⟩/⟨W⟩², which is never more; but samples that are independent are
worth more than copies, and weights with a heavy tail are taken only where nothing else is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from studio.errors import UserError
from studio.progress import Progress
from studio.sampling.base import Prediction, TiltedSampler
from studio.sampling.pool import Pool
from studio.sampling.tilt import Tilt


class Method(StrEnum):
    """How to sample another target than the model's."""

    AUTO = "auto"
    CONDITION = "condition"
    REJECT = "reject"
    RESAMPLE = "resample"
    STEER = "steer"
    CHAINS = "chains"


_TITLES = {
    Method.CONDITION: "conditioning",
    Method.REJECT: "rejection",
    Method.RESAMPLE: "resampling",
    Method.STEER: "steering",
    Method.CHAINS: "chains",
}
_NEEDS = {
    Method.CONDITION: "Only models that are told classes, such as a conditional VAE, can be told a target’s.",
    Method.STEER: "Only models that draw each step from noise to image by chance, so that copies part again, told no "
    "class, such as diffusion, can be steered.",
    Method.CHAINS: "Only models with chains, such as RBM and EBM, have any.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What was chosen.

    Attributes:
        sampler: the method.
        why: a sentence without a full stop; empty where the person chose.
    """

    sampler: TiltedSampler
    why: str = ""


def needing_no_draws(method: Method, samplers: Sequence[TiltedSampler], pool: Pool, tilt: Tilt) -> Choice | None:
    """Conditioning, where classes need only be told, and nothing has to be known of the draws to prefer it."""
    found = next((each for each in samplers if each.name == Method.CONDITION), None)
    if found is None or tilt.by_class is None or method not in (Method.AUTO, Method.CONDITION):
        return None
    says = found.predict(pool, tilt, 1).says
    return Choice(sampler=found, why=f"Conditioning: {says}" if method is Method.AUTO else "")


def choose(
    method: Method, samplers: Sequence[TiltedSampler], pool: Pool, tilt: Tilt, count: int, progress: Progress
) -> Choice:
    """The method for `count` samples; draws a few hundred first, unless the person chose.

    Args:
        samplers: that the model allows.

    Raises:
        UserError: the model does not allow what was chosen.
        Cancelled: the person cancelled.
    """
    if method is Method.AUTO:
        pool.prepare(count, progress)
        return _cheapest([(each, each.predict(pool, tilt, count)) for each in samplers])
    chosen = next((each for each in samplers if each.name == method), None)
    if chosen is None:
        title = f"This model cannot be sampled by {_TITLES[method]}"
        others = ", ".join(each.name for each in samplers)
        raise UserError(title, _NEEDS.get(method, ""), f"Choose {others} or auto.")
    return Choice(sampler=chosen)


def _cheapest(predicted: Sequence[tuple[TiltedSampler, Prediction]]) -> Choice:
    chosen, best = min(predicted, key=lambda each: each[1].cost)
    others = [f"{_title(each)} {_because(other)}" for each, other in predicted if each is not chosen]
    doubt = f", but {best.why_not}" if best.why_not else ""
    why = f"{_title(chosen).capitalize()}: {best.says}, about {best.seconds:.2g} s{doubt}; {'; '.join(others)}"
    return Choice(sampler=chosen, why=why)


def _title(sampler: TiltedSampler) -> str:
    return _TITLES[Method(sampler.name)]


def _because(other: Prediction) -> str:
    return f"cannot, for {other.why_not}" if other.why_not else f"would take {other.seconds:.2g} s"

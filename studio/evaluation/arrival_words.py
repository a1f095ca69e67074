"""The answer in words: of which class it is, and where that is on its way. No torch.

A target is asked after by the class that it tilts most, everywhere the same one.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from studio.evaluation.arrival import SAME, Answer, Arrival, Sighting, arrival, arrival_at_once, since_edit
from studio.number_text import fixed, percent_words
from studio.perturb.arrays import Floats
from studio.perturb.perturbation import Perturbation

ARRIVED_IF = (
    "twice in a row, the 95 % interval holds p′, and lies within p′ ± D/3; D is the largest |p′ − p| of all classes"
)
"""The rule, for tooltips."""
SEEMS_ARRIVED = "It seems to have arrived; one more evaluation would tell"
SAMPLES_SET = " “Samples judged”"
"""The setting of how many an evaluation judges, as in “240 “Samples judged” would do”."""
NO_TILT = "No tilt: the target is the data as it is."
_LOPSIDED = 0.1
"""Of half an interval, by which its middle may be off the share."""
_DIGITS = 9
"""Of changes of shares: classes that change as much are not told apart by their last digit."""


def members_of(name: str) -> str:
    """Those of a class, in a sentence: “2s”, but “cat”."""
    return f"{name}s" if len(name) == 1 else name


def answer_words(name: str, seen: Sighting, index: int, found: Arrival) -> str:
    """The newest evaluation of one class in a sentence or two, such as “2s: 29.4 ± 3.1 %; 30 % is asked for. It has
    arrived.”
    """
    by = f" (judge of {seen.judge})" if seen.judge else ""
    class_name, wanted = members_of(name) + by, percent_words(float(seen.target[index]))
    more = f" (about {found.more} more evaluation{'s' * (found.more > 1)})" if found.more is not None else ""
    match found.answer:
        case Answer.UNKNOWN:
            return f"{class_name}: not known yet, of {wanted}."
        case Answer.UNTOLD:
            return f"{class_name}: {seen.why_untold}."
        case Answer.ARRIVED if not seen.holds(index):
            said = "It had arrived; this one evaluation misses the target."
        case Answer.ARRIVED:
            said = (
                "It has arrived." if seen.tells(index) else "It had arrived; this one evaluation is too wide to tell."
            )
        case Answer.NOT_YET if seen.holds(index):
            said = f"{SEEMS_ARRIVED}."
        case Answer.NOT_YET:
            said = f"Not yet{more}."
        case Answer.STALLED:
            said = "It is not arriving."
        case Answer.TOO_WIDE:
            said = f"It may have arrived: {why_untellable(seen, index, SAMPLES_SET)}."
    return f"{class_name}: {_with_interval(seen, index)}; {wanted} is asked for. {said}"


def at_once_words(name: str, seen: Sighting, index: int) -> str:
    """Likewise of samples that were made for the target: “Sampled at once, 2s are 29.4 ± 3.1 %; 30 % is asked
    for.”
    """
    class_name = members_of(name)
    if index in seen.untold:
        return answer_words(name, seen, index, Arrival(answer=Answer.UNTOLD))
    verb = "are" if len(name) == 1 else "is"
    wanted = percent_words(float(seen.target[index]))
    wide = arrival_at_once(seen, index).answer is Answer.TOO_WIDE
    why = f" It may be right: {why_untellable(seen, index)}." if wide else ""
    return f"Sampled at once, {class_name} {verb} {_with_interval(seen, index)}; {wanted} is asked for.{why}"


def why_untellable(seen: Sighting, index: int, setting: str = "") -> str:
    """Why an interval is too wide, and what would make it narrower, in a clause, by the setting that says how many."""
    enough = seen.enough(index)
    if enough is None:
        return "the judge is too unsure of these samples to tell; after more training it may be surer"
    digit = 10 ** max(0, len(str(enough)) - 2)
    return f"too few samples to tell; {math.ceil(enough / digit) * digit:,}{setting} would do"


def tilted(energies: Sequence[float]) -> list[int]:
    """Classes whose own ΔH, shape (K,), is not that of most; of two that as many have, 0 is that of most."""
    having = Counter(energies)
    common = max(having, key=lambda energy: (having[energy], energy == 0))
    return [index for index, energy in enumerate(energies) if energy != common]


def tilted_most(data: Floats, target: Floats, energies: Sequence[float]) -> int:
    """The class whose share the target changes most: of those with a ΔH of their own, if there are any, else of all.

    Args:
        data, target, energies: p, p′ and ΔH of each class, shape (K,).
    """
    change = np.abs(target - data).round(_DIGITS)
    return max(tilted(energies) or range(len(change)), key=lambda index: float(change[index]))


def others_words(seen: Sequence[Sighting], energies: Sequence[float]) -> str:
    """How many of the classes with a ΔH of their own have arrived; nothing where it is one or none."""
    own, since = tilted(energies), since_edit(seen)
    arrived = sum(arrival(since, index).answer is Answer.ARRIVED for index in own)
    return f" {arrived} of {len(own)} tilted classes have arrived." if len(own) > 1 else ""


def tilt_answer(class_names: Sequence[str], seen: Sequence[Sighting], tilt: Perturbation) -> str:
    """The answer of a run's evaluations, one at least, in the order of their steps, to the target of the newest one."""
    newest = seen[-1]
    if not tilt.by_example and np.abs(newest.target - newest.data).max() <= SAME:
        return NO_TILT
    energies = tilt.class_energies.tolist()
    index = tilted_most(newest.data, newest.target, energies)
    said = answer_words(class_names[index], newest, index, arrival(since_edit(seen), index))
    return f"{said}{others_words(seen, energies)}"


def _with_interval(seen: Sighting, index: int) -> str:
    """A share as "29.4 ± 3.1 %", or with both ends where it is not about their middle."""
    share, low, high = (100 * float(each[index]) for each in (seen.share, seen.low, seen.high))
    half = (high - low) / 2
    places = next((places for places in (1, 2, 3) if half >= 0.5 * 0.1**places), None)
    if places is None:
        return percent_words(share / 100)
    if abs(share - (low + high) / 2) > _LOPSIDED * half:
        return f"{fixed(share, places)} % ({fixed(low, places)} to {fixed(high, places)})"
    return f"{fixed(share, places)} ± {fixed(half, places)} %"

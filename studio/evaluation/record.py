"""An evaluation as text for a terminal and as a record for a JSON file. No torch."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from textwrap import wrap
from typing import Any

import numpy as np

from studio.evaluation.evaluation import Evaluation, Mean, Specimens
from studio.evaluation.neighbours import Likeness
from studio.evaluation.shares import Shares, Together

UNSURE = "unsure"
"""What samples are called that the judge takes for no class."""
_SHARES = ("raw", "raw_low", "raw_high", "corrected", "low", "high", "deviation")
_FIGURES = (
    "tv",
    "tv_floor",
    "kl",
    "raw_tv",
    "raw_kl",
    "frechet",
    "frechet_floor",
    "mmd",
    "mmd_floor",
    "nearness",
    "accuracy",
)
_NAMED = 6
"""Classes that a sentence names."""

BY = " by "
"""Between what is drawn of an evaluation and its judge."""

_LIKENESS = ("precision", "recall", "density", "coverage")


def with_unsure(class_names: Sequence[str]) -> tuple[str, ...]:
    """What samples are judged to be: the classes, then "unsure", or "unsure (judge)" if a class is called so."""
    plain = all(name.casefold() != UNSURE for name in class_names)
    return (*class_names, UNSURE if plain else f"{UNSURE} (judge)")


def curve_values(found: Evaluation) -> dict[str, float]:
    """What is drawn of an evaluation against step; a distance over its floor is as 1 for real examples.

    Names of an evaluation by the judge of other data say so: "tv by MNIST".
    """
    values = {
        **{name: getattr(found, name) for name in ("tv", "kl", "raw_tv", "raw_kl", "tv_floor")},
        "frechet_ratio": found.frechet / found.frechet_floor if found.frechet_floor > 0 else math.nan,
        "mmd_ratio": found.mmd / found.mmd_floor if found.mmd_floor > 0 else math.nan,
    }
    return {f"{name}{BY}{found.judge}": value for name, value in values.items()} if found.judge else values


def record(evaluation: Evaluation) -> dict[str, Any]:
    """What a JSON file holds; a number that does not exist is null.

    ``classes`` has, by class name, ``data``, ``target``, the share ``raw`` of all samples as judged and ``corrected``
    of the recognisable, their intervals, and ``least`` and ``most`` of all samples; ``unsure`` has the share of what
    belongs to none in all samples. ``tv`` and ``kl`` are of the recognisable, see `studio.evaluation.committee`.
    ``features`` has the mean of each feature over the samples, ``judge`` the name of the data that the judge was
    trained on if they are others than the run's, ``accuracy`` how often it is right on held-out examples of them.
    ``uncorrected`` and ``together`` name classes by their place in ``classes``.
    """
    shares = evaluation.shares
    rows = [
        {
            "data": float(data),
            "target": float(target),
            **{name: float(getattr(shares, name)[index]) for name in _SHARES},
        }
        for index, (data, target) in enumerate(zip(evaluation.data, evaluation.target, strict=True))
    ]
    for row, least, most in zip(rows[:-1], *evaluation.bounds, strict=True):
        row |= {"least": float(least), "most": float(most)}
    figures = {name: float(getattr(evaluation, name)) for name in _FIGURES}
    figures |= {name: float(getattr(evaluation.likeness, name)) for name in _LIKENESS}
    return {
        "count": shares.count,
        "judge": evaluation.judge,
        "classes": dict(zip(evaluation.class_names, rows, strict=False)),
        UNSURE: rows[-1],
        **{name: value if math.isfinite(value) else None for name, value in figures.items()},
        "features": {name: {"mean": mean.value, "error": mean.error} for name, mean in evaluation.features.items()},
        "uncorrected": list(shares.uncorrected),
        "together": [asdict(each) for each in shares.together],
    }


def evaluation_of(found: Mapping[str, Any]) -> Evaluation:
    """The evaluation behind a record, without specimens; what is missing is NaN. Raises ValueError if it is none."""
    classes, unsure = found.get("classes"), found.get(UNSURE)
    if not isinstance(classes, dict) or not isinstance(unsure, dict) or not classes:
        raise ValueError("it has no shares of classes")
    rows = [*classes.values(), unsure]
    columns = {name: np.array([_number(row, name) for row in rows]) for name in ("data", "target", *_SHARES)}
    return Evaluation(
        class_names=tuple(str(name) for name in classes),
        data=columns["data"],
        target=columns["target"],
        shares=Shares(
            count=int(_number(found, "count")),
            uncorrected=_places(found.get("uncorrected"), len(classes)),
            together=_together(found.get("together"), len(classes)),
            **{name: columns[name] for name in _SHARES},
        ),
        likeness=Likeness(**{name: _number(found, name) for name in _LIKENESS}),
        features=_means(found.get("features")),
        specimens=Specimens(
            labels=np.empty(0, np.int64),
            images=np.empty((0, 1, 1, 1), np.uint8),
            neighbours=np.empty((0, 1, 1, 1), np.uint8),
            nearness=np.empty(0),
        ),
        judge=str(found.get("judge", "")),
        **{name: _number(found, name) for name in _FIGURES},
    )


def _places(found: Any, classes: int) -> tuple[int, ...]:
    places = found if isinstance(found, list) else ()
    return tuple(each for each in places if type(each) is int and 0 <= each < classes)


def _together(found: Any, classes: int) -> tuple[Together, ...]:
    rows = [row for row in found if isinstance(row, dict)] if isinstance(found, list) else ()
    return tuple(
        Together(classes=places, share=_number(row, "share"), low=_number(row, "low"), high=_number(row, "high"))
        for row in rows
        if (places := _places(row.get("classes"), classes))
    )


def _means(found: Any) -> dict[str, Mean]:
    rows = found.items() if isinstance(found, dict) else ()
    return {str(name): Mean(value=_number(row, "mean"), error=_number(row, "error")) for name, row in rows}


def _number(row: Any, name: str) -> float:
    value = row.get(name) if isinstance(row, dict) else None
    return float(value) if isinstance(value, int | float) else math.nan


def caveats(evaluation: Evaluation) -> tuple[str, ...]:
    """Sentences on what the judge cannot say of the shares; none where it can say all."""
    shares, names = evaluation.shares, evaluation.class_names
    said = []
    if shares.uncorrected:
        listed = _listed([names[each] for each in shares.uncorrected], "and")
        said.append(f"Too few held-out examples to correct the share of {listed}.")
    said += [
        f"The judge cannot tell {_listed([names[each] for each in group.classes], 'from')}: together they have "
        f"{100 * group.share:.1f} % ({100 * group.low:.1f} – {100 * group.high:.1f} %)."
        for group in shares.together
    ]
    return tuple(said)


def _listed(names: list[str], joint: str) -> str:
    """`names` in a sentence, the first few if they are many."""
    if len(names) > _NAMED:
        return f"{', '.join(names[:_NAMED])} {joint} {len(names) - _NAMED:,} more"
    return f" {joint} ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def table(evaluation: Evaluation) -> str:
    """Shares by class and the distances, for a terminal 80 columns wide."""
    shares = evaluation.shares
    names = with_unsure(evaluation.class_names)
    width = max(len(name) for name in names)
    lines = [f"{'class':{width}}     data   target      raw  corrected      95 % interval     of all"]
    data, target = evaluation.data, evaluation.target
    of_all = [f"{100 * least:4.0f}–{100 * most:.0f} %" for least, most in zip(*evaluation.bounds, strict=True)]
    for index, name in enumerate(names):
        numbers = (data[index], target[index], shares.raw[index], shares.corrected[index])
        cells = "".join(f"{100 * number:{room}.2f} %" for number, room in zip(numbers, (7, 7, 7, 9), strict=True))
        ends = f"{100 * shares.low[index]:6.2f} – {100 * shares.high[index]:6.2f} %"
        lines.append(f"{name:{width}}{cells}   {ends}  {(*of_all, '')[index]:>9}".rstrip())
    like = evaluation.likeness
    lines += [
        *(line for sentence in caveats(evaluation) for line in ("", *wrap(sentence, 80))),
        "",
        "Corrected shares are of the recognisable samples, “unsure” and “of all” of all",
        f"Total variation      {evaluation.tv:8.4f}   ({evaluation.tv_floor:.4f} where the shares are right)",
        f"KL(target‖generated) {evaluation.kl:8.4f} nats",
        f"Fréchet distance     {evaluation.frechet:8.2f}   ({evaluation.frechet_floor:.2f} for as many real examples)",
        f"Kernel distance MMD² {evaluation.mmd:8.4f}   ({evaluation.mmd_floor:.4f} for as many real examples)",
        f"Precision {like.precision:.3f}, recall {like.recall:.3f}",
        f"Density {like.density:.3f}, coverage {like.coverage:.3f}",
        f"Nearest training example: {evaluation.nearness:.2f} times as far as real examples are from each other",
        f"{shares.count:,} samples" + (f", judged as {evaluation.judge}" if evaluation.judge else ""),
    ]
    if math.isfinite(evaluation.accuracy):
        lines.append(f"The judge is right on {100 * evaluation.accuracy:.1f} % of the examples held out")
    rows = 1 + len(names)
    return "\n".join([*lines[:rows], *map(known, lines[rows:])])


def known(text: str) -> str:
    """What is said of numbers, with a dash for one that does not exist."""
    return re.sub(r"\bnan\b( %)?", "–", text)

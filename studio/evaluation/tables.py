"""An evaluation as text for a terminal and as a record for a JSON file. No torch."""

from __future__ import annotations

import math
from typing import Any

from studio.evaluation.report import Evaluation

UNSURE = "unsure"


def record(evaluation: Evaluation) -> dict[str, Any]:
    """What a JSON file holds; a number that does not exist is null.

    ``classes`` has, by class name, ``data``, ``target``, ``raw``, ``corrected``, ``low`` and ``high``;
    ``unsure`` has the same of the samples that belong to none.
    """
    shares = evaluation.shares
    rows = [
        {
            "data": float(data),
            "target": float(target),
            "raw": float(shares.raw[index]),
            "corrected": float(shares.corrected[index]),
            "low": float(shares.low[index]),
            "high": float(shares.high[index]),
        }
        for index, (data, target) in enumerate(zip([*evaluation.data, 0.0], [*evaluation.target, 0.0], strict=True))
    ]
    figures = {
        "tv": evaluation.tv,
        "tv_floor": evaluation.tv_floor,
        "kl": evaluation.kl,
        "raw_tv": evaluation.raw_tv,
        "raw_kl": evaluation.raw_kl,
        "frechet": evaluation.frechet,
        "frechet_floor": evaluation.frechet_floor,
        "mmd": evaluation.mmd,
        "mmd_floor": evaluation.mmd_floor,
        "precision": evaluation.likeness.precision,
        "recall": evaluation.likeness.recall,
        "density": evaluation.likeness.density,
        "coverage": evaluation.likeness.coverage,
        "nearness": evaluation.nearness,
    }
    return {
        "count": shares.count,
        "classes": dict(zip(evaluation.class_names, rows, strict=False)),
        UNSURE: rows[-1],
        **{name: value if math.isfinite(value) else None for name, value in figures.items()},
    }


def table(evaluation: Evaluation) -> str:
    """Shares by class and the distances, for a terminal 80 columns wide."""
    shares = evaluation.shares
    width = max(len(UNSURE), *(len(name) for name in evaluation.class_names))
    lines = [f"{'class':{width}}     data   target      raw  corrected      95 % interval"]
    data, target = [*evaluation.data, 0.0], [*evaluation.target, 0.0]
    for index, name in enumerate([*evaluation.class_names, UNSURE]):
        numbers = (data[index], target[index], shares.raw[index], shares.corrected[index])
        cells = "".join(f"{100 * number:{room}.2f} %" for number, room in zip(numbers, (7, 7, 7, 9), strict=True))
        lines.append(f"{name:{width}}{cells}   {100 * shares.low[index]:6.2f} – {100 * shares.high[index]:6.2f} %")
    like = evaluation.likeness
    lines += [
        "",
        f"Total variation      {evaluation.tv:8.4f}   ({evaluation.tv_floor:.4f} where the shares are right)",
        f"KL(target‖generated) {evaluation.kl:8.4f} nats",
        f"Fréchet distance     {evaluation.frechet:8.2f}   ({evaluation.frechet_floor:.2f} for as many real examples)",
        f"Kernel distance MMD² {evaluation.mmd:8.4f}   ({evaluation.mmd_floor:.4f} for as many real examples)",
        f"Precision {like.precision:.3f}, recall {like.recall:.3f}",
        f"Density {like.density:.3f}, coverage {like.coverage:.3f}",
        f"Nearest training example: {evaluation.nearness:.2f} times as far as real examples are from each other",
        f"{shares.count:,} samples",
    ]
    return "\n".join(lines)

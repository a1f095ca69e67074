"""The curves of a run's evaluations: how far shares are from the target's, and how far samples are from the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from studio.evaluation.committee import TOTAL_VARIATION
from studio.evaluation.record import BY
from studio.gui.plots.curves_spec import CurvesSpec, PlotSpec
from studio.gui.plots.history_plot import Curve
from studio.models.diagnostic import Reference
from studio.training.config.run_config import RunConfig

_EMPTY = "How far the shares of what the model generates are from the target's, evaluation by evaluation."
_ONCE_JUDGED = (
    "the first points come once the judge is trained, unless “Evaluation budget” is 0; Ctrl+E evaluates at once."
)
_BY_CHANCE = "What TV comes to by chance where the shares are right, for as many samples."
_RELATIVE = "Relative entropy of the target from the generated shares among the recognisable. KL = Σ p′ log(p′/q)."
_TV = (
    Curve(name="tv", title="TV", colour=0, tip=TOTAL_VARIATION),
    Curve(name="tv_floor", title="chance", colour=4, tip=_BY_CHANCE),
    Curve(name="raw_tv", title="raw TV", colour=1, shown=False, tip="TV of shares as the judge sees them."),
)
_KL = (
    Curve(name="kl", title="KL", colour=0, tip=_RELATIVE),
    Curve(name="raw_kl", title="raw KL", colour=1, shown=False, tip="KL of shares as the judge sees them."),
)
_REAL = (Reference(value=1.0, title="real against real"),)
_FRECHET = "Fréchet distance over its floor, the distance of as many real examples. 1 is as good as real."
_KERNEL = "Kernel distance MMD² over its floor, that of as many real examples. 1 is as good as real."
_RATIOS = (
    Curve(name="frechet_ratio", title="Fréchet", tip=_FRECHET, colour=0, references=_REAL),
    Curve(name="mmd_ratio", title="Kernel", tip=_KERNEL, colour=1, references=_REAL),
)


def _of_each_judge(curves: Sequence[Curve], names: Sequence[str], _: RunConfig | None) -> list[Curve]:
    """These curves of the run's own judge, and apart from them, the first of them shown, those of judges of other data,
    which may see quite other shares.
    """
    found: list[Curve] = []
    for number, judge in enumerate(sorted({name.partition(BY)[2] for name in names})):
        for place, curve in enumerate(curves):
            told = replace(curve, name=curve.name + BY + judge, title=curve.title + BY + judge, references=())
            others = replace(told, colour=curve.colour + 2 * number, shown=place == 0)
            found.append(others if judge else curve)
    return found


_NATS = "Relative entropy of the target's shares from the generated ones, in nats."
_OVER_FLOOR = "Distances between samples and tilted data over those of as many real examples."
_TITLE = "Distances over their floors"
_POSITIVE = (0.0, float("inf"))

# On logarithmic scales: a model that has just begun may be tenfold off, and would flatten all that comes.

SHARE_ERROR = CurvesSpec(
    name="share_error",
    title="Share error",
    empty=_EMPTY,
    coming=_ONCE_JUDGED,
    plots=(
        PlotSpec(
            name="tv",
            title="Total variation",
            axis="total variation",
            tip=TOTAL_VARIATION,
            curves=partial(_of_each_judge, _TV),
            limits=(0.0, 1.0),
            logarithmic=True,
        ),
        PlotSpec(
            name="kl",
            title="KL",
            axis="KL (nats)",
            tip=_NATS,
            curves=partial(_of_each_judge, _KL),
            limits=_POSITIVE,
            logarithmic=True,
        ),
    ),
    head=2,
)
_RATIO_PLOT = PlotSpec(
    name="ratios",
    title=_TITLE,
    axis="distance / floor",
    tip=_OVER_FLOOR,
    curves=partial(_of_each_judge, _RATIOS),
    logarithmic=True,
)
QUALITY = CurvesSpec(
    name="quality", title="Quality of samples", empty=_EMPTY, coming=_ONCE_JUDGED, plots=(_RATIO_PLOT,), head=2
)

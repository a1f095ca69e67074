"""The curves of a run: how batches fill up, what losses become, and how far each network is pulled and moved."""

from __future__ import annotations

from collections.abc import Sequence

from studio.gui.plots.curves_spec import CurvesSpec, PlotSpec
from studio.gui.plots.history_plot import Curve
from studio.models.catalog import MODELS, model_spec
from studio.models.diagnostic import Reference
from studio.names import spoken
from studio.training.config.run_config import RunConfig
from studio.training.storage.health import GRADIENT, LOSS, UPDATE, networks_in
from studio.training.storage.metrics import held_class

_COUNT = "Examples in the batch. The number of planned indices."
_ADJUSTED = "Adjusted size of the batch, which the planner holds. B = Σ w."
_KISH = "How many equally weighted examples the batch is worth, by Kish. ESS = (Σw)²/Σw²."
_AVERAGE = (
    "Adjusted size that batches have on average, as set up, skipped steps included: those that are trained then "
    "average more. The constant that losses are divided by."
)
_CARRIED = "Weight carried over to the next batch because the next example did not fit. Σ over steps of B_avg − B."
_SKIPPED = (
    "Steps passed over as the next example weighs more than what was saved up; the steps that are trained then average "
    "B_avg·(trained + skipped)/trained, more than B_avg. Count of steps with w > err."
)
_SIZES = (
    Curve(name="batch_size", title="n", colour=0, tip=_COUNT),
    Curve(name="adjusted_size", title="B", colour=1, tip=_ADJUSTED),
    Curve(name="ess", title="ESS", colour=2, tip=_KISH),
    Curve(name="average_size", title="B_avg", colour=4, tip=_AVERAGE),
)
_CARRY = (
    Curve(name="err", title="err", colour=3, tip=_CARRIED),
    Curve(name="skipped", title="skipped", colour=7, tip=_SKIPPED),
)
_BOTH = "Gradient and updates of the {}."
_USUAL = (Reference(value=1e-3, title="usual 10⁻³"),)


def _losses(names: Sequence[str], config: RunConfig | None) -> list[Curve]:
    """A curve for each column that is a metric of the model, or else a loss."""
    # The run may be of another model than the one set up by now; without a run, any model's metrics will do.
    specs = MODELS if config is None else (model_spec(config.model.kind),)
    metrics = {name: metric for spec in specs for name, metric in spec.metrics.items()}
    references = {name: found for spec in specs for name, found in spec.references.items()}
    networks = [name.removeprefix(LOSS) for name in names if name.startswith(LOSS)]
    own = {LOSS + each: spoken(each) for each in networks if f"{each}_loss" not in metrics}
    told = {name: (f"{each.capitalize()} loss", f"What the {each} step makes small.") for name, each in own.items()}
    found = {name: metrics.get(name) or told[name] for name in [*metrics, *told] if name in names}
    return [
        Curve(name=name, title=title, tip=tip, colour=colour, references=tuple(references.get(name, ())))
        for colour, (name, (title, tip)) in enumerate(found.items())
    ]


def _networks(kind: str, references: tuple[Reference, ...], names: Sequence[str], _: RunConfig | None) -> list[Curve]:
    return [
        Curve(name=kind + each, title=said.capitalize(), tip=_BOTH.format(said), colour=colour, references=references)
        for colour, each in enumerate(networks_in(names))
        for said in (spoken(each),)
    ]


def _corrections(names: Sequence[str], _: RunConfig | None) -> list[Curve]:
    found = {name: held_class(name) for name in names if held_class(name)}
    return [
        Curve(name=name, title=each, tip=f"Applied − asked ΔH of {each}, in nats.", colour=colour, of_class=True)
        for colour, (name, each) in enumerate(found.items())
    ]


_POSITIVE = (0.0, float("inf"))
_BATCH = "How large batches are: examples n, adjusted size B and effective size ESS against step."
_OF_SIZES = "Examples n, adjusted size B, its average and Kish's ESS of logged batches."
_OF_CARRY = "Weight carried from batch to batch, and steps skipped."
_OF_LOSSES = "Losses and metrics of the run; one curve for each."
_NORM = "Norm of each network's gradient, before clipping: near 0 it learns nothing, soaring it diverges. ‖g‖ = √Σ g²."
_UPDATE = (
    "How much a step changes each network's weights: about 1e-3 is usual, 0.1 is too much, 1e-6 learns hardly. "
    "‖Δθ‖/‖θ‖."
)
_HELD = "What holding adds to the ΔH asked for, so that the shares arrive."
_ONCE_HELD = "with “Hold” on in the table of the target, points come once shares have been evaluated."
_CORRECTION = (
    "What is added to the ΔH of each class to hold the shares: above 0 it was generated too often. As far as the mean "
    "δ of all looks is surely off: δ ← δ + 3/(t + 2)·(a + u − δ), a what was added, u = log(q/p′) less its median."
)

BATCH = CurvesSpec(
    name="batch",
    title="Batch",
    empty=_BATCH,
    plots=(
        PlotSpec(
            name="sizes", title="Sizes", axis="examples", tip=_OF_SIZES, curves=lambda *_: _SIZES, limits=_POSITIVE
        ),
        PlotSpec(
            name="carry",
            title="Carry",
            axis="weight; steps",
            tip=_OF_CARRY,
            curves=lambda *_: _CARRY,
            limits=_POSITIVE,
            smooth=False,
        ),
    ),
    window=20,
    head=3,
)
LOSSES = CurvesSpec(
    name="losses",
    title="Losses",
    empty="The model's losses and metrics, a curve for each.",
    plots=(PlotSpec(name="values", title="Losses", axis="value", tip=_OF_LOSSES, curves=_losses),),
    window=20,
)
GRADIENTS = CurvesSpec(
    name="gradients",
    title="Gradients",
    empty="How strongly each network's weights are pulled, and how far a step moves them.",
    lacking="This model has no gradients, or the run is from before they were logged.",
    plots=(
        PlotSpec(
            name="norm",
            title="Norm",
            axis="gradient norm ‖g‖",
            tip=_NORM,
            curves=lambda *of: _networks(GRADIENT, (), *of),
            limits=_POSITIVE,
            logarithmic=True,
        ),
        PlotSpec(
            name="update",
            title="Update ratio",
            axis="‖Δθ‖/‖θ‖",
            tip=_UPDATE,
            curves=lambda *of: _networks(UPDATE, _USUAL, *of),
            limits=_POSITIVE,
            logarithmic=True,
        ),
    ),
    head=2,
)
_CORRECTIONS = PlotSpec(
    name="corrections",
    title="Correction",
    axis="added ΔH (nats)",
    tip=_CORRECTION,
    curves=_corrections,
    smooth=False,
)
CORRECTIONS = CurvesSpec(
    name="corrections",
    title="Held shares",
    empty=_HELD,
    coming=_ONCE_HELD,
    of_images=True,
    plots=(_CORRECTIONS,),
    head=100,
)

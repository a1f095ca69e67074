"""What a person reads instead of the name of a logged column: its title, with its unit where it has one."""

from __future__ import annotations

from collections.abc import Iterable

from studio.models.catalog import MODELS, model_spec
from studio.names import spoken
from studio.training.storage.health import GRADIENT, LOSS, UPDATE
from studio.training.storage.metrics import held_class

_TITLES = {
    "epoch": "Epochs",
    "skipped": "Steps skipped",
    "err": "Weight carried over",
    "batch_size": "Examples in a batch n",
    "adjusted_size": "Adjusted batch size B",
    "average_size": "Average adjusted size B_avg",
    "ess": "Effective sample size ESS, examples",
    "tv": "Share error TV",
    "kl": "Relative entropy KL of the shares, nats",
    "plane_tv": "Share error TV",
    "plane_kl": "Relative entropy KL, nats",
    "plane_js": "Jensen–Shannon divergence, nats",
    "plane_w1": "Wasserstein distance W₁",
    "plane_gap": "Critic gap on the plane",
    "plane_w1_floor": "W₁ of as many points of the target",
}
_OF_NETWORKS = {GRADIENT: "Gradient norm of the {}", UPDATE: "Update / weight of the {}", LOSS: "{} loss"}


def curve_title(name: str, kind: str = "") -> str:
    """The title of a column, of a run whose model is of this kind; empty if it may be any."""
    for spec in (model_spec(kind),) if kind else MODELS:
        if name in spec.metrics:
            return spec.metrics[name][0]
    if held_class(name):
        return f"Applied − asked ΔH of {held_class(name)}"
    for prefix, title in _OF_NETWORKS.items():
        if name.startswith(prefix):
            said = title.format(spoken(name.removeprefix(prefix)))
            return said[0].upper() + said[1:]
    return _TITLES.get(name) or spoken(name).capitalize()


def shared_title(name: str, kinds: Iterable[str]) -> str:
    """The title of a column of runs whose models are of these kinds; all that it has where they call it differently."""
    return " or ".join(dict.fromkeys(curve_title(name, kind) for kind in kinds)) or curve_title(name)

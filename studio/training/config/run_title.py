"""What a run is called that was given no name: "Digits · WGAN-GP · 2 → 30 %"."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from studio.data.catalog import dataset_spec
from studio.models.catalog import model_title
from studio.number_text import plain
from studio.perturb.perturbation import target_shares
from studio.training.config.presets import named_presets
from studio.training.config.run_config import PerturbationConfig, RunConfig

_SHOWN = 2
"""Classes that a tilt names."""
_NAME = 20
"""Letters of a class's name."""


def run_title(config: RunConfig, counts: Mapping[str, int] | None = None, dataset: str = "") -> str:
    """A run's own name, or else data set, as it may call itself, model and tilt, by examples of each class if known."""
    return own_name(config) or f"{kinds(config, dataset)} · {tilt_words(config.perturbation, counts) or 'no tilt'}"


def kinds(config: RunConfig, dataset: str = "") -> str:
    """Data set, as it may call itself, and model: "Digits · WGAN-GP"."""
    return f"{dataset or dataset_spec(config.dataset.kind).title} · {model_title(config.model)}"


def own_name(config: RunConfig) -> str:
    """A run's name, unless it came with a preset of other data, another model or another target, of which it tells."""
    preset = named_presets().get(config.name) if config.name else None
    return config.name if preset is None or _told(preset) == _told(config) else ""


def _told(config: RunConfig) -> tuple[object, ...]:
    target = config.perturbation
    offsets = {name: value for name, value in target.offsets.items() if value}
    return config.dataset.kind, model_title(config.model), target.model_copy(update={"offsets": offsets})


def tilt_words(target: PerturbationConfig, counts: Mapping[str, int] | None = None) -> str:
    """A target by its shares, where class offsets alone make them and the counts are known: "2 → 30 %"; else by ΔH:
    "2 −1.36, 1 term". Both are of the whole sum, its scale and temperature included. Empty without a tilt.
    """
    factor = target.model_copy(update={"terms": ()}).energy().offset_factor
    given = {name: factor * value for name, value in target.offsets.items()}
    offsets = {name: value for name, value in given.items() if value and (not counts or name in counts)}
    terms = sum(term.enabled and term.scale != 0 for term in target.terms)
    strongest = sorted(offsets, key=lambda name: -abs(offsets[name]))[:_SHOWN]
    shares = {} if terms or target.clip is not None else _shares(given, counts or {})
    words = [
        f"{name[:_NAME]} → {100 * shares[name]:.3g} %" if shares else f"{name[:_NAME]} {plain(offsets[name], '+.3g')}"
        for name in strongest
    ]
    if len(offsets) > len(strongest):
        words.append(f"{len(offsets) - len(strongest)} more")
    if terms:
        words.append(f"{terms} term{'s' * (terms > 1)}")
    if words and target.clip is not None:
        words.append(f"clipped at {plain(target.clip)}")
    return ", ".join(words)


def _shares(given: Mapping[str, float], counts: Mapping[str, int]) -> dict[str, float]:
    """p′ by class, of ΔH; nothing where the counts, which a file may hold, are none."""
    if not any(counts.values()) or min(counts.values()) < 0:
        return {}
    offsets = [given.get(name, 0.0) for name in counts]
    shares = target_shares(np.array(list(counts.values())), np.array(offsets))
    return dict(zip(counts, shares.tolist(), strict=True))

"""Run configurations that come with the studio.

Each model has one for digits, for MNIST and, if it can learn points, for a mixture of Gaussians, by the model's own
defaults; a JSON file of that name under resources/presets takes its place, where other settings are better.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from studio.errors import UserError
from studio.models.catalog import MODELS, model_spec
from studio.models.config import ModelConfig
from studio.models.spec import ModelSpec
from studio.paths import resources
from studio.training.config.file import parse_config, read_config
from studio.training.config.run_config import RunConfig

_PLANAR = "planar"
_GROUPS = {"digits": "Digits", "mnist": "MNIST", _PLANAR: "Points of the plane"}
"""By how the names of presets begin."""
_TARGETS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "digits": (
        "Digits, 30 % twos",  # of 9.85 % in the data
        {"dataset": {"kind": "digits"}, "perturbation": {"offsets": {"2": -1.3667}}},
    ),
    "mnist-twos-30": (
        "MNIST, 30 % twos",  # of 9.93 %
        {"dataset": {"kind": "mnist"}, "perturbation": {"offsets": {"2": -1.3577}}},
    ),
    _PLANAR: (
        "Mixture with more of the north",
        {
            "dataset": {"kind": "planar_mixture"},
            "perturbation": {"offsets": {"north": -2.5}},
            "batch": {"average_size": 128},
            "cadence": {"sample_every": 1.0, "samples": 400},
        },
    ),
}

_SHORT = {"mnist-twos-30": "mnist-twos-30-wgan_gp"}
"""What a preset may be called for short."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A configuration by name, among the presets that are for data of its sort."""

    name: str
    group: str
    read: Callable[[], RunConfig]


def presets() -> tuple[Preset, ...]:
    """All presets, by name."""
    found = {
        f"{target}-{spec.kind}": partial(_by_default, target, spec)
        for target in _TARGETS
        for spec in MODELS
        if target != _PLANAR or spec.fault_on_points(spec.config(kind=spec.kind)) is None
    }
    found |= {path.stem: partial(read_config, path) for path in (resources() / "presets").glob("*.json")}
    return tuple(
        Preset(name=name, group=_GROUPS[name.partition("-")[0]], read=read) for name, read in sorted(found.items())
    )


@cache
def named_presets() -> Mapping[str, RunConfig]:
    """The same by the names that they bring along."""
    return {config.name: config for config in (preset.read() for preset in presets())}


def _by_default(target: str, spec: ModelSpec) -> RunConfig:
    title, settings = _TARGETS[target]
    return parse_config({"name": f"{title}, {spec.title}", "model": {"kind": spec.kind}, **settings}, target)


def preset_named(text: str) -> Preset | None:
    """The preset of that name, in full or for short, if there is one."""
    return next((preset for preset in presets() if preset.name == _SHORT.get(text, text)), None)


@cache
def usual_model(kind: str, *, points: bool) -> ModelConfig:
    """A model as it is usually set: for images by itself, for points by the preset that shows it on them."""
    preset = preset_named(f"{_PLANAR}-{kind}") if points else None
    return preset.read().model if preset is not None else model_spec(kind).config(kind=kind)


def is_configuration(text: str) -> bool:
    """Whether it is a preset's name, or says of itself that it is a configuration file."""
    return preset_named(text) is not None or Path(text).suffix.lower() == ".json" or os.path.isfile(text)


def config_or_preset(text: str) -> RunConfig:
    """The preset of that name, or else the configuration file at that path; raises UserError if there is neither."""
    if not is_configuration(text):
        raise UserError(
            "There is no such configuration",
            f"“{text}” is neither a preset nor a file nor a run.",
            "`studio presets` lists the presets.",
        )
    preset = preset_named(text)
    return preset.read() if preset is not None else read_config(Path(text))

"""Run configurations that come with the studio, one JSON file each under resources/presets."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from studio.errors import UserError
from studio.paths import resources
from studio.training.config.file import read_config
from studio.training.config.run_config import RunConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A configuration by name.

    Attributes:
        name: the file's, without its ending.
    """

    name: str
    path: Path

    def read(self) -> RunConfig:
        return read_config(self.path)


def presets() -> tuple[Preset, ...]:
    """All presets, by name."""
    return tuple(Preset(name=path.stem, path=path) for path in sorted((resources() / "presets").glob("*.json")))


def is_configuration(text: str) -> bool:
    """Whether it is a preset's name, or says of itself that it is a configuration file."""
    preset = any(preset.name == text for preset in presets())
    return preset or Path(text).suffix.lower() == ".json" or os.path.isfile(text)


def config_or_preset(text: str) -> RunConfig:
    """The preset of that name, or else the configuration file at that path.

    Raises:
        UserError: there is neither, or the file is not a configuration.
    """
    if not is_configuration(text):
        raise UserError(
            "There is no such configuration",
            f"“{text}” is neither a preset nor a file nor a run.",
            "`studio presets` lists the presets.",
        )
    for preset in presets():
        if preset.name == text:
            return preset.read()
    return read_config(Path(text))

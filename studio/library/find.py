"""A run by what a person calls it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from studio.errors import UserError
from studio.library.index import RunIndex
from studio.paths import runs_root
from studio.training.config.presets import config_or_preset, is_configuration
from studio.training.config.run_config import RunConfig
from studio.training.storage.run_identity import RunIdentity


def find_run(name: str, workspace: Path | None = None) -> Path:
    """The run's folder: a folder, or that of a name in a workspace; raises UserError if there is none, or several."""
    path, root = Path(name), workspace or runs_root()
    if os.path.isfile(path / "config.json"):
        return path
    entries = RunIndex(root).refresh()
    found = [entry.folder for entry in entries if entry.folder == name]
    found = found or [entry.folder for entry in entries if entry.name == name]
    if len(found) == 1:
        return root / found[0]
    if not found and os.path.isdir(path):
        return path  # whoever reads it says what it lacks
    if found:
        raise UserError("More than one run has that name", f"{', '.join(found)}.", "Name the folder of one of them.")
    raise UserError("There is no such run", f"“{name}” is no folder, and no run in {root}.", "List them: studio runs.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What a person trains or opens by a name: a preset's, a file's or a run's configuration, and that run."""

    config: RunConfig = field(default_factory=RunConfig)
    run: RunIdentity | None = None

    def root(self, given: Path | None) -> Path | None:
        """The given folder of downloaded data sets, or where a run's were; raises UserError if they are gone."""
        return self.run.root(given) if self.run is not None and self.run.data_root is not None else given


def config_of(text: str) -> Named:
    """The configuration of a preset, a file or a run; raises UserError if there is none of them, or it is damaged."""
    if is_configuration(text):
        return Named(config=config_or_preset(text))
    try:
        run = find_run(text)
    except UserError:
        return Named(config=config_or_preset(text))  # whose message says what it could have been
    found = RunIdentity.read(run)
    return Named(config=found.wanted, run=found)

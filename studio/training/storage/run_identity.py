"""What exactly a run is: its target, its data and its state, as its folder says; every command and panel asks here.

    target   what the weights were trained towards, after all edits        summary.json, else config.json
    applied  what examples were weighted by, where shares are held          summary.json
    data     fingerprints of everything that enters log w                   summary.json
    places   where these data lie, and lay                                  config.json and summary.json
    state    the step of the weights, and who writes into the folder now    summary.json and .owner

config.json is what the run goes on with: a person may edit it. What it says of the weights that are there counts only
as far as the summary does not say otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from studio.data.catalog import dataset_spec, load_dataset, not_here_yet
from studio.data.example_set import ExampleSet
from studio.errors import UserError
from studio.files import read_bytes
from studio.paths import default_data_root
from studio.perturb.example_features import ExampleFeatures
from studio.perturb.perturbation import Gauge, Perturbation
from studio.progress import Progress
from studio.training.config.assignments import with_settings
from studio.training.config.energy import EnergyConfig, energy_config_of_record
from studio.training.config.file import parse_config, read_config
from studio.training.config.run_config import PerturbationConfig, RunConfig
from studio.training.storage.checkpoint_store import CheckpointStore
from studio.training.storage.data_paths import with_places_of, without_places
from studio.training.storage.fingerprints import Fingerprints
from studio.training.storage.folder_lock import owner_of


@dataclass(frozen=True, slots=True, kw_only=True)
class RunIdentity:
    """Of one run.

    Attributes:
        trained: in force at its last step, all edits included.
        config: in force when its weights were saved, with what no weight depends on, such as where its data lie, as
            config.json has it now.
        wanted: config.json: what it would go on with, and another run like it begin with.
        data: fingerprints of its data; None before it is saved for the first time.
        data_root: folder of downloaded data sets that it was trained with; None where that is not known.
        weights_step: step that its weights are of; None where the summary does not say.
        corrected: applied offsets by class name, where holding the shares has corrected those asked for.
        learned: what its weights were trained towards; None for the target in force, which an edit may have made
            another since the last step was taken.
    """

    folder: Path
    trained: RunConfig
    config: RunConfig
    wanted: RunConfig
    data: Fingerprints | None = None
    data_root: Path | None = None
    weights_step: int | None = None
    corrected: Mapping[str, float] | None = None
    learned: PerturbationConfig | None = None

    @classmethod
    def read(cls, folder: Path) -> RunIdentity:
        """That of the run in a folder, which need not have been saved yet; raises UserError if none, or damaged."""
        summary = read_summary(folder) if (folder / "summary.json").exists() else {}
        return cls.of(folder, read_config(folder / "config.json"), summary)

    @classmethod
    def of(cls, folder: Path, config: RunConfig, summary: Mapping[str, Any]) -> RunIdentity:
        """The same from what config.json and summary.json hold. Raises UserError if the summary is damaged."""
        try:
            saved = parse_config(summary["config"], "summary.json") if summary else config
            before = _until_saved(summary)
            since = summary.get("edits", ())[len(before) :]
            step, root = summary.get("weights_step"), summary.get("data_root")
            held = summary.get("held")
            return cls(
                folder=folder,
                trained=saved.model_copy(update={"perturbation": noted_target(since[-1])}) if since else saved,
                config=_looked_at(saved, config),
                wanted=config,
                data=Fingerprints.model_validate(summary["data"]) if summary else None,
                data_root=Path(root) if isinstance(root, str) and root else None,
                weights_step=step if isinstance(step, int) else None,
                corrected=PerturbationConfig(offsets=held["applied"]).offsets if held else None,
                learned=learned_target(summary.get("began_with"), before, step),
            )
        except (KeyError, ValueError, TypeError) as error:
            raise UserError(
                "The run's summary cannot be read",
                f"{folder / 'summary.json'} does not hold the target and the data that the run ended with.",
                "It was changed after the run.",
            ) from error

    @property
    def owner(self) -> str:
        """Who writes into its folder now, in words; empty if nobody does."""
        return owner_of(self.folder)

    @property
    def target(self) -> PerturbationConfig:
        """In force, as it was asked for."""
        return self.config.perturbation

    @property
    def applied(self) -> PerturbationConfig:
        """What examples were weighted by when the run was saved last: the target, or what holding made of it."""
        if self.corrected is None:
            return self.target
        return self.target.model_copy(update={"offsets": dict(self.corrected)})

    @property
    def kept_steps(self) -> list[int]:
        """Steps whose weights are on disk, ascending."""
        steps = {*CheckpointStore(self.folder).steps, self.weights_step}
        return sorted(step for step in steps if step is not None)

    def at(self, assignments: Sequence[str]) -> RunIdentity:
        """The same run with its data in other places, ``path=value``; raises UserError if they change anything else."""
        config = with_settings(self.config, assignments)
        if without_places(config) != without_places(self.config):
            raise UserError(
                "Only the location of its data can be changed for an existing run",
                f"{' '.join(assignments)} would make it another run.",
                "Set dataset.path or the like; or train a new run.",
            )
        return replace(self, config=config)

    def root(self, given: Path | None = None) -> Path:
        """Folder of downloaded data sets to look in: the given one, or where the run's data were, or the person's own;
        raises UserError if its data are in none of them, though they were elsewhere.
        """
        own = default_data_root()
        if given is not None:
            return given.absolute()
        if self.data_root is None or self.data_root == own:
            return own
        for place in (self.data_root, own):
            if place.is_dir() and not dataset_spec(self.config.dataset.kind).download_bytes(place):
                return place
        if not_here_yet(self.config.dataset, own) is None:
            return own
        raise UserError(
            "The run's data set is not where it was",
            f"{dataset_spec(self.config.dataset.kind).title} was in {self.data_root}.",
            f"Say where it lies now with --data-root DIR; with --data-root {own} it is downloaded.",
            field="dataset",
        )

    def root_here(self, first: Path) -> Path | None:
        """The folder of downloaded data sets that holds the run's, of this one and the one where it was; else None."""
        places = (first, self.data_root)
        return next((each for each in places if each and not_here_yet(self.config.dataset, each) is None), None)

    def load(self, root: Path, progress: Progress | None = None) -> ExampleSet:
        """What lies where the run's data set lay, perhaps another: see `ensure_data`; UserError if unreadable."""
        try:
            return load_dataset(self.config.dataset, root, progress)
        except UserError as error:
            if error.field == "dataset.path":
                hint = "If it was moved, say where it lies now: --set dataset.path=FOLDER."
                raise UserError(error.title, error.message, hint, field=error.field) from error
            raise

    def ensure_data(self, found: ExampleSet) -> None:
        """Refuse a data set that is not the run's, as far as its own is known; raises UserError if it is another."""
        if self.data is not None:
            self.data.ensure_data(found)

    def perturbation(self, measured: ExampleFeatures) -> Perturbation:
        """The target in force, on the run's data; raises UserError if what it asks of the examples has changed."""
        found = self.target.resolve(measured.class_names)
        if self.data is not None:
            self.data.ensure_columns(measured, found.energy)
        return found


def learned_target(
    began: Mapping[str, Any] | None, edits: Sequence[Mapping[str, Any]], step: object
) -> PerturbationConfig | None:
    """What weights of a step were trained towards, where an edit at that very step came after it; else None.

    Raises KeyError, TypeError or ValueError if what was noted of the run is no target.
    """
    noted = noted_of_step(began, edits, step) if edits and isinstance(step, int) else None
    return noted_target(noted) if noted is not None and noted is not edits[-1] else None


def noted_of_step(
    began: Mapping[str, Any] | None, edits: Sequence[Mapping[str, Any]], step: int
) -> Mapping[str, Any] | None:
    """What was noted of the target of a step: the one by which it was taken, of step 0 the first; None if it was not.

    An edit at that very step came after it, and after the weights, the samples and the curves of the step.
    """
    told = [*([{"revision": 0, **began, "step": -1}] if began else []), *edits]
    return _in_force(told, step)


def _in_force(noted: Sequence[Mapping[str, Any]], step: int) -> Mapping[str, Any] | None:
    return next((each for each in reversed(noted) if each["step"] < max(step, 0)), None)


def noted_targets(summary: Mapping[str, Any]) -> dict[int, PerturbationConfig]:
    """What a run was trained towards, by revision, as far as it was noted.

    Raises KeyError, TypeError or ValueError if what was noted is no target.
    """
    return {int(each["revision"]): noted_target(each) for each in _targets(summary)}


def noted_target(noted: Mapping[str, Any]) -> PerturbationConfig:
    """What was noted of one target; raises KeyError, TypeError or ValueError if it is none."""
    offsets = {name: value for name, value in dict(noted["offsets"]).items() if value}
    energy = energy_config_of_record(noted["energy"]) if "energy" in noted else EnergyConfig()
    return PerturbationConfig(offsets=offsets, gauge=noted.get("gauge", Gauge.NORMALISED)).with_energy(energy)


def is_of_another_target(summary: Mapping[str, Any], *, revision: int | None = None, step: int = 0) -> bool:
    """Whether the target of a revision, or the one by which a step was taken, was another than the run ended with, as
    far as both were noted.
    """
    noted = _targets(summary)
    if revision is None and (found := _in_force(noted, step)) is not None:
        revision = found.get("revision")
    if not noted or revision is None:
        return False
    last, targets = noted[-1], {each.get("revision"): each for each in noted}
    here = targets.get(revision, {})  # of a run that was cut off, an edit after the last save is not noted
    return any(here.get(part) != last.get(part) for part in ("offsets", "gauge", "energy"))


def target_since(summary: Mapping[str, Any]) -> int:
    """Step after which the target that the run ended with has been in force; 0 if from its beginning."""
    return max([0, *(int(each["step"]) for each in _targets(summary))])


def _until_saved(summary: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Edits up to the last save: a run that is under way, or was cut off, may have noted more."""
    edits, last = summary.get("edits", ()), summary.get("revision")
    return edits if last is None else [each for each in edits if each["revision"] <= last]


def _targets(summary: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What was noted of the targets of a run, the first one at step −1, in the order of time."""
    began, edits = summary.get("began_with"), summary.get("edits")
    first = [{"revision": 0, **began, "step": -1}] if isinstance(began, dict) else []
    later = [each for each in edits if isinstance(each, dict)] if isinstance(edits, list | tuple) else []
    return [each for each in (*first, *later) if isinstance(each.get("step"), int)]


def nearest_kept(steps: Sequence[int], step: int) -> int:
    """The step nearest to this one of those whose weights are kept, at least one; 0, from before training, is near to
    no other, as long as there are others.
    """
    learned = [each for each in steps if each > 0 or each == step]
    return min(learned or steps, key=lambda each: (abs(each - step), each))


def _looked_at(trained: RunConfig, now: RunConfig) -> RunConfig:
    """What was trained, with what of config.json has no part in that."""
    free = {name: getattr(now, name) for name in ("name", "cadence", "evaluation", "threads", "device")}
    return with_places_of(trained, now).model_copy(update=free)


def read_summary(path: Path) -> Mapping[str, Any]:
    """What a run's summary.json holds, unchecked. Raises UserError if it is missing or no summary at all."""
    try:
        summary = json.loads(read_bytes(path / "summary.json"))
        if not isinstance(summary, dict):
            raise TypeError("it holds no JSON object")
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise no_summary(path, error) from error
    return summary


def no_summary(path: Path, error: Exception) -> UserError:
    """The error of a summary that does not hold what it should."""
    return UserError(
        "The run's summary cannot be read",
        f"{path / 'summary.json'}: {error}.",
        "The run may have been cut off before its first save.",
    )

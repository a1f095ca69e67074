"""Runs read from their folders as the panels show them: whole, at one step, and up to where one is gone on with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from studio.evaluation.arrival import KEPT, Sighting
from studio.evaluation.tables import curve_values, evaluation_of
from studio.gui.state.history import History
from studio.library.notes import read_notes
from studio.perturb.perturbation import Gauge
from studio.progress import Progress
from studio.training.config.energy import EnergyConfig, energy_config_of_record
from studio.training.config.run_config import PerturbationConfig, RunConfig
from studio.training.config.run_title import run_title
from studio.training.messages.events import Evaluated
from studio.training.storage.frames import Frame, FrameStore
from studio.training.storage.metrics import Metrics, RecordedEvaluation, newest_evaluations, read_metrics
from studio.training.storage.run_identity import RunIdentity, no_summary, read_summary


@dataclass(frozen=True, slots=True, kw_only=True)
class OldRun:
    """A run read from its folder.

    Attributes:
        kept: steps whose weights are there, ascending.
        data: fingerprint of its data set; empty where that is not known.
    """

    folder: Path
    title: str
    config: RunConfig
    last: int
    kept: list[int]
    data: str
    history: History = field(repr=False)
    evaluations: History = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What is on disk of a step.

    Attributes:
        recent: the last evaluations, the oldest first.
        target: in force, and its revision; None where it is not known.
    """

    frame: Frame | None
    evaluation: Evaluated | None
    recent: tuple[Sighting, ...] = ()
    target: PerturbationConfig | None = None
    revision: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What a run has behind it where it is gone on with.

    Attributes:
        recent: its last few evaluations, the oldest first.
    """

    history: History = field(repr=False, default_factory=History)
    evaluations: History = field(repr=False, default_factory=History)
    recent: tuple[Evaluated, ...] = ()


def read_old_run(folder: Path, progress: Progress) -> OldRun:
    """A run from its folder.

    Raises:
        UserError: it is damaged.
        Cancelled: the person cancelled.
    """
    identity = RunIdentity.read(folder)
    config, counts = identity.trained, identity.data.classes if identity.data is not None else None
    metrics = read_metrics(folder, progress.part(0.0, 0.9))
    history = History.of(metrics)
    history.prepare(progress.part(0.9, 1.0))
    frames = FrameStore(folder)
    return OldRun(
        folder=folder,
        title=read_notes(folder).name or run_title(config, counts),
        config=config,
        last=int(max([0, *metrics.steps[-1:], *frames.steps[-1:]])),
        kept=identity.kept_steps,
        data=identity.data.data if identity.data is not None else "",
        history=history,
        evaluations=_evaluations(metrics),
    )


def read_past(folder: Path, step: int, progress: Progress) -> Past:
    """A run up to a step.

    Raises:
        UserError: its metrics are damaged.
        Cancelled: the person cancelled.
    """
    metrics = read_metrics(folder, progress.part(0.0, 0.9))
    history = History.of(metrics).until(step)
    history.prepare(progress.part(0.9, 1.0))
    return Past(history=history, evaluations=_evaluations(metrics).until(step), recent=tuple(_newest(folder, step)))


def read_moment(folder: Path, step: int) -> Moment:
    """What is on disk of a step, or else of the newest before it.

    Raises:
        UserError: it is damaged.
    """
    found, frames = _newest(folder, step), FrameStore(folder)
    frame = frames.at(step)
    if frame is not None:
        diagnosed, diagnostics = frames.diagnosed_at(step)
        frame = replace(frame, diagnostics=diagnostics, diagnosed=diagnosed)
    target, revision = _target_at(folder, step, frame)
    evaluation = found[-1] if found else None
    return Moment(frame=frame, evaluation=evaluation, recent=sightings(found), target=target, revision=revision)


def _target_at(folder: Path, step: int, frame: Frame | None) -> tuple[PerturbationConfig | None, int]:
    """The target in force at a step, by what the run noted that it began with and was edited to.

    Runs of before that was noted say so of their edits alone; until the first, it is by the offsets of the samples,
    if no edit has terms.

    Raises:
        UserError: the run is damaged.
    """
    target = RunIdentity.read(folder).trained.perturbation
    summary = read_summary(folder) if (folder / "summary.json").exists() else {}
    edits, began = summary.get("edits"), summary.get("began_with")
    if not edits:
        return target, frame.revision if frame is not None else 0
    try:
        known = [{"step": 0, "revision": 0} | began, *edits] if began else edits
        past = [edit for edit in known if edit["step"] <= step]
        if past:
            energy = energy_config_of_record(past[-1]["energy"]) if "energy" in past[-1] else EnergyConfig()
            gauge = Gauge(past[-1].get("gauge", target.gauge))
            found = PerturbationConfig(offsets=_but_zeros(past[-1]["offsets"]), gauge=gauge)
            return found.with_energy(energy), int(past[-1]["revision"])
        if frame is None or any("energy" in edit for edit in edits):
            return None, 0
        return target.model_copy(update={"offsets": _but_zeros(frame.offsets)}), frame.revision
    except (KeyError, TypeError, ValueError) as error:
        raise no_summary(folder, error) from error


def _but_zeros(offsets: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in offsets.items() if value}


def _newest(folder: Path, step: int) -> list[Evaluated]:
    found = [_evaluated(each) for each in newest_evaluations(folder, step, KEPT)]
    return [each for each in found if each is not None]


def sightings(found: Iterable[Evaluated]) -> tuple[Sighting, ...]:
    """What evaluations saw of the classes."""
    return tuple(Sighting.of(each.step, each.evaluation) for each in found)


def _evaluations(metrics: Metrics) -> History:
    history = History()
    for found in metrics.evaluations:
        evaluated = _evaluated(found)
        if evaluated is not None:
            history.append(found.step, curve_values(evaluated.evaluation))
    return history


def _evaluated(found: RecordedEvaluation) -> Evaluated | None:
    """The evaluation itself; None where its record does not hold one."""
    try:
        evaluation = evaluation_of(found.record)
    except ValueError:
        return None
    return Evaluated(step=found.step, seconds=found.seconds, revision=found.revision, evaluation=evaluation)

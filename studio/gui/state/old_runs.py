"""Runs read from their folders as the panels show them: whole, at one step, and up to where one is gone on with."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from studio.errors import UserError
from studio.evaluation.arrival import KEPT, Sighting
from studio.evaluation.record import curve_values, evaluation_of, record
from studio.gui.state.history import History
from studio.library.run_summary import stamp_of, summary_of
from studio.progress import Progress
from studio.training.config.run_config import PerturbationConfig, RunConfig
from studio.training.messages.events import Evaluated
from studio.training.storage.folder_lock import owner_of
from studio.training.storage.frames import Frame, FrameStore
from studio.training.storage.metrics import Metrics, RecordedEvaluation, newest_evaluations, newest_point, read_metrics
from studio.training.storage.run_identity import RunIdentity, no_summary, noted_of_step, noted_target, read_summary

_UNSAVED = "not saved yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class OldRun:
    """A run read from its folder.

    Attributes:
        kept: steps whose weights are there, ascending.
        data: fingerprint of its data set; empty where that is not known.
        started: when, which tells it from another one that may lie there later.
        stamp: of its files as they were read.
        owner: who wrote into its folder then, in words; empty if nobody did.
    """

    folder: Path
    title: str
    config: RunConfig
    last: int
    kept: list[int]
    data: str
    started: str
    stamp: str
    owner: str
    history: History = field(repr=False)
    evaluations: History = field(repr=False)

    @property
    def has_changed(self) -> bool:
        """Whether files in its folder have, as where the run went on elsewhere or was evaluated."""
        return stamp_of(self.folder) != self.stamp

    @property
    def is_gone(self) -> bool:
        """Whether its folder was moved, renamed or deleted, and perhaps another one put there."""
        try:
            now = _started(self.folder)
        except UserError:  # damaged, but there
            return False
        return not now or self.started not in (now, _UNSAVED)

    def gone_on(self, now: OldRun) -> OldRun:
        """The same, read again: in the histories that panels know, so that curves stay as they are looked at."""
        self.history.become(now.history)
        self.evaluations.become(now.evaluations)
        return replace(now, history=self.history, evaluations=self.evaluations)


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
    stamp, owner, identity = stamp_of(folder), owner_of(folder), RunIdentity.read(folder)
    metrics = read_metrics(folder, progress.part(0.0, 0.9))
    history = History.of(metrics)
    history.prepare(progress.part(0.9, 1.0))
    frames = FrameStore(folder)
    return OldRun(
        folder=folder,
        title=summary_of(folder).name,
        config=identity.trained,
        last=int(max([0, *metrics.steps[-1:], *frames.steps[-1:]])),
        kept=identity.kept_steps,
        data=identity.data.data if identity.data is not None else "",
        started=_started(folder),
        stamp=stamp,
        owner=owner,
        history=history,
        evaluations=_evaluations(metrics),
    )


def read_again(run: OldRun, progress: Progress) -> OldRun | None:
    """A run that was read before, without a word to `progress`; None if it has not changed, or is not there any more.

    Raises as `read_old_run` does.
    """
    if run.is_gone or not (run.has_changed or owner_of(run.folder) != run.owner):
        return None
    return read_old_run(run.folder, Progress(lambda *_: progress.check()))


def has_gone_on(folder: Path, step: int) -> bool:
    """Whether another process has gone on with a run that was left at this step, as far as that can be told."""
    with suppress(UserError):
        return newest_point(folder)[0] > step
    return False


def _started(folder: Path) -> str:
    """When a run began, as far as it was saved; empty of a folder that holds none."""
    if (folder / "summary.json").exists():
        return str(read_summary(folder).get("started", _UNSAVED))
    return _UNSAVED if (folder / "config.json").exists() else ""


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


def read_moment_of(run: OldRun, step: int) -> Moment:
    """The same of a run that was read before; raises UserError, too, if it is not there any more."""
    if run.is_gone:
        hint = "It was moved, renamed or deleted: look for it among the runs."
        raise UserError(f"“{run.title}” is not there any more", f"{run.folder}.", hint)
    return read_moment(run.folder, step)


def with_told(moment: Moment, told: Iterable[Evaluated], step: int) -> Moment:
    """The same with the evaluations that a run has told of by then, in the order of their steps: not all need be on
    disk yet.
    """
    known, newest = [each for each in told if each.step <= step], moment.evaluation
    if not known or (newest is not None and newest.step > known[-1].step):
        return moment
    before = [seen for seen in moment.recent if seen.step < known[0].step]
    return replace(moment, evaluation=known[-1], recent=(*before, *sightings(known[-KEPT:]))[-KEPT:])


def _target_at(folder: Path, step: int, frame: Frame | None) -> tuple[PerturbationConfig | None, int]:
    """The target of a step, by what the run noted that it began with and was edited to.

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
        noted = noted_of_step(began, edits, step)
        if noted is not None:
            return noted_target({"gauge": target.gauge, **noted}), int(noted["revision"])
        if frame is None or any("energy" in edit for edit in edits):
            return None, 0
        offsets = {name: value for name, value in frame.offsets.items() if value}
        return target.model_copy(update={"offsets": offsets}), frame.revision
    except (KeyError, TypeError, ValueError) as error:
        raise no_summary(folder, error) from error


def _newest(folder: Path, step: int) -> list[Evaluated]:
    found = [_evaluated(each) for each in newest_evaluations(folder, step, KEPT)]
    return [each for each in found if each is not None]


def sightings(found: Iterable[Evaluated]) -> tuple[Sighting, ...]:
    """What evaluations saw of the classes."""
    return tuple(Sighting.of(each.step, each.evaluation) for each in found)


def as_kept(found: Evaluated) -> Evaluated:
    """An evaluation as it is on disk: without the samples, which are most of it."""
    if not len(found.evaluation.specimens.labels):
        return found
    return replace(found, evaluation=evaluation_of(record(found.evaluation)))


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

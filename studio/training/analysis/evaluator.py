"""Evaluation while a run trains: in pieces between steps, within a budget, by random numbers of its own.

A piece is begun only while  spent + expected ≤ budget × time trained. A quarter more than the longer of its last two
likes took is expected, and of a kind that was not done yet as much as of the dearest that was. What an evaluation
leaves of it is not saved up: where the judge came late, one follows at once, and not one upon the other. The model is
copied first, so that all samples of an evaluation are of one step, however many steps its pieces are spread over.
Training takes no notice: nothing of it is drawn from, and nothing of it is changed.
"""

from __future__ import annotations

import copy
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from studio.errors import UserError
from studio.evaluation.evaluation import LEAST_SAMPLES, Evaluation, TiltedData, evaluate
from studio.models.base import GenerativeModel
from studio.perturb.perturbation import Perturbation
from studio.training.config.run_config import EvaluationConfig
from studio.training.engine.samples import draw_parts, independent
from studio.training.engine.trainer import Trainer
from studio.training.examples.measured_set import whole_log_weights
from studio.training.messages.events import Evaluated, Evaluating, EvaluationEnded

if TYPE_CHECKING:
    from studio.evaluation.judge import Judge

_EVALUATIONS, _LOOKS = 0xE7A1, 0x100C
"""Streams of latents: of evaluations, and of those by which shares are held."""

CHUNK = 16
"""Samples drawn in one piece, for which training pauses: 50 of a diffusion model take 1.4 s of a slow laptop."""

_LONGER = 1.25
"""Than the last ones, for a busy machine is not always as busy."""

_LEAST_SECONDS = 1.0
"""Training time between the beginnings of two evaluations."""


def judged_count(model: GenerativeModel, asked: int) -> int:
    """As many of these samples as are independent of each other; raises UserError if they are too few."""
    count = independent(model, asked)
    if count < LEAST_SAMPLES:
        raise UserError(
            "Too few samples to evaluate",
            f"{asked:,} were asked for, of which {count} are independent.",
            f"Use at least {LEAST_SAMPLES}, and a model of as many chains or a buffer as large.",
        )
    return count


def cannot_hold(why: str) -> UserError:
    """What to tell of shares that cannot be held."""
    hint = "Shares are held by the judge of the data set itself, which needs images with classes; else switch it off."
    return UserError("The shares cannot be held", why, hint, field="hold.on")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A piece of an evaluation about to be done, and the fraction that is; those of one name take about as long."""

    name: str
    fraction: float


class EvaluationJob:
    """One evaluation of one model, piece by piece: iterate, and `result` is there at the end.

    The model, in eval mode, is not changed by anybody meanwhile; `target` makes the tilted data, when it is its turn.
    """

    def __init__(
        self, model: GenerativeModel, judge: Judge, target: Callable[[], TiltedData], count: int, rng: torch.Generator
    ) -> None:
        self.result: Evaluation | None = None
        self._pieces = self._work(model, judge, target, count, rng)
        self.next: Piece | None = next(self._pieces)

    def advance(self) -> None:
        self.next = next(self._pieces, None)

    def _work(
        self, model: GenerativeModel, judge: Judge, target: Callable[[], TiltedData], count: int, rng: torch.Generator
    ) -> Iterator[Piece]:
        drawn: list[NDArray[np.uint8]] = []
        counts = [min(CHUNK, count - start) for start in range(0, count, CHUNK)]
        parts = draw_parts(model, counts, rng)
        for place in range(len(counts)):
            yield Piece(name="Drawing samples", fraction=0.8 * place * CHUNK / count)
            part = next(parts)
            assert part.dtype == np.uint8
            drawn.append(part.astype(np.uint8, copy=False))
        images = np.concatenate(drawn)
        yield Piece(name="Judging samples", fraction=0.8)
        judgement = judge.judge(images)
        yield Piece(name="Weighting the data", fraction=0.85)
        wanted = target()
        yield Piece(name="Comparing", fraction=0.9)
        self.result = evaluate(judge, wanted, images, judgement)


class Evaluator:
    """Evaluates the averaged model of one run by the judge, None before it is trained.

    Attributes:
        demanded: somebody waits for an evaluation, so that training stands still for it.
        judged_by: fingerprint of the judge that shares are held by.
    """

    def __init__(self, trainer: Trainer, judge: Callable[[], Judge | None]) -> None:
        self._trainer = trainer
        self._judge = judge
        self._config: EvaluationConfig = trainer.config.evaluation
        self._budget = self._config.budget
        self._rng = _latents(trainer, _EVALUATIONS)
        self._job: EvaluationJob | None = None
        self._began = (0, 0.0, 0)  # step, seconds and revision that the job is of
        self._next = 0.0
        self.demanded = False
        self._targets: tuple[Perturbation, int, TiltedData] | None = None
        self.judged_by = ""
        self._costs: dict[str, deque[float]] = {}
        self.spent = 0.0

    def demand(self, seconds: float) -> EvaluationEnded | None:
        """Begin an evaluation of this moment for a person who waits; an event if that cannot be."""
        judge = self._judge()
        if judge is None:
            return EvaluationEnded(step=self._trainer.step_count)
        self._begin(judge, seconds, self._config.samples, self._rng)
        self.demanded = True
        return None

    def look(self, seconds: float) -> None:
        """Begin the look of this moment by which shares are held, whatever came before; UserError if it cannot be."""
        judge, trainer = self._judge(), self._trainer
        if judge is None or judge.class_names != trainer.data.class_names:
            raise cannot_hold("The judge tells other classes apart." if judge else "There is no judge yet.")
        self.judged_by = judge.fingerprint
        self._begin(judge, seconds, trainer.config.hold.samples, _latents(trainer, _LOOKS))
        self.demanded = True

    def cancel(self) -> EvaluationEnded:
        """Give up the evaluation that the person waits for."""
        self._job, self.demanded = None, False
        return EvaluationEnded(step=self._trainer.step_count)

    def rest(self) -> EvaluationEnded:
        """Give up what is under way, and evaluate on demand only from now on."""
        self._budget = 0.0
        return self.cancel()

    def turn(self, seconds: float) -> Evaluated | None:
        """Between two steps, after so many seconds of training: do what the budget allows; an evaluation, if any."""
        if not self._budget or self._trainer.config.hold.on:
            return None
        began, allowed = time.perf_counter(), self._budget / 100 * seconds
        done = self._do_what_is_left(seconds, allowed - self.spent, began)
        self.spent += time.perf_counter() - began  # looking is not for nothing either, between quick steps
        if done is not None:
            self.spent = max(self.spent, allowed)
        return done

    def _do_what_is_left(self, seconds: float, left: float, began: float) -> Evaluated | None:
        """As much as `left` seconds allow, that began at `began`."""
        if self._job is None:
            judge = self._judge() if left > 0 and seconds >= self._next else None
            if judge is None or self._expected("Drawing samples") > left:
                return None
            self._next = seconds + _LEAST_SECONDS
            self._begin(judge, seconds, self._config.samples, self._rng)  # which copies the model
        while self._job is not None and self._job.next is not None:
            if time.perf_counter() - began + self._expected(self._job.next.name) > left:
                return None
            self._do_piece(self._job)
        return self._completed()

    def advance(self) -> Evaluated | Evaluating:
        """Do a piece of the evaluation that the person waits for; it costs no budget."""
        assert self._job is not None
        if self._job.next is not None:
            self._do_piece(self._job)
        if self._job.next is not None:
            return Evaluating(step=self._trainer.step_count, text=self._job.next.name, fraction=self._job.next.fraction)
        self.demanded = False
        done = self._completed()
        assert done is not None
        return done

    def _expected(self, name: str) -> float:
        costs = self._costs.get(name) or [max(each) for each in self._costs.values()]
        return _LONGER * max(costs, default=0.0)

    def _begin(self, judge: Judge, seconds: float, samples: int, rng: torch.Generator) -> None:
        trainer, perturbation = self._trainer, self._trainer.perturbation
        count = judged_count(trainer.model, samples)
        model = copy.deepcopy(trainer.average.model)
        self._began = (trainer.step_count, seconds, perturbation.revision)
        self._job = EvaluationJob(model, judge, lambda: self._target(judge, perturbation, count), count, rng)

    def _target(self, judge: Judge, perturbation: Perturbation, count: int) -> TiltedData:
        if self._targets is None or self._targets[:2] != (perturbation, count):
            log_weights = whole_log_weights(perturbation, self._trainer.measured)
            self._targets = perturbation, count, TiltedData.of(judge, log_weights, count)
        return self._targets[2]

    def _do_piece(self, job: EvaluationJob) -> None:
        """Do it, and remember what it cost."""
        assert job.next is not None
        name, began = job.next.name, time.perf_counter()
        job.advance()
        self._costs.setdefault(name, deque(maxlen=2)).append(time.perf_counter() - began)

    def _completed(self) -> Evaluated | None:
        job, self._job = self._job, None
        if job is None or job.result is None:
            return None
        step, seconds, revision = self._began
        return Evaluated(step=step, seconds=seconds, revision=revision, evaluation=job.result)


def _latents(trainer: Trainer, stream: int) -> torch.Generator:
    """Latents of a stream from this step on, which have nothing to do with those from another: errors average out, and
    no samples confirm themselves. The seed is a mixture, for generators of a processor take the last 32 bits of one.
    """
    mixed = np.random.SeedSequence((trainer.config.seed, stream, trainer.step_count)).generate_state(1)
    return torch.Generator(trainer.device).manual_seed(int(mixed[0]))

"""The judge: a committee of small classifiers of the loaded data set, which label what a model generates.

They are trained once on most of each class; the rest, a sixth of a large one, gives their accuracy and their
confusion, by which shares are corrected. A sample whose likeliest class has a probability below 0.7 by the committee,
the geometric mean of its members, is "unsure", a class of its own; so it is with the vote of each. Where samples are
unlike the data their votes differ, and the intervals of shares say so: see `studio.evaluation.committee`.

A judge may also look at other data than its own, such as images without labels. What it takes their examples for then
stands in for their classes.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from studio.eager import take_step
from studio.evaluation.augmentation import damaged, moved
from studio.evaluation.confusion import HeldOut
from studio.evaluation.divergences import Features
from studio.evaluation.judge_network import BUILDS, FEATURES, SEEN, Build, CommitteeNetwork, JudgeNetwork
from studio.evaluation.shares import estimate
from studio.evaluation.texture import whitening
from studio.perturb.arrays import Floats, Indices
from studio.progress import Progress

if TYPE_CHECKING:
    from studio.data.image_set import ImageSet

WEIGHS = 1
"""Which of the committee weighs what a model draws, so that the others may measure what came of it: a convolutional one
that was trained on damaged images, and so knows when it cannot tell."""

CONFIDENCE = 0.7
"""Least probability of the likeliest class; below it a judge is unsure."""

_SHARPER = 4.0
"""Of weak models of MNIST asked for 10, 30, 60 and 90 % twos, other judges then missed these by 3.9 in place of 6.1
points on average; by more at 10 %, by half as much at 90 %."""

_SEED = 0
_HELD_OUT = 1 / 6
_FEW, _ENOUGH = 5, 60
"""Held out of each class that has twice, and thrice, as many, so that something is known of how it is judged. Where 30
are judged right, a tenth may yet be judged wrong, and no interval of a share is narrower."""

_SEEN = 240_000
"""Examples that a judge alone would look at, unless the set is so small that each would come more than 60 times."""

_MOST_EPOCHS = 60
_BATCH = 128
_RATE = 4e-3
_DECAY = 1e-2
_WARM_UP = 0.2
_CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a committee of M says of n images.

    Attributes:
        labels: class index, or K for unsure, shape (n,).
        likeliest: class index, however unsure, shape (n,).
        votes: labels by each of the committee, shape (n, M).
        features: shape (n, 75).
    """

    labels: Indices
    likeliest: Indices
    votes: Indices
    features: Features


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """A trained judge, and data as it sees them.

    Attributes:
        network: in eval mode, without gradients.
        class_names: in label order.
        held_out: the examples of its own data that it was not trained on.
        votes: what each of the committee takes these for, shape (examples held out, M).
        features: of the whole data set, in its order, shape (N, 75).
        labels: true class of each example, shape (N,); of other data than its own what it takes them for, K for unsure.
        images: the examples, uint8, shape (N, H, W, C).
        accuracy: share of the held-out examples whose likeliest class is the right one, however unsure.
        trained_on: name of its own data where the data are others; else empty.
    """

    network: CommitteeNetwork
    class_names: tuple[str, ...]
    held_out: HeldOut
    votes: Indices
    features: Features
    labels: Indices
    images: NDArray[np.uint8]
    accuracy: float
    trained_on: str = ""

    @property
    def fingerprint(self) -> str:
        """What tells its weights from those of all other judges."""
        digest = hashlib.sha256()
        for name, tensor in sorted(self.network.state_dict().items()):
            digest.update(name.encode() + tensor.contiguous().numpy().tobytes())
        return digest.hexdigest()[:16]

    def confusion(self, log_weights: Floats | None = None) -> Floats:
        """Held-out examples by judged class (rows, "unsure" last) and true class, counts of shape (K + 1, K).

        They count by log w of each example of the data, any gauge, shape (N,), if given; but evenly before other data
        than its own, of which these say nothing.
        """
        return self._confusion(self.held_out, log_weights)

    def confusions(self, log_weights: Floats | None = None) -> tuple[Floats, ...]:
        """The same of each of the committee, M of shape (K + 1, K)."""
        return tuple(self._confusion(replace(self.held_out, judged=vote), log_weights) for vote in self.votes.T)

    def _confusion(self, held_out: HeldOut, log_weights: Floats | None) -> Floats:
        return held_out.confusion(len(self.class_names), None if self.trained_on else log_weights)

    def shares(self, weights: Floats | None = None) -> Floats:
        """Class shares of the data, "unsure" last, shape (K + 1,); of data not its own corrected as those of samples.

        By weights, shape (N,), not all zero; even if absent.
        """
        mass = np.bincount(self.labels, weights, minlength=len(self.class_names) + 1)
        shares = mass / mass.sum()
        if not self.trained_on:
            return shares
        known = len(self.labels) if weights is None else weights.sum() ** 2 / (weights**2).sum()  # Kish
        return estimate(known * shares, self.confusion()).corrected

    def seeing(self, data: ImageSet, trained_on: str, progress: Progress) -> Judge:
        """The same judge before other data, of any size and colours; `trained_on` is the name of its own."""
        seen = self.judge(data.images, progress)
        return replace(self, features=seen.features, labels=seen.labels, images=data.images, trained_on=trained_on)

    @torch.no_grad()
    def log_odds(self, index: int, images: NDArray[np.uint8] | None = None) -> Floats:
        """log(q/(1 − q)) of every example of the data set, or of images, shape (N,), finite.

        q is the probability of class `index` by the first of the committee, which was trained on sharp images.
        """
        first = self.network.first
        if images is None:
            features = torch.from_numpy(self.features[:, :FEATURES])
        else:
            features = torch.cat([first.features(part) for part in as_tensor(images).split(_CHUNK)])
        logits = first.last(features).double()
        others = torch.arange(logits.shape[1]) != index
        return (logits[:, index] - logits[:, others].logsumexp(1)).numpy()

    @torch.no_grad()
    def weigh(self, images: NDArray[np.uint8]) -> Floats:
        """p⁴/Σp⁴ of p(c|x) by the one of the committee that weighs: nearly 1 for the class it calls an image, (n, K).

        What counts is what judges call an image. By p(c|x) itself a blurred one that is a two with a probability of a
        tenth would be nine tenths of a two as soon as twos are to weigh 81 times as much, whatever anybody sees.
        """
        parts = [self.network.members[WEIGHS](part) for part in as_tensor(images).split(_CHUNK)]
        return (_SHARPER * torch.cat(parts).double()).softmax(1).numpy()

    def without_weigher(self) -> Judge:
        """The judge of what was weighed: the committee without the one that weighs."""
        network = self.network.without(WEIGHS)
        alone = replace(self, network=network, votes=np.delete(self.votes, WEIGHS, axis=1))
        judged = (
            alone.judge(self.images[self.held_out.examples]).labels if not self.trained_on else self.held_out.judged
        )
        return replace(alone, held_out=replace(self.held_out, judged=judged))

    @torch.no_grad()
    def judge(self, images: NDArray[np.uint8], progress: Progress | None = None) -> Judgement:
        """Label images, uint8, shape (n, H, W, C)."""
        parts: list[tuple[Tensor, Tensor]] = []
        for start in range(0, len(images), _CHUNK):
            if progress is not None:
                progress.report("Looking at images", start / len(images))
            sight = self.network.look(as_tensor(images[start : start + _CHUNK]))
            best = sight.probabilities.max(2)
            labels = torch.where(best.values < CONFIDENCE, len(self.class_names), best.indices)
            parts.append((torch.cat([best.indices[:, :1], labels], dim=1), sight.features))
        if not parts:
            parts.append((torch.empty(0, 2 + len(self.network.members), dtype=torch.int64), torch.empty(0, SEEN)))
        said, features = (torch.cat(each).numpy() for each in zip(*parts, strict=True))
        return Judgement(labels=said[:, 1], likeliest=said[:, 0], votes=said[:, 2:], features=features)


def as_tensor(images: NDArray[np.uint8]) -> Tensor:
    """uint8 images (n, H, W, C) as the network takes them, (n, C, H, W); a copy, which lies in memory as it did."""
    return torch.from_numpy(np.array(images)).permute(0, 3, 1, 2)


def train_judge(data: ImageSet, progress: Progress) -> Judge:
    """Train a judge of a whole set; the same data give the same judge on one machine."""
    rng = torch.Generator().manual_seed(_SEED)
    chosen = _held_out(data)
    held_out = np.flatnonzero(chosen)
    network = CommitteeNetwork(data.image_shape, len(data.class_names), rng)
    done, whole = 0.0, sum(build.part for build in BUILDS)
    for member, build in zip(network.members, BUILDS, strict=True):
        assert isinstance(member, JudgeNetwork)
        part = progress.part(0.85 * done / whole, 0.85 * (done + build.part) / whole)
        _fit(member, build, data, np.flatnonzero(~chosen), rng, part)
        done += build.part
    network.eval().requires_grad_(False)
    nothing = np.empty(0, np.int64)
    judge = Judge(
        network=network,
        class_names=data.class_names,
        held_out=HeldOut(examples=nothing, truth=nothing, judged=nothing),
        votes=np.empty((0, len(BUILDS)), np.int64),
        features=np.empty((0, 0), np.float32),
        labels=data.labels,
        images=data.images,
        accuracy=0.0,
    )
    seen = judge.judge(data.images, progress.part(0.85, 1.0))
    network.whitening = whitening(torch.from_numpy(seen.features))
    truth = data.labels[held_out].astype(np.int64)
    right = seen.likeliest[held_out] == truth
    return replace(
        judge,
        held_out=HeldOut(examples=held_out, truth=truth, judged=seen.labels[held_out]),
        votes=seen.votes[held_out],
        features=np.hstack([seen.features[:, :FEATURES], seen.features[:, FEATURES:] @ network.whitening.T.numpy()]),
        accuracy=float(right.mean()) if len(truth) else math.nan,
    )


def _held_out(data: ImageSet) -> NDArray[np.bool_]:
    """Which examples are held out, shape (N,): a sixth of each class, but 60 at least or a third, and 5 or half."""
    rng = np.random.default_rng(_SEED)
    chosen = np.zeros(len(data), dtype=np.bool_)
    for label, count in enumerate(data.counts.tolist()):
        number = max(round(_HELD_OUT * count), min(_ENOUGH, count // 3), min(_FEW, count // 2))
        chosen[rng.permutation(np.flatnonzero(data.labels == label))[:number]] = True
    return chosen


def _fit(
    network: JudgeNetwork, build: Build, data: ImageSet, chosen: Indices, rng: torch.Generator, progress: Progress
) -> None:
    """Train on the examples `chosen`: cross entropy, AdamW, a rate that rises and falls once."""
    labels = torch.from_numpy(data.labels[chosen])
    steps = max(1, int(build.part * min(_SEEN, _MOST_EPOCHS * len(chosen)) / _BATCH))
    parameters = list(network.parameters())
    optimiser = torch.optim.AdamW(parameters, lr=_RATE, weight_decay=_DECAY)
    left = torch.empty(0, dtype=torch.int64)
    for step in range(steps):
        if step % 10 == 0:
            progress.report("Training the judge", step / steps)
        while len(left) < min(_BATCH, len(chosen)):
            left = torch.cat([left, torch.randperm(len(chosen), generator=rng)])
        batch, left = left[:_BATCH], left[_BATCH:]
        optimiser.param_groups[0]["lr"] = _RATE * _schedule(step / steps)
        images = moved(as_tensor(data.images[chosen[batch.numpy()]]), rng)
        if build.damaged:
            images = damaged(images, rng)
        loss = F.cross_entropy(network(images), labels[batch])
        gradients = torch.autograd.grad(loss, parameters)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        take_step(optimiser)


def _schedule(done: float) -> float:
    """Factor on the learning rate: up along a line, down along a cosine."""
    if done < _WARM_UP:
        return max(0.05, done / _WARM_UP)
    return (1 + math.cos(math.pi * (done - _WARM_UP) / (1 - _WARM_UP))) / 2

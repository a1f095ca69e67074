"""One evaluation: what a model generated, set against the data and the tilted data.

`TiltedData` is prepared once for a tilt; `evaluate` compares judged samples with it. No torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from studio.evaluation.committee import by_committee, recognisable
from studio.evaluation.divergences import (
    Features,
    Moments,
    divergence,
    drawn_by_weight,
    frechet_distance,
    frechet_floor,
    kernel_distance,
    moments,
    total_variation,
    total_variation_floor,
)
from studio.evaluation.neighbours import NEIGHBOURS, Likeness, likeness, nearest
from studio.evaluation.shares import Shares, estimate
from studio.perturb.arrays import Floats, Indices
from studio.perturb.features import features_of, measure

if TYPE_CHECKING:
    from studio.evaluation.judge import Judge, Judgement

LEAST_SAMPLES = 2 * NEIGHBOURS
"""Fewer samples have no neighbours to speak of."""

_MOST_COMPARED = 2000
_SPECIMENS = 16
_REFERENCES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class TiltedData:
    """The tilted data in the judge's features, for samples of one number.

    Attributes:
        count: samples that it is made for.
        data, shares: p and p′ per class, "unsure" last, shape (K + 1,).
        confusion: of the judge on held-out examples weighted likewise, counts of shape (K + 1, K).
        confusions: of each of its committee, likewise.
        fit: weighted moments.
        frechet_floor, mmd_floor: what as many real examples score.
        drawn: indices of real examples drawn by weight, shape (m,).
        spacing: median distance of a drawn real example to the nearest other one of the data.
    """

    count: int
    data: Floats
    shares: Floats
    confusion: Floats
    confusions: tuple[Floats, ...]
    fit: Moments
    frechet_floor: float
    mmd_floor: float
    drawn: Indices
    spacing: float

    @classmethod
    def of(cls, judge: Judge, log_weights: Floats, count: int, seed: int = 0) -> TiltedData:
        """Prepare the tilted data, by log w in any gauge (N,), for a number of samples to be compared, at least 10."""
        rng = np.random.default_rng(seed)
        weights = np.exp(log_weights - log_weights.max())
        fit = moments(judge.features, weights)
        first, second = (drawn_by_weight(weights, min(count, _MOST_COMPARED), rng) for _ in range(2))
        some = second[:_REFERENCES]
        _, distances = nearest(judge.features[some], judge.features, own=some)
        return cls(
            count=count,
            data=judge.shares(),
            shares=judge.shares(weights),
            confusion=judge.confusion(log_weights),
            confusions=judge.confusions(log_weights),
            fit=fit,
            frechet_floor=frechet_floor(judge.features, weights, fit, count, rng),
            mmd_floor=abs(kernel_distance(judge.features[first], judge.features[second], second)),
            drawn=second,
            spacing=float(np.median(distances)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Specimens:
    """Some samples of each judged class, K for unsure, and the example nearest to each; images (m, H, W, C), uint8.

    `nearness` is the distance of the two in the judge's features, over that of real examples, shape (m,).
    """

    labels: Indices
    images: NDArray[np.uint8]
    neighbours: NDArray[np.uint8]
    nearness: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean:
    """A mean and its standard error."""

    value: float
    error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What came of it.

    Attributes:
        class_names: in label order.
        data, target: shares, "unsure" last, shape (K + 1,).
        shares: of the generated samples; corrected ones are among the recognisable, see `studio.evaluation.committee`.
        tv, kl: of the corrected shares from the target, among the recognisable; KL(target‖generated) in nats. NaN where
            nothing is recognised.
        raw_tv, raw_kl: the same of the shares as judged.
        tv_floor: what TV comes to where the shares are right.
        frechet, frechet_floor, mmd, mmd_floor: distances to the tilted data, and of real examples to it.
        likeness: precision, recall, density, coverage.
        nearness: median distance of a sample to its nearest training example, over that of real examples.
        features: mean of every feature over the samples, by the feature's name.
        specimens: samples to look at.
        judge: name of the data that the judge was trained on where they are others; else empty.
        accuracy: share of its own data's held-out examples on which the judge is right.
    """

    class_names: tuple[str, ...]
    data: Floats
    target: Floats
    shares: Shares
    tv: float
    kl: float
    raw_tv: float
    raw_kl: float
    tv_floor: float
    frechet: float
    frechet_floor: float
    mmd: float
    mmd_floor: float
    likeness: Likeness
    nearness: float
    features: Mapping[str, Mean]
    specimens: Specimens
    judge: str = ""
    accuracy: float = float("nan")

    @property
    def bounds(self) -> tuple[Floats, Floats]:
        """Least and greatest share of each class among all samples, shape (K,): what is unsure may be anything."""
        unsure = self.shares.corrected[-1]
        least = self.shares.corrected[:-1] * (1 - unsure)
        return least, least + unsure


def evaluate(judge: Judge, target: TiltedData, images: NDArray[np.uint8], judgement: Judgement) -> Evaluation:
    """Compare judged samples, images (n, H, W, C), uint8, n ≥ 10, with the tilted data, prepared for that number."""
    shares = _shares(target, judgement)
    wanted, corrected, raw = (recognisable(found) for found in (target.shares, shares.corrected, shares.raw))
    recognised = round(shares.count * (1 - float(shares.corrected[-1])))
    if not recognised:
        corrected = raw = np.full_like(wanted, np.nan)
    real_and_repeats = np.unique(target.drawn, return_counts=True)
    return Evaluation(
        class_names=judge.class_names,
        data=target.data,
        target=target.shares,
        shares=shares,
        tv=total_variation(wanted, corrected),
        kl=divergence(wanted, corrected, recognised),
        raw_tv=total_variation(wanted, raw),
        raw_kl=divergence(wanted, raw, recognised),
        tv_floor=total_variation_floor(shares.deviation[:-1]),
        frechet=frechet_distance(moments(judgement.features), target.fit),
        frechet_floor=target.frechet_floor,
        mmd=kernel_distance(judgement.features, judge.features[target.drawn], target.drawn),
        mmd_floor=target.mmd_floor,
        likeness=_likeness(judge, judgement, shares, *real_and_repeats),
        nearness=float(np.median(_nearness(judge, target, judgement.features[:_REFERENCES])[1])),
        features=_feature_means(images),
        specimens=_specimens(judge, target, images, judgement),
        judge=judge.trained_on,
        accuracy=judge.accuracy,
    )


def _shares(target: TiltedData, judgement: Judgement) -> Shares:
    """By the committee, and how far its members are apart."""

    def by(labels: Indices, confusion: Floats) -> Shares:
        return estimate(np.bincount(labels, minlength=len(confusion)), confusion)

    votes = zip(judgement.votes.T, target.confusions, strict=True)
    return by_committee(by(judgement.labels, target.confusion), [by(vote, confusion) for vote, confusion in votes])


def _feature_means(images: NDArray[np.uint8]) -> dict[str, Mean]:
    names = [feature.name for feature in features_of(images.shape)]
    root = np.sqrt(len(images))
    return {
        name: Mean(value=float(values.mean()), error=float(values.std(ddof=1) / root))
        for name, values in measure(images, names).items()
    }


def _likeness(judge: Judge, judgement: Judgement, shares: Shares, real: Indices, repeats: Indices) -> Likeness:
    """Of the samples to the real examples drawn; nothing where a tilt leaves hardly any to draw.

    Of what is unsure, as much counts as is unsure of real examples of these classes.
    """
    if len(real) <= NEIGHBOURS:
        unknown = float("nan")
        return Likeness(precision=unknown, recall=unknown, density=unknown, coverage=unknown)
    unsure = float(shares.raw[-1])
    as_real = max(0.0, 1 - float(shares.corrected[-1]) / unsure) if unsure else 1.0
    recognised = np.where(judgement.labels == len(judge.class_names), as_real, 1.0)
    some = slice(0, _MOST_COMPARED)
    return likeness(judgement.features[some], judge.features[real], repeats, recognised[some])


def _nearness(judge: Judge, target: TiltedData, features: Features) -> tuple[Indices, Floats]:
    """The training example nearest to each sample, and how far it is, over how far real examples are; NaN of copies."""
    indices, distances = nearest(features, judge.features)
    return indices, distances / target.spacing if target.spacing else np.full(len(features), np.nan)


def _specimens(judge: Judge, target: TiltedData, images: NDArray[np.uint8], judgement: Judgement) -> Specimens:
    """The first few samples of each judged class."""
    chosen = np.concatenate(
        [np.flatnonzero(judgement.labels == label)[:_SPECIMENS] for label in range(len(judge.class_names) + 1)]
    )
    indices, distances = _nearness(judge, target, judgement.features[chosen])
    return Specimens(
        labels=judgement.labels[chosen], images=images[chosen], neighbours=judge.images[indices], nearness=distances
    )

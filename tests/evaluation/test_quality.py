"""Figures of quality on images that are worse than real ones, and shares of blurred ones beside other classifiers'."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from studio.data.digits import DigitsConfig, load_digits
from studio.data.image_set import ImageSet
from studio.evaluation.evaluation import Evaluation, TiltedData, evaluate
from studio.evaluation.judge import Judge, train_judge
from studio.progress import Progress

Pictures = NDArray[np.uint8]
KNOWN = 1200
"""Digits that the judge knows; the others are real ones that nobody has seen."""


@pytest.fixture(scope="module")
def digits() -> ImageSet:
    return load_digits(DigitsConfig(), Path("unused"), Progress())


@pytest.fixture(scope="module")
def real(digits: ImageSet) -> Pictures:
    return digits.images[KNOWN:]


@pytest.fixture(scope="module")
def judge(digits: ImageSet) -> Judge:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("studio.evaluation.judge._SEEN", 10_000)
        known = ImageSet(
            name="Known", images=digits.images[:KNOWN], labels=digits.labels[:KNOWN], class_names=digits.class_names
        )
        return train_judge(known, Progress())


@pytest.fixture(scope="module")
def target(judge: Judge, real: Pictures) -> TiltedData:
    return TiltedData.of(judge, np.zeros(KNOWN), len(real))


@pytest.fixture(scope="module")
def of_real(judge: Judge, target: TiltedData, real: Pictures) -> Evaluation:
    return evaluate(judge, target, real, judge.judge(real))


def each(images: Pictures, change: Callable[[Image.Image], Image.Image]) -> Pictures:
    return np.stack([np.asarray(change(Image.fromarray(image[..., 0])))[..., None] for image in images])


def blurred(images: Pictures, radius: float) -> Pictures:
    return each(images, lambda image: image.filter(ImageFilter.GaussianBlur(radius)))


def compressed(images: Pictures, quality: int) -> Pictures:
    def change(image: Image.Image) -> Image.Image:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=quality)
        return Image.open(file)

    return each(images, change)


def noise(images: Pictures, spread: float) -> Pictures:
    values = np.random.default_rng(0).normal(images.mean(), spread, images.shape)
    return np.clip(values, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(  # the mildest, and for two the opposite
    ("change", "strength"),
    [(noise, 5), (noise, 200), (np.full_like, 0), (np.full_like, 255), (blurred, 0.5), (compressed, 40)],
)
def test_that_noise_flat_blurred_and_compressed_images_rank_below_real_ones_in_every_figure(
    judge: Judge,
    target: TiltedData,
    real: Pictures,
    of_real: Evaluation,
    change: Callable[..., Pictures],
    strength: float,
) -> None:
    images = change(real, strength)
    found = evaluate(judge, target, images, judge.judge(images))
    for figure in ("precision", "recall", "density", "coverage"):
        assert getattr(found.likeness, figure) < getattr(of_real.likeness, figure), figure
    assert found.nearness > of_real.nearness
    assert found.frechet > 2 * of_real.frechet
    assert found.mmd > of_real.mmd


def test_that_real_images_that_nobody_has_seen_score_about_as_real_ones(of_real: Evaluation) -> None:
    assert of_real.likeness.precision > 0.8
    assert of_real.likeness.coverage > 0.8
    assert of_real.nearness == pytest.approx(1, abs=0.25)
    assert of_real.shares.corrected[-1] < 0.1


@pytest.mark.parametrize("radius", [0.0, 0.7, 1.0])
def test_that_intervals_of_blurred_digits_hold_what_other_classifiers_find(
    judge: Judge, target: TiltedData, digits: ImageSet, real: Pictures, radius: float
) -> None:
    images = blurred(real, radius)
    found = evaluate(judge, target, images, judge.judge(images))
    for other in (SVC(gamma=0.001), KNeighborsClassifier(3)):
        other.fit(digits.images[:KNOWN].reshape(KNOWN, -1) / 16, digits.labels[:KNOWN])
        shares = np.bincount(other.predict(images.reshape(len(images), -1) / 16), minlength=10) / len(images)
        inside = (found.shares.low[:-1] <= shares) & (shares <= found.shares.high[:-1])
        assert inside.sum() >= 9


def test_that_what_is_unsure_is_no_error_of_the_shares(
    judge: Judge, target: TiltedData, real: Pictures, of_real: Evaluation
) -> None:
    """As many black images among the real ones: half is unsure, the total variation what it was."""
    images = np.concatenate([real, np.zeros_like(real)])
    found = evaluate(judge, target, images, judge.judge(images))
    assert found.shares.corrected[-1] == pytest.approx(0.5, abs=0.05)
    assert found.tv == pytest.approx(of_real.tv, abs=0.01)
    least, most = found.bounds
    np.testing.assert_allclose(most - least, found.shares.corrected[-1])

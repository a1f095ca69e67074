"""Planar sets: densities that integrate to one, samples that follow them, a tilt that changes shares alone; the
gradient flow of KL where its way or its rest is known; and sets that are drawn.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.stats import chi2, multivariate_normal
from sklearn.datasets import make_moons

from studio.data.catalog import dataset_spec, load_dataset
from studio.data.planar.config import DrawnConfig, GaussianConfig, LinesConfig, MoonsConfig, RingConfig
from studio.data.planar.density import Curve, blob
from studio.data.planar.drawing import MOST_PLACES, Stroke, drawing_text, parse_drawing
from studio.data.planar.gradient_flow import gradient_flow
from studio.data.planar.plane import Plane
from studio.data.planar.point_set import PointSet
from studio.data.planar.sets import PLANAR_SETS
from studio.data.planar.target import PlaneTarget
from studio.data.spec import DatasetSpec
from studio.errors import UserError
from studio.perturb.perturbation import Perturbation, target_shares
from studio.training.config.assignments import with_settings
from studio.training.config.file import parse_config
from studio.training.config.run_config import RunConfig

every_set = pytest.mark.parametrize("spec", PLANAR_SETS, ids=lambda spec: spec.kind)
SIDE = 24


def loaded(spec: DatasetSpec, **settings: object) -> PointSet:
    found = load_dataset(spec.config.model_validate({"kind": spec.kind, **settings}), Path())
    assert isinstance(found, PointSet)
    return found


def cell_masses(plane: Plane, label: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """∫ p(x|c) over each of SIDE² cells, by the midpoint rule; shape (SIDE, SIDE)."""
    fineness = 4 if isinstance(plane.classes[label], Curve) else 10
    side = SIDE * fineness
    density = np.exp(plane.classes[label].log_density(plane.centres(side)))
    fine = density.reshape(SIDE, fineness, SIDE, fineness).sum((1, 3)) * (2 * plane.half / side) ** 2
    return np.asarray(fine)


@every_set
def test_that_each_class_integrates_to_one_and_its_points_follow_its_density(spec: DatasetSpec) -> None:
    """χ² of 20,000 points over cells that expect at least 5; a fixed seed, one chance in 10,000 of failing."""
    plane = loaded(spec).plane
    for label in range(len(plane.classes)):
        masses = cell_masses(plane, label)
        assert masses.sum() == pytest.approx(1, abs=2e-3)
        points = plane.draw(label, 20_000, np.random.default_rng(label)) / plane.half
        found, _, _ = np.histogram2d(points[:, 1], points[:, 0], bins=SIDE, range=[[-1, 1], [-1, 1]])
        assert found.sum() == 20_000
        often = 20_000 * masses >= 5
        expected = np.append(20_000 * masses[often], max(20_000 * masses[~often].sum(), 1e-9))
        counted = np.append(found[often], found[~often].sum())
        kept = expected >= 5
        statistic = ((counted - expected)[kept] ** 2 / expected[kept]).sum()
        assert statistic < chi2.ppf(0.9999, kept.sum() - 1)


@every_set
def test_that_a_tilt_changes_shares_and_nothing_else(spec: DatasetSpec) -> None:
    """p(x)·e^(−ΔH(c)), summed over classes and normalised, is Σ p′_c·p(x|c) with the shares that the tilt states."""
    data = loaded(spec)
    tilt = Perturbation(offsets=tuple(np.linspace(-1.5, 1, len(data.counts))))
    shares = data.counts / data.counts.sum()
    places = data.plane.centres(60)
    joint = np.exp(data.plane.log_class_densities(places)) * shares * np.exp(-np.array(tilt.offsets))
    total = (shares * np.exp(-np.array(tilt.offsets))).sum()
    tilted = np.exp(data.plane.log_density(places, target_shares(data.counts, tilt.offsets)))
    np.testing.assert_allclose(tilted, joint.sum(1) / total, rtol=1e-10, atol=1e-300)


@every_set
def test_that_points_lie_in_their_square_and_survive_the_way_to_a_model_and_back(spec: DatasetSpec) -> None:
    data = loaded(spec, count=300)
    assert data.image_shape == (2, 1, 1)
    assert len(data) == 300
    seen = ((data.values - data.scale.centre) / data.scale.half).astype(np.float32).transpose(0, 3, 1, 2)
    assert np.abs(seen).max() <= 1
    np.testing.assert_allclose(data.scale.stored(seen), data.values, rtol=1e-6)
    assert (
        data.plane.classify(data.values.reshape(-1, 2).astype(float), data.counts / 300) == data.labels
    ).mean() > 0.9


@every_set
def test_that_a_set_looks_like_pictures_where_pictures_are_wanted(spec: DatasetSpec) -> None:
    data = loaded(spec, count=300)
    assert data.thumbnails().shape == (len(data.class_names), 32, 32, 1)
    spots = data.pictures(data.values[:5])
    assert spots.shape == (5, 32, 32, 1)
    assert (spots.max((1, 2, 3)) == 255).all()
    assert data.overview(data.values).shape == (1, 128, 128, 1)
    few = data.overview(data.values[:2])
    assert few.shape == (1, 128, 128, 1)
    assert np.count_nonzero(few) >= 144, "spots, and not single pixels"


def test_that_a_picture_has_the_first_axis_to_the_right_and_the_second_upwards() -> None:
    data = loaded(PLANAR_SETS[2])
    upper_right = np.array([[[[3.9, 3.9]]]], np.float32)
    row, column = np.argwhere(data.overview(upper_right.repeat(50, axis=0))[0, :, :, 0])[0]
    assert (row, column) == (1, 126)


def test_that_moons_are_those_of_an_independent_library() -> None:
    """scikit-learn's, doubled and centred: nowhere does one lie where the other's density is small."""
    plane = loaded(PLANAR_SETS[3]).plane
    points, labels = make_moons(2000, noise=0.075, random_state=0)
    own = plane.log_class_densities(2 * points - (1, 0.5))
    assert np.quantile(own[np.arange(2000), labels], 0.001) > -8
    assert own[np.arange(2000), labels].mean() == pytest.approx(
        np.mean([plane.classes[c].log_density(plane.draw(c, 2000, np.random.default_rng(c))).mean() for c in (0, 1)]),
        abs=0.06,
    )


def test_that_a_tilted_gaussian_has_the_shares_of_its_halves() -> None:
    data = loaded(PLANAR_SETS[0])
    points = data.plane.draw_mixture(20_000, np.array([0.8, 0.2]), np.random.default_rng(1))
    assert (points[:, 0] < 0).mean() == pytest.approx(0.8, abs=0.012)


def test_that_fingerprints_tell_points_and_squares_apart() -> None:
    first, again = (loaded(PLANAR_SETS[2]).fingerprint() for _ in range(2))
    assert first == again
    assert first != loaded(PLANAR_SETS[2], seed=1).fingerprint()


def test_that_points_beyond_the_square_are_refused() -> None:
    data = loaded(PLANAR_SETS[2], count=100)
    with pytest.raises(UserError, match="within ±4"):
        PointSet(
            name="far", points=2 * data.points, labels=data.labels, class_names=data.class_names, ground=data.plane
        )


def test_that_settings_have_their_limits() -> None:
    assert {config().width for config in (RingConfig, MoonsConfig, LinesConfig)} == {0.12, 0.15, 0.05}
    assert GaussianConfig().count == 4000


RNG = np.random.default_rng


def exact_target(data: PointSet, perturbation: Perturbation) -> PlaneTarget:
    assert data.plane is not None
    return PlaneTarget.of(data.plane, data.class_names, data.counts, perturbation)


def test_that_particles_come_to_a_gaussian_as_ornstein_and_uhlenbeck_say() -> None:
    """mean μ + (x₀ − μ)·e^(−t/σ²) and variance σ²·(1 − e^(−2t/σ²)) of particles from one place."""
    centre, width, start = np.array([0.3, -1.0]), 0.8, np.array([2.0, 2.0])
    ways = gradient_flow(blob(0.3, -1.0, width).log_density, np.tile(start, (1000, 1)), RNG(0))
    for place in (3, 15):
        time = 0.004 * 10 * place
        left = np.exp(-time / width**2)
        np.testing.assert_allclose(ways[:, place].mean(0), centre + left * (start - centre), atol=0.1)
        np.testing.assert_allclose(ways[:, place].var(0), width**2 * (1 - left**2), rtol=0.15)


def test_that_a_tilted_mixture_stays_what_it_is() -> None:
    """Its moments: drawn from p′, particles still have them after a time of 1."""
    data = loaded(dataset_spec("planar_mixture"))
    target = exact_target(data, Perturbation(offsets=(0.0, 0.5, -2.5)))
    drawn = target.plane.draw_mixture(700, target.shares, RNG(1))
    last = gradient_flow(target.log_density, drawn, RNG(2))[:, -1]
    centres = np.array([[-2.0, -1], [2, -1], [0, 2]])
    mean = target.shares @ centres
    spread = (centres - mean).T @ np.diag(target.shares) @ (centres - mean) + 0.25 * np.eye(2)
    np.testing.assert_allclose(last.mean(0), mean, atol=0.15)
    np.testing.assert_allclose(np.cov(last.T), spread, atol=0.25)


def test_that_particles_stay_within_a_density_that_ends() -> None:
    data = loaded(dataset_spec("planar_checkerboard"))
    target = exact_target(data, Perturbation.zero(4))
    drawn = target.plane.draw_mixture(50, target.shares, RNG(1))
    ways = gradient_flow(target.log_density, drawn, RNG(2), steps=50)
    assert np.isfinite(target.log_density(ways.reshape(-1, 2))).all()


TEXT = "2@0.3 1.5,-0.8; 1@0.1 -1.5,0.3 -1.4,0; 2@0.05 0,0"


def test_that_a_text_and_its_strokes_are_the_same() -> None:
    strokes = parse_drawing(TEXT)
    assert strokes[1] == Stroke(label=1, width=0.1, places=((-1.5, 0.3), (-1.4, 0.0)))
    assert drawing_text(strokes) == TEXT
    assert parse_drawing(drawing_text([Stroke(label=1, width=0.1, places=((-0.001, 1 / 3),))]))[0].places == (
        (0.0, 0.33),
    )
    assert parse_drawing(" ; ") == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1@0.2 0,0; 2@0.2 0;0", "stroke 2.*not of the form"),
        ("0@0.2 0,0; 1@0.2 0,0", "stroke 1"),
        ("1@0.2 nan,0; 2@0.2 0,0", "stroke 1"),
        ("1@0.5 0,0; 2@0.2 0,0", "width of 0.5"),
        ("1@0.2 0,0; 2@0.2 0,3.6", "leaves the square"),
        ("1@0.2 0,0", "fewer than two classes"),
        ("", "fewer than two classes"),
        ("1@0.2" + " 0,0" * (MOST_PLACES + 1) + "; 2@0.2 0,0", "2,002 places"),
        ("1" * 50_000, "longer than"),
    ],
)
def test_that_what_is_no_drawing_is_refused(text: str, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        DrawnConfig(drawing=text)


def test_that_a_drawn_sets_density_is_the_sum_of_its_gaussians() -> None:
    data = load_dataset(DrawnConfig(drawing=TEXT, count=400), Path())
    assert isinstance(data, PointSet)
    assert data.class_names == ("1", "2")
    assert data.counts.tolist() == [200, 200]
    points = np.random.default_rng(0).uniform(-2, 2, (50, 2))
    expected = (
        multivariate_normal([1.5, -0.8], 0.3**2).pdf(points) + multivariate_normal([0, 0], 0.05**2).pdf(points)
    ) / 2
    np.testing.assert_allclose(np.exp(data.plane.log_class_densities(points)[:, 1]), expected, atol=1e-12)


def test_that_a_drawing_is_kept_in_a_run_configuration_and_set_from_the_command_line() -> None:
    config = with_settings(RunConfig(), ["dataset.kind=planar_drawn", f"dataset.drawing={TEXT}"])
    assert isinstance(config.dataset, DrawnConfig)
    assert config.dataset.drawing == TEXT
    assert parse_config(json.loads(config.to_json()), "again") == config

"""The exact target of a planar set, against closed forms."""

from typing import Any

import numpy as np
import pytest

from studio.data.catalog import dataset_spec
from studio.data.planar.density import Array
from studio.data.planar.point_set import PointSet
from studio.data.planar.target import PlaneTarget
from studio.errors import UserError
from studio.perturb.perturbation import Perturbation, target_shares
from studio.training.config.energy import EnergyConfig
from studio.training.examples.measured_set import measured_set
from tests.data.test_planar import loaded

HALVES = np.array([1, 1])  # as many points in each half of the Gaussian, so that p is the whole Gaussian
SIDE = 160


@pytest.fixture(scope="module")
def gaussian() -> PointSet:
    return loaded(dataset_spec("planar_gaussian"))


def tilted(data: PointSet, terms: list[dict[str, Any]], offsets: tuple[float, ...] = (0.0, 0.0)) -> Perturbation:
    return Perturbation(offsets=offsets, energy=EnergyConfig.model_validate({"terms": terms}).energy())


def density(data: PointSet, perturbation: Perturbation) -> tuple[Array, Array]:
    """Places, shape (n, 2), and p′ at each, scaled to add up to 1, shape (n,)."""
    plane = data.plane
    assert plane is not None
    energies = perturbation.example_energies(measured_set(data)) if perturbation.by_example else None
    target = PlaneTarget.of(plane, data.class_names, HALVES, perturbation, energies)
    places = plane.centres(SIDE)
    values = target.on_grid(places, np.exp(plane.log_class_densities(places)))
    return places, values / values.sum()


def test_that_a_linear_term_shifts_a_gaussian_by_minus_the_slope_times_its_variance(gaussian: PointSet) -> None:
    places, plain = density(gaussian, Perturbation(offsets=(0.0, 0.0)))
    variance = plain @ (places[:, 0] - plain @ places[:, 0]) ** 2
    slope = 0.5 / np.sqrt(variance)
    _, found = density(gaussian, tilted(gaussian, [{"kind": "linear", "feature": "x", "slope": slope}]))
    mean = found @ places
    assert mean == pytest.approx([-slope * variance, 0.0], abs=float(1e-3 * np.sqrt(variance)))
    assert found @ (places[:, 0] - mean[0]) ** 2 == pytest.approx(variance, rel=1e-3)


def test_that_a_term_that_is_the_same_everywhere_changes_nothing(gaussian: PointSet) -> None:
    offsets = (0.3, -0.9)
    _, by_class = density(gaussian, Perturbation(offsets=offsets))
    _, by_place = density(gaussian, tilted(gaussian, [{"kind": "formula", "text": "2 + 0*x"}], offsets))
    np.testing.assert_allclose(by_place, by_class, rtol=1e-9, atol=1e-15)


def test_that_offsets_alone_give_the_mixture_of_the_target_shares(gaussian: PointSet) -> None:
    perturbation = Perturbation(offsets=(0.3, -0.9))
    assert gaussian.plane is not None
    target = PlaneTarget.of(gaussian.plane, gaussian.class_names, HALVES, perturbation)
    assert target.shares == pytest.approx(target_shares(HALVES, perturbation.offsets))


def test_that_a_column_has_no_exact_target(gaussian: PointSet) -> None:
    column = {"kind": "column", "path": "energies.csv"}
    assert gaussian.plane is not None
    with pytest.raises(UserError, match="holds a column"):
        PlaneTarget.of(gaussian.plane, gaussian.class_names, HALVES, tilted(gaussian, [column]))


@pytest.mark.parametrize(("slope", "beyond"), [(0.0, 0.0), (1.0, 0.0), (4.0, 0.02275), (6.0, 0.5)])
def test_that_it_is_known_how_much_of_a_shifted_gaussian_the_square_cuts_off(
    gaussian: PointSet, slope: float, beyond: float
) -> None:
    assert gaussian.plane is not None
    assert gaussian.plane.half == 6
    perturbation = tilted(gaussian, [{"kind": "linear", "feature": "x", "slope": slope}])
    energies = perturbation.example_energies(measured_set(gaussian))
    target = PlaneTarget.of(gaussian.plane, gaussian.class_names, HALVES, perturbation, energies)
    assert target.cut_off() == pytest.approx(beyond, abs=2e-3)


def test_that_offsets_alone_move_nothing_out_of_the_square(gaussian: PointSet) -> None:
    assert gaussian.plane is not None
    target = PlaneTarget.of(gaussian.plane, gaussian.class_names, HALVES, Perturbation(offsets=(0.3, -0.9)))
    assert target.cut_off() == 0


@pytest.mark.slow
@pytest.mark.parametrize("terms", [[], [{"kind": "formula", "text": "0.3*x - 0.2*y"}]])
def test_that_class_probabilities_over_the_target_are_its_class_shares(terms: list[dict[str, Any]]) -> None:
    data = loaded(dataset_spec("planar_moons"))
    plane = data.plane
    assert plane is not None
    perturbation = tilted(data, terms, (0.7, -0.4))
    energies = perturbation.example_energies(measured_set(data)) if perturbation.by_example else None
    target = PlaneTarget.of(plane, data.class_names, data.counts, perturbation, energies)
    places = plane.centres(SIDE)
    joint = target.classes_on_grid(places, np.exp(plane.log_class_densities(places)))
    probabilities = target.class_probabilities(places)
    assert (probabilities.argmax(1) == target.classify(places)).all()
    assert joint.sum(1) @ probabilities / joint.sum() == pytest.approx(joint.sum(0) / joint.sum(), abs=1e-6)
    if not terms:
        assert joint.sum(0) / joint.sum() == pytest.approx(
            target_shares(data.counts, perturbation.class_energies), abs=1e-3
        )


def test_that_a_place_without_any_density_belongs_to_the_nearest_class() -> None:
    data = loaded(dataset_spec("planar_checkerboard"))
    plane = data.plane
    assert plane is not None
    target = PlaneTarget.of(plane, data.class_names, data.counts, tilted(data, [], (0.5,) * len(data.class_names)))
    places = plane.centres(40)
    probabilities = target.class_probabilities(places)
    assert probabilities.sum(1) == pytest.approx(1)
    assert (probabilities.argmax(1) == target.classify(places)).all()

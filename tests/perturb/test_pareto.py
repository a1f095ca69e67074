"""k̂ against laws of known tails."""

import numpy as np
import pytest

from studio.perturb.pareto import fitted_shape, largest_trusted, pareto_k


@pytest.mark.parametrize("k", [-0.5, 0.2, 0.5, 0.9, 1.5])
def test_that_the_shape_of_a_generalised_pareto_law_is_found(k: float) -> None:
    uniform = np.random.default_rng(0).random(20_000)
    assert fitted_shape(3.0 / k * (uniform**-k - 1)) == pytest.approx(k, abs=0.04)


def test_that_weights_with_a_pareto_tail_have_its_shape_whatever_their_unit() -> None:
    logs = -0.9 * np.log(np.random.default_rng(1).random(40_000))  # w ~ u^−k
    assert pareto_k(logs) == pytest.approx(0.9, abs=0.12)
    assert pareto_k(logs + 500) == pytest.approx(pareto_k(logs))


def test_that_weights_which_hardly_differ_have_no_tail() -> None:
    assert pareto_k(np.zeros(1000)) is None
    assert pareto_k(np.arange(10.0)) is None


def test_that_the_bound_on_trust_is_vehtaris() -> None:
    assert largest_trusted(100) == pytest.approx(0.5)
    assert largest_trusted(10_000) == pytest.approx(0.7)
    assert largest_trusted(10**9) == 0.7

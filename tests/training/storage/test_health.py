"""Signs of training gone wrong: told once an episode, and of the right network."""

import math

import pytest

from studio.training.storage.health import Health, diverged, networks_in


def point(gradient: float = 1.0, update: float = 1e-3, loss: float = 2.0, network: str = "critic") -> dict[str, float]:
    return {f"gradient_{network}": gradient, f"update_{network}": update, f"loss_{network}": loss}


def titles(health: Health, values: dict[str, float], times: int = 1) -> list[str]:
    return [error.title for _ in range(times) for error in health.look(values)]


@pytest.fixture
def health() -> Health:
    """Has seen a while of steady training."""
    health = Health()
    assert not titles(health, point(), 30)
    assert health.well
    return health


def test_that_networks_are_those_with_a_gradient_and_an_update() -> None:
    names = ["gradient_penalty", "gradient_norm", *point(), *point(network="big_net"), "update_only"]
    assert networks_in(names) == ["big_net", "critic"]


def test_that_a_gradient_that_is_gone_is_told_of_once(health: Health) -> None:
    assert not titles(health, point(gradient=1e-9), 4)
    assert not health.well
    assert titles(health, point(gradient=1e-9), 50) == ["The critic has stopped learning"]


def test_that_a_network_that_hardly_moves_is_told_of_once(health: Health) -> None:
    assert titles(health, point(update=1e-8), 50) == ["The critic hardly moves"]


def test_that_it_is_told_of_again_only_after_it_was_gone_for_a_while(health: Health) -> None:
    assert len(titles(health, point(gradient=0.0), 5)) == 1
    assert not titles(health, point(), 2)
    assert not titles(health, point(gradient=0.0), 5), "the same episode"
    assert not titles(health, point(), 5)
    assert health.well
    assert len(titles(health, point(gradient=0.0), 5)) == 1


def test_that_an_exploding_gradient_is_told_of_at_once(health: Health) -> None:
    assert titles(health, point(gradient=2e3)) == ["The gradient of the critic explodes"]


@pytest.mark.parametrize("loss", [3e3, -3e3])
def test_that_an_exploding_loss_is_told_of_at_once(health: Health, loss: float) -> None:
    assert titles(health, point(loss=loss)) == ["The loss of the critic explodes"]


def test_that_steps_too_large_are_told_of_when_they_last(health: Health) -> None:
    assert not titles(health, point(update=0.5), 4)
    assert titles(health, point(update=0.5)) == ["The steps of the critic are too large"]


def test_that_ordinary_noise_and_a_small_beginning_are_no_sign() -> None:
    health = Health()
    assert not titles(health, point(gradient=1e-5, loss=1e-4), 20)
    assert not titles(health, point(gradient=0.5, loss=20.0), 30), "from nearly nothing to something is learning"
    assert not titles(health, point(gradient=300.0, loss=-40.0))


def test_that_the_error_names_the_network_and_says_what_to_try(health: Health) -> None:
    errors = [error for _ in range(9) for error in health.look(point() | point(gradient=0.0, network="energy_net"))]
    (error,) = errors
    assert error.title == "The energy net has stopped learning"
    assert error.message
    assert error.hint


def test_that_numbers_that_are_not_finite_are_a_divergence() -> None:
    assert diverged(3, point()) is None
    for bad in (math.nan, math.inf, -math.inf):
        error = diverged(1_234, point(loss=bad))
        assert "1,234" in error.message
    assert diverged(3, point() | {"kl": math.nan}) is None, "a metric may have no value"

"""What is suggested for a target is what was measured to reach it sooner, and only where there is something to gain."""

import pytest

from studio.perturb.diagnostics import summarise
from studio.perturb.perturbation import Perturbation
from studio.training.config.planners import PlannerKind
from studio.training.config.recipes import better_recipe
from studio.training.config.run_config import RunConfig
from tests.training.conftest import tiny_config

COUNTS = (9900, 100)
RARE = Perturbation(offsets=(0.0, -4.5))
"""Examples of the second class weigh 53: more than a batch of 16."""


def config_of(kind: str, **settings: object) -> RunConfig:
    told = {"perturbation": {"offsets": {"bee": -4.5}}, "batch": {"average_size": 16}}
    return tiny_config(kind, **{**told, **settings})


@pytest.mark.parametrize(
    ("config", "settings"),
    [
        (config_of("vae"), ("model.conditional=true", "batch.planner=stratified")),
        (config_of("vae", batch={"average_size": 64}), ("model.conditional=true", "batch.planner=stratified")),
        (config_of("vae", batch={"average_size": 16, "planner": "resampling"}), ("model.conditional=true",)),
        (config_of("vae", model={"conditional": True}), ("batch.planner=stratified",)),
        (config_of("vae", perturbation={"offsets": {}}), ("batch.planner=stratified",)),
        (
            config_of("vae", perturbation={"offsets": {"bee": -4.5}, "offsets_enabled": False}),
            ("batch.planner=stratified",),
        ),
        (config_of("ebm"), ("batch.planner=stratified",)),
    ],
)
def test_that_classes_are_told_where_they_can_be_and_batches_stratified_where_weights_differ_much(
    config: RunConfig, settings: tuple[str, ...]
) -> None:
    summary = summarise(RARE, COUNTS, config.batch.average_size)
    found = better_recipe(summary, config)
    assert found is not None
    assert found.settings == settings
    assert found.urgent
    after = found.of(config)
    assert after.model_copy(update={"model": config.model, "batch": config.batch}) == config, "nothing else changes"
    assert better_recipe(summary, after) is None, "and it is all that there is"
    assert all(each in found.words for each in settings)


def test_that_nothing_is_urgent_for_gentle_tilts_and_nothing_suggested_where_it_is_set_up_already() -> None:
    gentle = summarise(Perturbation(offsets=(0.0, -0.5)), (5000, 5000), 16)
    told = better_recipe(gentle, config_of("vae"))
    assert told is not None
    assert not told.urgent
    assert told.settings == ("model.conditional=true",)
    assert better_recipe(gentle, config_of("ebm")) is None
    stratified = {"average_size": 16, "planner": PlannerKind.STRATIFIED}
    config = config_of("vae", model={"conditional": True}, batch=stratified)
    assert better_recipe(summarise(RARE, COUNTS, 16), config) is None

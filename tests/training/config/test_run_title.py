"""What a run is called that nobody named."""

from pathlib import Path
from typing import Any

import pytest

from studio.training.config.assignments import with_settings
from studio.training.config.file import parse_config
from studio.training.config.presets import config_or_preset
from studio.training.config.run_title import run_title
from studio.training.storage.run_folder import RunFolder

COUNTS = {"cat": 100, "dog": 300}


def title_of(perturbation: dict[str, Any], counts: dict[str, int] | None = COUNTS, **more: Any) -> str:
    return run_title(parse_config({"model": {"kind": "vae"}, "perturbation": perturbation, **more}, "test"), counts)


@pytest.mark.parametrize(
    ("perturbation", "counts", "title"),
    [
        ({}, COUNTS, "Digits · VAE · no tilt"),
        ({"offsets": {"cat": -1.0986122886681098}}, COUNTS, "Digits · VAE · cat → 50 %"),  # 100·3 of 600
        ({"offsets": {"cat": -1.5}}, None, "Digits · VAE · cat −1.5"),
        ({"offsets": {"cat": -1.5}}, {"cat": 0, "dog": 0}, "Digits · VAE · cat −1.5"),
        (
            {"offsets": {"cat": -1.5}, "terms": [{"kind": "linear", "feature": "ink"}]},
            COUNTS,
            "Digits · VAE · cat −1.5, 1 term",
        ),
        ({"offsets": {"cat": -2.1972245773362196}, "temperature": 2}, COUNTS, "Digits · VAE · cat → 50 %"),
        ({"offsets": {"cat": -3.0}, "offsets_scale": 0.5}, None, "Digits · VAE · cat −1.5"),
        ({"offsets": {"cat": -1.5}, "offsets_enabled": False}, COUNTS, "Digits · VAE · no tilt"),
        ({"offsets": {"cat": -1.5}, "clip": 1}, COUNTS, "Digits · VAE · cat −1.5, clipped at 1"),
        (
            {"offsets": {"cat": -1.0986122886681098}, "terms": [{"kind": "linear", "feature": "ink", "scale": 0}]},
            COUNTS,
            "Digits · VAE · cat → 50 %",
        ),
        ({"offsets": {"T-shirt": -1.5, "cat - dog": 1}}, None, "Digits · VAE · T-shirt −1.5, cat - dog +1"),
        ({"offsets": {"a": 1, "b": 2, "c": 3}}, None, "Digits · VAE · c +3, b +2, 1 more"),
    ],
)
def test_that_a_run_is_named_by_data_model_and_tilt(
    perturbation: dict[str, Any], counts: dict[str, int] | None, title: str
) -> None:
    assert title_of(perturbation, counts) == title


def test_that_a_name_given_by_a_person_comes_first() -> None:
    assert title_of({}, name="mine") == "mine"


@pytest.mark.parametrize(
    ("setting", "title"),
    [
        ("perturbation.offsets.3=0", "Digits, 30 % twos, WGAN-GP"),
        ("model.latent_size=8", "Digits, 30 % twos, WGAN-GP"),
        ("perturbation.offsets.2=-1.81", "Digits · WGAN-GP · 2 −1.81"),
        ("perturbation.clip=1", "Digits · WGAN-GP · 2 −1.37, clipped at 1"),
        ("model.kind=vae", "Digits · VAE · 2 −1.37"),
        ("model.conditional=true", "Digits · WGAN-GP, conditional · 2 −1.37"),
        ("dataset.kind=mnist", "MNIST · WGAN-GP · 2 −1.37"),
    ],
)
def test_that_a_presets_name_is_that_of_its_own_data_model_and_target_alone(setting: str, title: str) -> None:
    config = with_settings(config_or_preset("digits-wgan_gp"), [setting])
    assert run_title(config) == title
    assert run_title(config.model_copy(update={"name": "mine"})) == "mine"


def test_that_a_folder_is_not_called_by_a_target_that_was_a_presets(tmp_path: Path) -> None:
    preset = config_or_preset("digits-wgan_gp")
    other = with_settings(preset, ["perturbation.offsets.2=-1.81"])
    ends = [RunFolder.create(tmp_path, each).path.name.partition("_")[2][9:] for each in (preset, other)]
    assert ends == ["Digits-30-twos-WGAN-GP", "digits-wgan_gp"]

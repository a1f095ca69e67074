"""The file that people share: round trips, and every way in which it can be wrong."""

import json
from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.data.catalog import DATASETS, load_dataset
from studio.errors import UserError
from studio.models.catalog import MODELS
from studio.perturb.perturbation import Gauge, Perturbation
from studio.training.config.assignments import setting_at, with_settings
from studio.training.config.file import parse_config, read_config
from studio.training.config.planners import PlannerKind
from studio.training.config.presets import config_or_preset, presets
from studio.training.config.run_config import PerturbationConfig, RunConfig, offsets_by_name
from tests.conftest import LETTERS


def fault(raw: Any) -> UserError:
    with pytest.raises(UserError) as caught:
        parse_config(raw, "run.json")
    return caught.value


def file_fault(path: Path, content: bytes) -> UserError:
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        read_config(path)
    return caught.value


# -- round trips


def test_that_a_configuration_survives_its_file(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    for dataset, model in [*product(DATASETS, MODELS[:1]), *product(DATASETS[:1], MODELS)]:
        config = RunConfig.model_validate(
            {"dataset": {"kind": dataset.kind}, "model": {"kind": model.kind}, "name": "ΔH “two”"}
        )
        path.write_text(config.to_json(), encoding="utf-8")
        assert read_config(path) == config


@given(
    st.builds(
        dict,
        name=st.text(LETTERS, max_size=80).filter(lambda text: text.isprintable()),
        seed=st.integers(0, 2**31 - 1),
        ema_decay=st.floats(0, 1, exclude_max=True),
        perturbation=st.builds(
            dict,
            offsets=st.dictionaries(st.text(LETTERS, max_size=12), st.floats(-700, 700), max_size=5),
            gauge=st.sampled_from([str(gauge) for gauge in Gauge]),
        ),
        batch=st.builds(
            dict, average_size=st.floats(1, 65536), planner=st.sampled_from([str(kind) for kind in PlannerKind])
        ),
    )
)
@settings(max_examples=50)
def test_that_any_valid_configuration_survives_its_text(raw: dict[str, Any]) -> None:
    config = parse_config(raw, "run.json")
    assert parse_config(json.loads(config.to_json()), "run.json") == config


def test_that_a_path_that_is_no_unicode_survives_its_file(tmp_path: Path) -> None:
    config = parse_config({"dataset": {"kind": "folder", "path": "/data/caf\udce9"}}, "run.json")
    path = tmp_path / "run.json"
    path.write_bytes(config.to_json().encode())
    assert read_config(path) == config


def test_that_an_empty_object_is_the_default_run() -> None:
    assert parse_config({}, "run.json") == RunConfig()


# -- faults


def test_that_all_faults_are_told_at_once_each_with_its_place() -> None:
    error = fault(
        {
            "speed": 9,
            "model": {"kind": "vae", "depth": 3, "latent_size": 0},
            "dataset": {"kind": "mnist", "colour": True},
            "perturbation": {"offsets": {"2": "abc"}},
        }
    )
    text = str(error)
    assert text.count(";") == 4
    for place in ("speed is not", "model.depth is not", "model.latent_size:", "dataset.colour is not"):
        assert place in text
    assert "perturbation.offsets.2: " in text
    assert "'abc'" in text
    assert ".vae." not in text
    assert ".mnist." not in text


def test_that_a_fault_deep_in_a_model_names_its_field_without_the_models_tag() -> None:
    error = fault({"model": {"kind": "wgan_gp", "critic_optimiser": {"learning_rate": -1}}})
    assert error.field == "model.critic_optimiser.learning_rate"
    assert "(it is -1)" in str(error)


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ({"batch": {"average_size": float("nan")}}, "batch.average_size"),
        ({"batch": {"average_size": 0.5}}, "batch.average_size"),
        ({"batch": {"average_size": 10**400}}, "batch.average_size"),
        ({"perturbation": {"offsets": {"2": 1e308}}}, "perturbation.offsets.2"),
        ({"perturbation": {"offsets": {"2": float("-inf")}}}, "perturbation.offsets.2"),
        ({"perturbation": {"offsets": {"2": None}}}, "perturbation.offsets.2"),
        ({"seed": 2**31}, "seed"),
        ({"seed": -1}, "seed"),
        ({"seed": 1.5}, "seed"),
        ({"ema_decay": 1}, "ema_decay"),
        ({"device": "cuda:x"}, "device"),
        ({"name": "x" * 81}, "name"),
        ({"cadence": {"log_every": 0}}, "cadence.log_every"),
        ({"cadence": {"sample_every": float("inf")}}, "cadence.sample_every"),
        ({"model": {"kind": "perceptron"}}, "model"),
        ({"model": {}}, "model"),
        ({"model": "vae"}, "model"),
        ({"dataset": None}, "dataset"),
        ({"schema_version": "1"}, "schema_version"),
        ({"schema_version": 0}, "schema_version"),
    ],
)
def test_that_a_value_that_does_not_fit_is_refused_with_its_place(raw: dict[str, Any], field: str) -> None:
    error = fault(raw)
    assert error.field == field
    assert len(str(error)) < 400


def test_that_a_newer_version_is_told_apart_from_a_fault() -> None:
    error = fault({"schema_version": 2, "warp": True})
    assert "newer version" in error.title
    assert error.field == "schema_version"


@pytest.mark.parametrize("raw", [[], "vae", 3, None, [{}]])
def test_that_something_other_than_an_object_is_no_configuration(raw: Any) -> None:
    assert "not a run configuration" in fault(raw).title


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"name: digits",
        b"\xff\xfe\xfa",
        b"[" * 100_000,
        b'{"model":' * 50_000,
        b'{"seed": ' + b"9" * 5000 + b"}",
        b"\x89PNG\r\n\x1a\n",
    ],
    ids=["empty", "cut off", "yaml", "no text", "bomb", "nested bomb", "5,000 digits", "picture"],
)
def test_that_a_file_that_is_no_json_is_refused_by_name(content: bytes, tmp_path: Path) -> None:
    error = file_fault(tmp_path / "run.json", content)
    assert "not valid JSON" in error.title
    assert "run.json" in str(error)


def test_that_a_value_of_thousands_of_digits_is_quoted_in_brief(tmp_path: Path) -> None:
    error = file_fault(tmp_path / "run.json", b'{"seed": ' + b"9" * 4000 + b"}")
    assert error.field == "seed"
    assert len(str(error)) < 300


def test_that_a_file_that_is_not_there_or_a_folder_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path, tmp_path / ("n" * 400)):
        with pytest.raises(UserError, match="cannot be opened"):
            read_config(path)


# -- offsets by class name


def test_that_offsets_go_to_their_classes_and_the_rest_stay_at_zero() -> None:
    config = PerturbationConfig(offsets={"cat": -2.0, "ant": 1.0})
    assert config.resolve(("ant", "bee", "cat"), revision=4) == Perturbation(offsets=(1.0, 0.0, -2.0), revision=4)
    assert offsets_by_name(config.resolve(("ant", "bee", "cat")).offsets, ("ant", "bee", "cat")) == {
        "ant": 1.0,
        "cat": -2.0,
    }


def test_that_offsets_of_unknown_classes_are_refused_by_name() -> None:
    with pytest.raises(UserError, match=r"dog, emu.*ant, bee") as caught:
        PerturbationConfig(offsets={"ant": 1, "dog": 2, "emu": 0}).resolve(("ant", "bee"))
    assert caught.value.field == "perturbation.offsets"


def test_that_a_typo_among_many_classes_is_answered_shortly_with_what_is_near() -> None:
    names = [f"species {number:04d}" for number in range(1000)]
    config = PerturbationConfig(offsets={"specis 0123": 1, **{f"none {number}": 1 for number in range(500)}})
    with pytest.raises(UserError) as caught:
        config.resolve(names)
    said = str(caught.value)
    assert len(said) < 700
    assert "species 0123" in said
    assert "of 1,000 classes" in said
    with pytest.raises(UserError, match=r"classes are species 0000, .* and 988 more\."):
        PerturbationConfig(offsets={"?": 1}).resolve(names)


# -- path=value


def test_that_assignments_reach_nested_settings() -> None:
    config = with_settings(
        RunConfig(),
        [
            "batch.average_size=32",
            "model.critic_optimiser.learning_rate=3e-4",
            "perturbation.gauge=raw",
            "name=a = b",
            "seed=7",
        ],
    )
    assert config.batch.average_size == 32
    assert config.model.optimiser("critic").learning_rate == 3e-4
    assert config.perturbation.gauge is Gauge.RAW
    assert config.name == "a = b"
    assert config.seed == 7


@pytest.mark.parametrize("path", ["batch.average_size", "seed", "perturbation.offsets.2"])
def test_that_true_is_no_number(path: str) -> None:
    with pytest.raises(UserError, match="it is 'true'"):
        with_settings(RunConfig(), [f"{path}=true"])


def test_that_true_is_the_value_of_a_switch() -> None:
    assert with_settings(RunConfig(), ["perturbation.offsets_enabled=false"]).perturbation.offsets_enabled is False


@pytest.mark.parametrize("text", ["2024", "1e3", "true", "null", "NaN", "[1]", "{}", "-0", "a", "a=b", "Zoë"])
def test_that_a_setting_that_is_a_text_takes_any(text: str) -> None:
    start = with_settings(RunConfig(), ["dataset.kind=folder"])
    for value in (text, json.dumps(text), json.dumps(text, ensure_ascii=False)):
        config = with_settings(start, [f"name={value}", f"dataset.path={value}"])
        assert (config.name, config.dataset.model_dump()["path"]) == (text, text)
        assert with_settings(RunConfig(), [f"dataset.path={value}", "dataset.kind=folder"]).dataset == config.dataset


@pytest.mark.parametrize("assignment", ["device=1", "model.kind=1", "dataset.kind=null", "dataset.colour=true"])
def test_that_a_word_that_is_none_of_a_setting_is_refused_as_it_was_typed(assignment: str) -> None:
    start = with_settings(RunConfig(), ["dataset.kind=folder"])
    with pytest.raises(UserError, match=f"'{assignment.partition('=')[2]}'"):
        with_settings(start, [assignment])


@pytest.mark.parametrize("name", ["2", "new class", "0.5 mm", "v1.0.2", "naïve", "a=b", "=", "==", "a=1=2", "x="])
def test_that_an_offset_is_set_by_its_classs_name(name: str) -> None:
    config = with_settings(RunConfig(), ["perturbation.offsets.ant=1", f"perturbation.offsets.{name}=-1.36"])
    assert config.perturbation.offsets == {"ant": 1.0, name: -1.36}


@pytest.mark.parametrize("backwards", [False, True])
def test_that_a_new_model_brings_its_own_settings_whatever_the_order(backwards: bool) -> None:
    start = with_settings(RunConfig(), ["model.kind=wgan_gp", "model.latent_size=9", "model.critic_steps=5"])
    assignments = ["model.kind=vae", "model.width=12"]
    config = with_settings(start, assignments[::-1] if backwards else assignments)
    assert config.model == type(config.model).model_validate({"kind": "vae", "width": 12})


def test_that_naming_the_model_that_is_there_keeps_its_settings() -> None:
    start = with_settings(RunConfig(), ["model.kind=vae", "model.latent_size=9"])
    assert with_settings(start, ["model.kind=vae"]) == start


def test_that_a_new_update_rule_keeps_the_other_settings_of_the_optimiser() -> None:
    start = with_settings(RunConfig(), ["model.kind=vae", "model.autoencoder_optimiser.learning_rate=0.5"])
    config = with_settings(start, ["model.autoencoder_optimiser.kind=sgd"])
    assert config.model.optimiser("autoencoder").learning_rate == 0.5


@pytest.mark.parametrize("assignment", ["", "=", "=3", "seed", " =3", "model.=3", ".seed=3", "batch..average_size=3"])
def test_that_a_malformed_assignment_is_refused_as_such(assignment: str) -> None:
    with pytest.raises(UserError, match="path=value"):
        with_settings(RunConfig(), [assignment])


@pytest.mark.parametrize(
    ("assignment", "remedy"),
    [("dataset.path=/pets", "Add --set dataset.kind=folder"), ("model.critic_steps=3", "Add --set model.kind=wgan_gp")],
)
def test_that_a_setting_of_another_kind_says_how_to_choose_that(assignment: str, remedy: str) -> None:
    start = with_settings(RunConfig(), ["model.kind=vae"])
    with pytest.raises(UserError, match=remedy):
        with_settings(start, [assignment])


def test_that_a_setting_may_follow_the_whole_that_it_is_part_of() -> None:
    config = with_settings(RunConfig(), ['dataset={"kind": "folder"}', "dataset.path=/pets"])
    assert config.dataset.model_dump()["path"] == "/pets"


@pytest.mark.parametrize("assignment", ["engine.size=3", "seed.low=3", "model.width.unit=px", "batch.planner.kind=x"])
def test_that_an_assignment_to_nowhere_is_refused(assignment: str) -> None:
    with pytest.raises(UserError, match="is not a setting"):
        with_settings(RunConfig(), [assignment])


@pytest.mark.parametrize(
    ("assignment", "field"),
    [
        ("seeed=3", "seeed"),
        ("model.depth=3", "model.depth"),
        ("seed=many", "seed"),
        ("seed=NaN", "seed"),
        ("batch.average_size=1e400", "batch.average_size"),
        ("perturbation.offsets.2=1e308", "perturbation.offsets.2"),
        ("perturbation.offsets=3", "perturbation.offsets"),
        ("model=vae", "model"),
        ("model.kind=perceptron", "model"),
        ("seed=" + "[" * 100_000, "seed"),
        ("seed=" + "9" * 5000, "seed"),
    ],
)
def test_that_an_assignment_that_does_not_fit_is_refused_with_its_place(assignment: str, field: str) -> None:
    with pytest.raises(UserError) as caught:
        with_settings(RunConfig(), [assignment])
    assert caught.value.field == field
    assert len(str(caught.value)) < 400


# -- presets


def test_that_there_is_a_preset_for_every_model_and_the_main_one() -> None:
    names = {preset.name for preset in presets()}
    for spec in MODELS:
        assert {f"digits-{spec.kind}", f"mnist-twos-30-{spec.kind}"} <= names
        assert config_or_preset(f"mnist-twos-30-{spec.kind}").model.kind == spec.kind
    assert config_or_preset("mnist-twos-30") == config_or_preset("mnist-twos-30-wgan_gp")


def test_that_no_two_presets_are_of_one_name_or_the_same_run() -> None:
    configs = [preset.read() for preset in presets()]
    assert len({config.name for config in configs}) == len(configs)
    assert len({config.model_copy(update={"name": ""}).to_json() for config in configs}) == len(configs)


@pytest.mark.parametrize("preset", presets(), ids=lambda preset: preset.name)
def test_that_every_preset_is_readable_and_fits_its_data_set(preset: Any, request: pytest.FixtureRequest) -> None:
    config = preset.read()
    assert config.name
    needs_mnist = config.dataset.kind == "mnist"
    root = request.getfixturevalue("mnist_root" if needs_mnist else "tmp_path")
    data = load_dataset(config.dataset, root)
    perturbation = config.perturbation.resolve(data.class_names)
    assert any(perturbation.offsets)
    if "30 % twos" in config.name:
        counts = np.bincount(data.labels)
        twos, others = (5958, 54042) if needs_mnist else (counts[2], counts.sum() - counts[2])
        weighted = twos * np.exp(-perturbation.offsets[2])
        assert perturbation.offsets.count(0) == 9
        assert weighted / (weighted + others) == pytest.approx(0.3, abs=5e-5)


@pytest.mark.parametrize("text", ["mnist-threes", "", "x" * 5000, "no/such/folder/run", "."])
def test_that_what_is_neither_a_preset_nor_a_file_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="neither a preset nor a file"):
        config_or_preset(text)


@settings(max_examples=50)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(LETTERS, max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["model", "kind", "dataset", "batch", "seed", "perturbation", "offsets", "vae"]), inner
            )
        ),
        max_leaves=12,
    )
)
def test_that_any_json_is_a_configuration_or_a_message(raw: Any) -> None:
    with suppress(UserError):
        parse_config(raw, "run.json")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("perturbation.offsets.2", -1.5),
        ("perturbation.offsets.a.b", 2.0),
        ("perturbation.offsets.3", 0.0),
        ("batch.average_size", 64.0),
        ("model.nothing", None),
        ("nothing.at.all", None),
    ],
)
def test_that_the_value_of_a_setting_is_found_by_its_path(path: str, value: float | None) -> None:
    offsets = PerturbationConfig(offsets={"2": -1.5, "a.b": 2.0})
    assert setting_at(RunConfig(perturbation=offsets), path) == value

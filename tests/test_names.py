"""Names of classes and files: equal however they are spelt."""

import unicodedata
from pathlib import Path

import pytest
from pydantic import ValidationError

from studio.names import composed, file_system_key, shortened
from studio.training.config.energy import JudgeTermConfig
from studio.training.config.run_config import PerturbationConfig
from tests.data.image_folders import loaded, write_image

COMPOSED = "Äpfel é"
DECOMPOSED = unicodedata.normalize("NFD", COMPOSED)


def test_that_one_name_in_two_spellings_is_one_string() -> None:
    assert COMPOSED != DECOMPOSED
    assert composed(DECOMPOSED) == composed(COMPOSED) == COMPOSED


@pytest.mark.parametrize(("one", "other"), [("A", "a"), ("STRASSE", "straße"), (COMPOSED.upper(), DECOMPOSED)])
def test_that_names_which_are_one_file_somewhere_have_one_key(one: str, other: str) -> None:
    assert file_system_key(one) == file_system_key(other)


def test_that_a_folder_in_one_spelling_is_the_class_that_a_person_types(tmp_path: Path) -> None:
    write_image(tmp_path / DECOMPOSED / f"{DECOMPOSED}.png")
    write_image(tmp_path / "other" / "1.png")
    images = loaded(tmp_path)
    assert images.class_names == ("other", COMPOSED)
    assert images.files == ("other/1.png", f"{COMPOSED}/{COMPOSED}.png")
    for spelling in (COMPOSED, DECOMPOSED):
        assert PerturbationConfig(offsets={spelling: -1.0}).resolve(images.class_names).offsets == (0.0, -1.0)
        assert JudgeTermConfig(of=spelling).of == COMPOSED


def test_that_two_offsets_for_one_class_are_refused() -> None:
    with pytest.raises(ValidationError, match="two spellings"):
        PerturbationConfig(offsets={COMPOSED: 1.0, DECOMPOSED: 2.0})


def test_that_names_that_differ_at_their_ends_still_do_where_they_are_shortened() -> None:
    assert shortened("Great crested grebe 05", 14) == "Great c…ebe 05"
    assert shortened("fourteen chars", 14) == "fourteen chars"

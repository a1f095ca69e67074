"""Folders of samples by class, whatever the classes are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.evaluation.tables import with_unsure
from studio.library.export.samples import _folders


@pytest.mark.parametrize(
    ("classes", "folders"),
    [
        (("cat", "dog"), ["cat", "dog", "unsure"]),
        (("A", "a"), ["000_A", "001_a", "unsure"]),
        (("Straße", "STRASSE"), ["000_Straße", "001_STRASSE", "unsure"]),
        (("cat", "unsure"), ["000_cat", "001_unsure", "unsure"]),
        (("Unsure", "cat"), ["000_Unsure", "001_cat", "unsure"]),
        (("con", "cat"), ["000_con", "001_cat", "unsure"]),
        (("a/b", "a-b"), ["000_a-b", "001_a-b", "unsure"]),
    ],
)
def test_that_every_class_has_a_folder_of_its_own_on_any_system(
    tmp_path: Path, classes: tuple[str, ...], folders: list[str]
) -> None:
    assert [folder.name for folder in _folders(tmp_path, classes)] == folders
    assert sorted(folder.name for folder in tmp_path.iterdir()) == sorted(folders)


def test_that_a_class_called_unsure_is_not_the_judge_s_own() -> None:
    assert with_unsure(("cat", "dog")) == ("cat", "dog", "unsure")
    assert with_unsure(("cat", "unsure")) == ("cat", "unsure", "unsure (judge)")
    assert len(set(with_unsure(("Unsure", "cat")))) == 3

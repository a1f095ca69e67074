"""Paths as people type, paste and drop them."""

from pathlib import Path

import pytest

from studio.data.folder import FolderConfig
from studio.paths import typed_path
from studio.training.config.energy import ColumnTermConfig


@pytest.mark.parametrize(
    "text",
    [
        "/a b/c",
        " /a b/c\n",
        '"/a b/c"',
        "'/a b/c' ",
        "“/a b/c”",
        '" /a b/c "',
        "file:///a b/c",
        "file:///a%20b/c",
        "file://localhost/a%20b/c",
        "FILE:/a%20b/c ",
        "'file:///a%20b/c'",
    ],
)
def test_that_a_path_is_the_same_however_it_was_typed(text: str) -> None:
    assert typed_path(text) == "/a b/c"
    assert FolderConfig(path=text).path == "/a b/c"
    assert ColumnTermConfig(path=text).path == "/a b/c"


@pytest.mark.parametrize(
    "text", ["", "a", "~/a", "a'b", "'a", "a b", "../a", '"', "''a", "a%20b", "file", "fil\0e", "\ud800"]
)
def test_that_any_other_text_stays(text: str) -> None:
    assert typed_path(text) == text


@pytest.mark.parametrize("name", ["a ", "'a'", " a", "“a”"])
def test_that_what_has_an_odd_name_is_found_under_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).mkdir()
    assert typed_path(name) == name

"""Small files of a run's folder: written, read, and refused; and JSON that every program reads."""

import json
import math
import os
from pathlib import Path

import pytest

from studio.errors import UserError
from studio.records import json_text, read_record, write_record
from studio.settings import Settings


class Card(Settings):
    name: str
    number: int = 0


def _read(path: Path) -> Card | None:
    return read_record(path, Card, "The card cannot be read", "Delete it.")


def test_that_what_is_written_is_read_and_what_is_missing_is_none(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    assert _read(path) is None
    write_record(path, Card(name="ΔH", number=3))
    assert _read(path) == Card(name="ΔH", number=3)
    assert [each.name for each in tmp_path.iterdir()] == ["card.json"]


@pytest.mark.parametrize("content", [b"", b"\xff", b"{", b"[]", b'{"name": 1}', b'{"name": "a", "more": 1}'])
def test_that_damage_is_told_with_its_file_and_what_to_do(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "card.json"
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        _read(path)
    assert caught.value.title == "The card cannot be read"
    assert str(path) in caught.value.message
    assert caught.value.hint == "Delete it."


def test_that_neither_a_huge_file_nor_a_pipe_is_read(tmp_path: Path) -> None:
    huge, pipe = tmp_path / "huge.json", tmp_path / "pipe.json"
    huge.write_bytes(b" " * (2**20 + 1))
    with pytest.raises(UserError, match=r"larger than 1 MiB"):
        _read(huge)
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no named pipes")
    os.mkfifo(pipe)  # reading it would wait for ever
    with pytest.raises(UserError, match="no file"):
        _read(pipe)


def test_that_what_is_no_number_is_null_at_any_depth() -> None:
    found = {"a": math.nan, "b": [1.5, math.inf, {"c": (-math.inf, "é")}], "d": None, "e": True, "f": 3}
    text = json_text(found)
    assert json.loads(text, parse_constant=lambda name: name) == {
        "a": None,
        "b": [1.5, None, {"c": [None, "é"]}],
        "d": None,
        "e": True,
        "f": 3,
    }
    assert "é" in text

"""JSON that every program reads."""

from __future__ import annotations

import json
import math

from studio.records import json_text


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

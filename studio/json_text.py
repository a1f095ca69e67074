"""JSON as every program reads it: a number that does not exist, or is not finite, is null."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any


def json_text(found: Any, indent: int | None = None) -> str:
    """`found` as JSON, in which letters stay as they are."""
    return json.dumps(_finite(found), indent=indent, ensure_ascii=False, allow_nan=False)


def _finite(found: Any) -> Any:
    if isinstance(found, float):
        return found if math.isfinite(found) else None
    if isinstance(found, Mapping):
        return {name: _finite(value) for name, value in found.items()}
    return [_finite(value) for value in found] if isinstance(found, list | tuple) else found

"""Small JSON files that go with a run's folder, each one settings model: read with care, written whole.

And JSON as every program reads it: a number that does not exist, or is not finite, is null.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from studio.errors import UserError, reporting
from studio.files import read_bytes, whole_file
from studio.settings import Settings

_MOST_BYTES = 2**20

Record = TypeVar("Record", bound=Settings)


def read_json(path: Path, noun: str) -> Any:
    """What a JSON file holds, which messages call so; raises UserError if it cannot be opened, or is no JSON."""
    with reporting(f"The {noun} cannot be opened", path):
        content = read_bytes(path)
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UserError(f"The {noun} is not valid JSON", f"{path}: {error}.", "Check it in a text editor.") from error


def json_text(found: Any, indent: int | None = None) -> str:
    """`found` as JSON, in which letters stay as they are."""
    return json.dumps(_finite(found), indent=indent, ensure_ascii=False, allow_nan=False)


def _finite(found: Any) -> Any:
    if isinstance(found, float):
        return found if math.isfinite(found) else None
    if isinstance(found, Mapping):
        return {name: _finite(value) for name, value in found.items()}
    return [_finite(value) for value in found] if isinstance(found, list | tuple) else found


def read_record(path: Path, kind: type[Record], title: str, hint: str) -> Record | None:
    """What a file of at most 1 MiB holds; None without one. Raises UserError, with title and hint, if it is damaged."""
    try:
        return kind.model_validate_json(read_bytes(path, _MOST_BYTES))
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error.strerror or error
        raise UserError(title, f"{path}: {str(reason)[:200]}.", hint) from error


def write_record(path: Path, record: Settings) -> None:
    """Write one; raises UserError if the folder cannot be written."""
    with whole_file(path) as file:
        file.write((record.model_dump_json(indent=2) + "\n").encode())

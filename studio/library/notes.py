"""What a person writes to a run, kept in its folder as notes.json, so that it goes with it wherever it goes."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from studio.records import read_record, write_record
from studio.settings import Settings

FILE = "notes.json"
MOST_TAGS = 32


class RunNotes(Settings):
    """Name, empty where it has not been renamed, tags, each once in the order given, and notes, free text."""

    schema_version: Literal[1] = 1
    name: str = Field("", max_length=80)
    tags: tuple[str, ...] = Field((), max_length=MOST_TAGS)
    notes: str = Field("", max_length=100_000)

    @field_validator("tags", mode="after")
    @classmethod
    def _plain(cls, tags: tuple[str, ...]) -> tuple[str, ...]:
        cleaned = (" ".join(tag.split())[:40] for tag in tags)
        return tuple(dict.fromkeys(tag for tag in cleaned if tag))


def read_notes(folder: Path) -> RunNotes:
    """What was written to a run; nothing where nothing was. Raises UserError if the file is damaged."""
    found = read_record(folder / FILE, RunNotes, "The run's notes cannot be read", "Correct the file, or delete it.")
    return found or RunNotes()


def write_notes(folder: Path, notes: RunNotes) -> None:
    """Keep what a person wrote; raises UserError if the folder cannot be written."""
    write_record(folder / FILE, notes)


def tags_of(text: str) -> tuple[str, ...]:
    """Tags as a person types them: separated by commas."""
    return RunNotes(tags=tuple(text.split(",")[:MOST_TAGS])).tags

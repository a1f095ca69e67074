"""Files out of verified archives, each whole or not at all.

Members are picked by name and copied as a stream, so that no path inside an archive decides where a file goes and no
member needs to fit into memory.
"""

from __future__ import annotations

import gzip
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from studio.errors import UserError
from studio.files import whole_file
from studio.progress import Progress

_CHUNK = 1024 * 1024
_DAMAGE = (gzip.BadGzipFile, zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, KeyError)


def from_gzip(archive: Path, target: Path, progress: Progress) -> None:
    """Unpack a ``.gz`` file; raises UserError, and leaves nothing, if it is damaged or the file cannot be written."""
    with _damage_reported(archive), gzip.open(archive) as source:
        _copy(source, target, archive, progress)


def from_zipped_gzip(archive: Path, member: str, target: Path, progress: Progress) -> None:
    """Unpack a ``.gz`` file that is a member of a ``.zip`` file; errors as `from_gzip`."""
    with (
        _damage_reported(archive),
        zipfile.ZipFile(archive) as packed,
        packed.open(member) as compressed,
        gzip.GzipFile(fileobj=compressed) as source,
    ):
        _copy(source, target, archive, progress)


def from_tar(archive: Path, members: Collection[str], folder: Path, progress: Progress) -> None:
    """Unpack members of a compressed tar file, in one pass, by the last part of their names; errors as `from_gzip`."""
    missing = set(members)
    with _damage_reported(archive), tarfile.open(archive) as packed:
        for entry in packed:
            progress.check()
            source = packed.extractfile(entry) if entry.name in missing and entry.isfile() else None
            if source is None:
                continue
            _copy(source, folder / Path(entry.name).name, archive, progress, 1 - len(missing) / len(members))
            missing.remove(entry.name)
        if missing:
            raise KeyError(f"{min(missing)} is missing")


@contextmanager
def _damage_reported(archive: Path) -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        raise UserError(
            "An archive is damaged",
            f"{archive}: {str(error).strip(chr(39)) or type(error).__name__}.",
            "Delete this file; the studio then downloads it again.",
            field="dataset",
        ) from error


def _copy(
    source: IO[bytes] | gzip.GzipFile, target: Path, archive: Path, progress: Progress, fraction: float | None = None
) -> None:
    progress.report(f"Unpacking {target.name}", fraction)
    with whole_file(target) as file:
        # Damage is told apart from a full disk here: some of it is an OSError, too.
        with _damage_reported(archive):
            chunk = source.read(_CHUNK)
        while chunk:
            progress.check()
            file.write(chunk)
            with _damage_reported(archive):
                chunk = source.read(_CHUNK)

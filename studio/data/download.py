"""Downloads that can be watched and cancelled, and that leave a whole, verified file or none.

Torchvision's own downloader shows progress on the terminal alone, cannot be cancelled, and leaves a truncated file
behind when the connection breaks; so the bytes are fetched here, from the addresses and with the checksums that
torchvision's classes hold.
"""

from __future__ import annotations

import hashlib
import os
import queue
import threading
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from studio.data.memory import format_bytes
from studio.errors import UserError, reporting
from studio.files import whole_file
from studio.progress import Progress

_CHUNK = 256 * 1024
_TIMEOUT_S = 30.0
"""Seconds without a byte after which a server counts as gone."""
_POLL_S = 0.1
"""Seconds that a cancel may take to be noticed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """A file to download, by the name that it gets, addresses in the order to be tried, and its checksum."""

    filename: str
    urls: tuple[str, ...]
    md5: str


class _TransferError(Exception):
    """One address did not yield the file; the text says why."""


def verify(path: Path, md5: str, progress: Progress) -> None:
    """Check a file on disk against its checksum; raises UserError if it is another one, or the file cannot be read."""
    progress.report(f"Checking {path.name}")
    digest = hashlib.md5(usedforsecurity=False)
    hint = "Check that you may read it."
    with reporting("A data file cannot be read", path, hint, field="dataset"), path.open("rb") as file:
        while chunk := file.read(4 * _CHUNK):
            progress.check()
            digest.update(chunk)
    if digest.hexdigest() != md5:
        raise UserError(
            "A data file is damaged",
            f"{path}: its MD5 checksum is {digest.hexdigest()} instead of {md5}.",
            "Delete this file; the studio then downloads it again.",
            field="dataset",
        )


def fetch(archive: Archive, folder: Path, title: str, progress: Progress) -> bool:
    """Download a file unless it lies in the folder, which is made, already; whether it was downloaded.

    Args:
        title: name of the data set, for messages.
        progress: told the bytes and the fraction of this file; a cancel is noticed within 0.1 s, even while the server
            says nothing.

    Raises:
        UserError: no address yielded it, its checksum is wrong, or it cannot be written. Nothing is left of it. Or it
            was there and is damaged; then it stays.
        Cancelled: the person cancelled. Nothing is left of it.
    """
    target = folder / archive.filename
    if os.path.isfile(target):
        verify(target, archive.md5, progress)
        return False
    reasons = []
    for url in archive.urls:
        try:
            _fetch_from(url, archive, target, progress)
            return True
        except _TransferError as error:
            reasons.append(f"{urlsplit(url).hostname}: {error}")
    raise UserError(
        f"{title} could not be downloaded",
        f"{archive.filename}: {'; '.join(reasons)}.",
        f"Check the connection and try again, or put {archive.filename} into {folder} yourself.",
        field="dataset",
    )


def _fetch_from(url: str, archive: Archive, target: Path, progress: Progress) -> None:
    """Download from one address; raises _TransferError if that did not work."""
    digest = hashlib.md5(usedforsecurity=False)
    received, total = 0, None
    progress.report(f"Downloading {archive.filename} from {urlsplit(url).hostname}")
    with closing(_chunks(url, progress)) as chunks, whole_file(target) as file:
        for chunk, total in chunks:
            file.write(chunk)
            digest.update(chunk)
            received += len(chunk)
            of_total = f" of {format_bytes(total)}" if total else ""
            fraction = min(received / total, 1.0) if total else None
            progress.report(f"Downloading {archive.filename}: {format_bytes(received)}{of_total}", fraction)
        if total is not None and received < total:
            raise _TransferError(f"the server broke off after {format_bytes(received)} of {format_bytes(total)}")
        if digest.hexdigest() != archive.md5:
            raise _TransferError(f"the checksum is wrong (MD5 {digest.hexdigest()} instead of {archive.md5})")


def _chunks(url: str, progress: Progress) -> Generator[tuple[bytes, int | None], None, None]:
    """The file piece by piece, each with the length the server announced.

    A thread of its own waits for the network, so that a silent server does not hold up a cancel; it ends at the latest
    when its time-out does.
    """
    pieces: queue.Queue[tuple[bytes, int | None] | Exception | None] = queue.Queue(maxsize=8)
    abandoned = threading.Event()
    threading.Thread(target=_pump, args=(url, pieces, abandoned), name="download", daemon=True).start()
    try:
        while True:
            progress.check()
            try:
                piece = pieces.get(timeout=_POLL_S)
            except queue.Empty:
                continue
            if piece is None:
                return
            if isinstance(piece, Exception):
                raise _TransferError(_reason(piece)) from piece
            yield piece
    finally:
        abandoned.set()


def _pump(
    url: str, pieces: queue.Queue[tuple[bytes, int | None] | Exception | None], abandoned: threading.Event
) -> None:
    """Read the address into the queue; ends it with None, or with the error that stopped it."""
    from urllib.request import Request, urlopen  # with what is below a fiftieth of all that the window imports

    def put(piece: tuple[bytes, int | None] | Exception | None) -> None:
        while not abandoned.is_set():
            try:
                pieces.put(piece, timeout=_POLL_S)
                return
            except queue.Full:
                continue

    try:
        request = Request(url, headers={"User-Agent": "perturbation-studio"})
        with urlopen(request, timeout=_TIMEOUT_S) as response:
            length = response.headers.get("Content-Length", "")
            total = int(length) if length.isdigit() else None
            while not abandoned.is_set() and (chunk := response.read(_CHUNK)):
                put((chunk, total))
        put(None)
    except Exception as error:  # whatever a server can provoke belongs to the caller, not to this thread
        put(error)


def _reason(error: Exception) -> str:
    """Why a transfer failed, in a few words."""
    from http.client import HTTPException, IncompleteRead
    from urllib.error import HTTPError, URLError

    if isinstance(error, HTTPError):
        return f"the server answered {error.code} {error.reason}"
    if isinstance(error, URLError):
        return f"no connection ({error.reason})"
    if isinstance(error, TimeoutError):
        return f"the server said nothing for {_TIMEOUT_S:.0f} seconds"
    if isinstance(error, IncompleteRead):
        return "the server broke off"
    if isinstance(error, HTTPException):
        return f"the server's answer is not understood ({type(error).__name__})"
    return str(error) or type(error).__name__

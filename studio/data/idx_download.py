"""Downloads of the IDX sets, from the addresses and with the checksums that torchvision's classes hold."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from studio.data.download import Archive, fetch
from studio.data.extract import from_gzip, from_zipped_gzip
from studio.progress import Progress

if TYPE_CHECKING:
    from studio.data.idx_set import IdxSet

_SHARES = {"train-images-idx3-ubyte.gz": 0.85, "t10k-images-idx3-ubyte.gz": 0.14}
"""Parts of a download by size, for an even progress; labels are small."""


def archives(which: IdxSet) -> tuple[Archive, ...]:
    """What torchvision would download for that set: a file per IDX file, or one ``.zip`` of all of them."""
    from torchvision import datasets

    source = getattr(datasets, which.torchvision)
    if issubclass(source, datasets.EMNIST):
        return (Archive(filename=PurePosixPath(source.url).name, urls=(source.url,), md5=source.md5),)
    return tuple(
        Archive(filename=name, urls=tuple(mirror + name for mirror in source.mirrors), md5=md5)
        for name, md5 in source.resources
    )


def download_idx_set(which: IdxSet, data_root: Path, progress: Progress) -> None:
    """Fetch and unpack whatever of a set is missing.

    Archives that were downloaded are removed once they are unpacked; those a person put there stay. Whatever is
    complete is kept when something else fails, so that a second attempt has less to do.

    Raises:
        UserError: as `fetch`, or an archive cannot be unpacked.
        Cancelled: the person cancelled; nothing half-written is left.
    """
    progress.report("Loading torchvision, which knows where to download from")
    done = 0.0
    for archive in archives(which):
        share = 1.0 if archive.filename.endswith(".zip") else _SHARES.get(archive.filename, 0.005)
        _fetch_and_unpack(which, archive, data_root, progress.part(done, done + share))
        done += share


def _fetch_and_unpack(which: IdxSet, archive: Archive, data_root: Path, progress: Progress) -> None:
    folder = which.folder(data_root)
    zipped = archive.filename.endswith(".zip")
    if zipped:
        targets = [which.images_file(data_root), which.labels_file(data_root)]
    else:
        targets = [folder / archive.filename.removesuffix(".gz")]
    missing = [target for target in targets if not os.path.isfile(target)]
    if not missing:
        return
    packed = folder / archive.filename
    downloaded = fetch(archive, folder, which.title, progress)
    for target in missing:
        if zipped:
            from_zipped_gzip(packed, f"gzip/{target.name}.gz", target, progress)
        else:
            from_gzip(packed, target, progress)
    if downloaded:
        packed.unlink(missing_ok=True)

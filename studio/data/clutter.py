"""What lies in folders of images and is none: system folders, captions, masks.

All is told by names, so that which files are examples, and with which numbers, does not depend on what is in them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePath

from studio.names import file_system_key

_CLUTTER = frozenset(
    {
        "thumbs.db", "ehthumbs.db", "desktop.ini", "picasa.ini", "icon\r",
        "__macosx", "network trash folder", "temporary items",
        "$recycle.bin", "recycler", "recycled", "system volume information", "found.000",
        "lost+found", "__pycache__",
        "@eadir", "#recycle", "#snapshot", "@recycle", "@recently-snapshot", "@sharebin", "@tmp", "@sharesnap",
        "@__thumb",
    }
)  # fmt: skip
"""Of macOS, Windows, Linux, and network drives."""

_NO_IMAGES = frozenset(
    {
        ".txt", ".caption", ".cap", ".tags", ".json", ".jsonl", ".xml", ".csv", ".tsv", ".md", ".rst", ".html",
        ".htm", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".log", ".pdf", ".doc", ".docx", ".xls", ".xlsx", ".rtf",
        ".py", ".ipynb", ".sh", ".bat", ".js", ".css", ".sql", ".db", ".sqlite", ".zip", ".tar", ".gz", ".tgz",
        ".bz2", ".xz", ".7z", ".rar", ".npy", ".npz", ".pkl", ".pickle", ".pt", ".pth", ".h5", ".hdf5",
        ".safetensors", ".mat", ".parquet", ".arrow", ".tfrecord", ".mp3", ".wav", ".flac", ".ogg", ".m4a", ".mp4",
        ".mov", ".avi", ".mkv", ".webm", ".xmp", ".aae", ".srt", ".url", ".lnk", ".md5", ".sha1", ".sha256",
        ".bak", ".orig", ".old", ".tmp", ".swp", ".part", ".crdownload", ".geojson",
    }
)  # fmt: skip
"""Endings of files that are no images, such as captions beside them."""

_IMAGES = frozenset(
    {
        ".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".gif", ".bmp", ".dib", ".tif", ".tiff", ".webp", ".avif", ".ppm",
        ".pgm", ".pbm", ".pnm", ".pfm", ".tga", ".ico", ".jp2", ".j2k", ".pcx", ".qoi", ".sgi",
    }
)  # fmt: skip
_MASK_WORDS = (
    r"(?:(?:seg|segmentation|label|gt|bin|binary|semantic|instance|object|alpha)[-_ ]?)?"
    r"(?:masks?|masklabels?|labels?|labelmaps?|label(?:train)?ids?|instances?|instanceids?|seg|segmentations?|"
    r"annotations?|trimaps?|mattes?|ground[-_ ]?truth|gt)(?:[-_ ]?[0-9]+)?"
)
_MASKS = (re.compile(rf"(?P<of>.+?)[-_. ]+{_MASK_WORDS}"), re.compile(r"(?:mask|seg|gt)[-_. ]+(?P<of>.+)"))
"""The stem of a mask's name, such as ``x-masklabel``, ``x_mask_1`` or ``mask_x``, and that of its image."""

_IMAGE_FOLDER = re.compile(r"images?|imgs?|jpe?gimages|photos?|pictures?")


def is_clutter(name: str) -> bool:
    """Whether a file or folder is the system's: hidden, or one that systems and network drives leave behind."""
    return name.startswith(".") or file_system_key(name) in _CLUTTER


def is_no_image(name: str) -> bool:
    """Whether a file's name says that it is something else than an image."""
    return PurePath(name).suffix.casefold() in _NO_IMAGES or name.endswith("~")


def is_image(name: str) -> bool:
    """Whether a file's name says that it is an image."""
    return PurePath(name).suffix.casefold() in _IMAGES


def masks_among(names: Iterable[str]) -> set[str]:
    """Which files of one folder are masks of others in it: ``x-masklabel.png`` beside ``x.jpg``."""
    stems = {name: file_system_key(PurePath(name).stem) for name in names}
    there = set(stems.values())
    return {name for name, stem in stems.items() if _masked(stem) & there}


def _masked(stem: str) -> set[str]:
    """What the image may be called that this is a mask of by its name."""
    return {found["of"] for pattern in _MASKS if (found := pattern.fullmatch(stem))}


def mask_folders(names: Iterable[str]) -> dict[str, str]:
    """Folders like masks, each with that of its images: ``train_masks`` with ``train``, ``masks`` with ``images``."""
    plain = {file_system_key(name): name for name in names}
    images = next((name for key, name in plain.items() if _IMAGE_FOLDER.fullmatch(key)), None)
    found = {}
    for key, name in plain.items():
        of = next((plain[of] for of in sorted(_masked(key)) if of in plain), None)
        if of is not None:
            found[name] = of
        elif images is not None and re.fullmatch(_MASK_WORDS, key):
            found[name] = images
    return found

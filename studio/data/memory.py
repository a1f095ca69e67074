"""Whether a data set fits into memory, told before it is loaded rather than by a machine that swaps to a halt."""

from __future__ import annotations

from studio.errors import UserError

RESERVE = 256 * 2**20
"""Bytes that stay free for everything else."""


def format_bytes(count: int) -> str:
    """A size as people read it, in decimal units: ``"47.0 MB"``."""
    if count < 1000:
        return f"{count} bytes"
    size = float(count)
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        if size < 999.95:
            return f"{size:.1f} {unit}"
    return f"{size / 1000:,.1f} TB"


def available_bytes() -> int:
    """Memory that can be used without swapping."""
    import psutil

    return int(psutil.virtual_memory().available)


def ensure_it_fits(title: str, needed: int) -> None:
    """Refuse a data set; raises UserError if less than `needed` bytes and a reserve of 256 MiB is free."""
    available = available_bytes()
    if needed + RESERVE > available:
        raise UserError(
            "The data set does not fit into memory",
            f"{title} needs {format_bytes(needed)}; {format_bytes(max(available - RESERVE, 0))} can be used now.",
            "Close other programs, or choose a smaller data set, smaller images or grey instead of colour.",
            field="dataset",
        )

"""One run as a self-contained HTML page: numbers, shares, samples over time, curves and its configuration.

Nothing in it is loaded from elsewhere and nothing is a script; whatever a run's files say stands there as text.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from studio.errors import UserError
from studio.evaluation.tables import caveats, evaluation_of
from studio.files import whole_file
from studio.library.entry import RunEntry, entry_of
from studio.library.export.pictures import caption
from studio.library.export.svg import curve_svg
from studio.progress import Progress
from studio.training.storage.frames import FrameStore
from studio.training.storage.metrics import Metrics, read_metrics
from studio.training.storage.run_identity import RunIdentity
from studio.training.storage.sample_strips import tiled
from studio.training.storage.summary import read_summary

_MOMENTS = 6
_SIDE = 180
_STYLE = """
:root { color-scheme: light dark; --line: #0b66c3; --soft: #8b919c; }
@media (prefers-color-scheme: dark) { :root { --line: #5aa0f0; } }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; } td, th { padding: .15rem .9rem .15rem 0; text-align: left; font-weight: 400; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
th { color: var(--soft); }
figure { display: inline-block; margin: 0 1rem 1rem 0; vertical-align: top; }
figcaption { color: var(--soft); font-size: .85rem; max-width: 12rem; }
img { image-rendering: pixelated; width: 11rem; }
svg { width: 100%; max-width: 40rem; } svg text { font-size: 11px; fill: var(--soft); }
.axis { fill: none; stroke: var(--soft); } .curve { fill: none; stroke: var(--line); stroke-width: 1.3; }
.mark { stroke: var(--soft); stroke-dasharray: 4 3; }
pre { overflow: auto; font-size: .8rem; } p.notes { white-space: pre-wrap; }
"""


def write_report(folder: Path, out: Path, progress: Progress | None = None) -> None:
    """Save a run's report.

    Args:
        folder: the run's.
        out: the file, written whole; UTF-8.
        progress: told how far it is; may cancel.

    Raises:
        UserError: the run is damaged, or the file cannot be written.
        Cancelled: the person cancelled.
    """
    progress = progress or Progress()
    config = RunIdentity.read(folder).trained
    metrics = read_metrics(folder, progress)
    entry = entry_of(folder)
    progress.report("Writing the report")
    parts = [
        f"<h1>{escape(entry.name)}</h1>",
        f'<p class="notes">{escape(entry.notes)}</p>' if entry.notes else "",
        _numbers(entry, _remarks(folder)),
        _shares(metrics),
        _samples(folder),
        _curves(metrics),
        _marks(metrics),
        f"<h2>Configuration</h2><pre>{escape(config.to_json())}</pre>",
    ]
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(entry.name)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body>{''.join(parts)}</body></html>\n"
    )
    with whole_file(out) as file:
        file.write(page.encode(errors="backslashreplace"))


def _numbers(entry: RunEntry, remarks: str) -> str:
    rows = (
        ("Data set", entry.dataset),
        ("Model", entry.model),
        ("Tilt, ΔH by class", entry.tilt),
        ("ΔH by example", remarks),
        ("Steps", f"{entry.steps:,}"),
        ("Time spent training", f"{entry.seconds:,.1f} s"),
        ("Share error, total variation", _figure(entry.share_error, entry.measured_at)),
        ("Fréchet distance", _figure(entry.frechet, entry.measured_at)),
        ("Status", entry.status),
        ("Started", entry.started.replace("T", " ")),
        ("Tags", ", ".join(entry.tags)),
    )
    cells = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows if value)
    return f"<table>{cells}</table>"


def _remarks(folder: Path) -> str:
    """What the run said of the columns that its target asks for."""
    try:
        found = read_summary(folder).get("remarks")
    except UserError:  # it was cut off before its first save
        return ""
    return "; ".join(map(str, found)) if isinstance(found, list) else ""


def _shares(metrics: Metrics) -> str:
    """The shares of the newest evaluation, by class."""
    classes = metrics.evaluations[-1].record.get("classes") if metrics.evaluations else None
    if not isinstance(classes, dict):
        return ""
    names = ("data", "target", "corrected", "low", "high")
    head = "".join(f'<th class="n">{name}</th>' for name in ("data", "target", "generated", "from", "to"))
    rows = "".join(
        f"<tr><td>{escape(str(name))}</td>"
        + "".join(f'<td class="n">{_percent(row, each)}</td>' for each in names)
        + "</tr>"
        for name, row in classes.items()
    )
    step = metrics.evaluations[-1].step
    try:
        said = caveats(evaluation_of(metrics.evaluations[-1].record))
    except ValueError:
        said = ()
    return (
        f"<h2>Shares at step {step:,}</h2><table><tr><th>class</th>{head}</tr>{rows}</table>"
        "<p>Generated shares as a judge sees them, corrected for what it confuses, with 95 % intervals. "
        f"{escape(' '.join(said))}</p>"
    )


def _samples(folder: Path) -> str:
    store = FrameStore(folder)
    if not len(store):
        return ""
    chosen = np.unique(np.linspace(0, len(store) - 1, min(len(store), _MOMENTS)).round().astype(int))
    figures = ""
    for step in store.steps[chosen]:
        frame = store.at(int(step))
        if frame is not None:
            said = escape(caption(frame.step, frame.offsets))
            figures += f'<figure><img src="{_data_url(frame.grid.averaged)}" alt="Samples, {said}">'
            figures += f"<figcaption>{said}</figcaption></figure>"
    return f"<h2>Samples</h2>{figures}"


def _curves(metrics: Metrics) -> str:
    marks = [float(mark.step) for mark in metrics.marks]
    plots = ""
    for name, column in metrics.columns.items():
        drawing = curve_svg(name, metrics.steps, column, marks)
        if drawing:
            plots += f"<h3>{escape(name.replace('_', ' '))}</h3>{drawing}"
    return f"<h2>Curves</h2>{plots}" if plots else ""


def _marks(metrics: Metrics) -> str:
    rows = "".join(f'<tr><td class="n">{mark.step:,}</td><td>{escape(mark.text)}</td></tr>' for mark in metrics.marks)
    return f"<h2>What happened</h2><table>{rows}</table>" if rows else ""


def _data_url(images: Any) -> str:
    grid = tiled(images)
    picture = Image.fromarray(grid[..., 0] if grid.shape[2] == 1 else grid)
    if max(picture.size) > 4 * _SIDE:
        picture.thumbnail((4 * _SIDE, 4 * _SIDE))
    file = io.BytesIO()
    picture.save(file, format="PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def _figure(value: float | None, at: str) -> str:
    return "" if value is None or not math.isfinite(value) else f"{value:.4g}{at}"


def _percent(row: Mapping[str, Any] | Sequence[Any], name: str) -> str:
    value = row.get(name) if isinstance(row, Mapping) else None
    return f"{100 * value:.2f} %" if isinstance(value, int | float) else ""

"""One run as a self-contained HTML page: what came of it, shares, samples and curves, then how it was set up.

The answer comes first, and on paper it is two pages. Nothing in it is loaded from elsewhere and nothing is a script;
whatever a run's files say stands there as text.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from studio.errors import UserError
from studio.evaluation.arrival import KEPT, Sighting
from studio.evaluation.arrival_words import tilt_answer
from studio.evaluation.evaluation import Evaluation
from studio.evaluation.record import caveats
from studio.files import whole_file
from studio.library.curve_titles import curve_title
from studio.library.export.pictures import Captions
from studio.library.export.shares_chart import shares_svg, shown_classes
from studio.library.export.svg import curve_svg
from studio.library.run_summary import RunSummary, summary_of
from studio.number_text import percent, short, unbroken
from studio.progress import Progress
from studio.training.config.run_config import PerturbationConfig, RunConfig
from studio.training.config.run_title import tilt_words
from studio.training.storage.frames import FrameStore
from studio.training.storage.metrics import Metrics, read_metrics
from studio.training.storage.run_identity import RunIdentity, is_of_another_target, read_summary
from studio.training.storage.sample_strips import thumbnail

_SIDE = 720
_SET_UP = ("epoch", "average_size")
"""Columns that say nothing of what came of a run."""
_MARKS = 10
"""More of what happened is folded away, so that two pages hold the rest."""
_STYLE = """
:root { color-scheme: light dark; --line: #0b66c3; --soft: #6b727d; --data: #8b919c; }
@media (prefers-color-scheme: dark) { :root { --line: #5aa0f0; --soft: #a5acb8; } }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: .2rem; } h2 { font-size: 1.15rem; margin: 1.6rem 0 .5rem; }
p.about { color: var(--soft); margin-top: 0; } p.notes { white-space: pre-wrap; }
p.answer { font-size: 1.2rem; font-weight: 600; margin: 1rem 0 .2rem; }
table { border-collapse: collapse; } td, th { padding: .1rem .9rem .1rem 0; text-align: left; font-weight: 400; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; } th { color: var(--soft); }
.side { display: grid; grid-template-columns: repeat(2, 1fr); gap: 1rem; }
.curves { display: grid; grid-template-columns: repeat(3, 1fr); gap: .6rem 1rem; }
@media (max-width: 40rem) { .side, .curves { grid-template-columns: 1fr; } }
figure { margin: 0; break-inside: avoid; } figcaption { color: var(--soft); font-size: .85rem; }
img { image-rendering: pixelated; width: 100%; }
svg { width: 100%; } svg text { font-size: 12px; fill: currentColor; }
.axis, .grid { fill: none; stroke: var(--soft); } .grid { stroke-opacity: .3; }
.curve { fill: none; stroke: var(--line); stroke-width: 1.3; }
.mark { stroke: var(--soft); stroke-dasharray: 4 3; }
.data { fill: var(--data); } .made { fill: var(--line); }
.target { fill: none; stroke: currentColor; stroke-width: 1.4; } .interval { stroke: currentColor; stroke-width: 2; }
pre { overflow: auto; font-size: .8rem; } summary { cursor: pointer; color: var(--soft); }
@page { margin: 14mm; }
@media print {
  html { font-size: 11px; } body { margin: 0; font-size: 1rem; max-width: none; } details { display: none; }
  .side { max-width: 42rem; } .foot { max-width: none; } .page { break-before: page; }
}
"""


def write_report(folder: Path, out: Path, progress: Progress | None = None) -> None:
    """Save a run's report, whole, UTF-8; raises UserError if the run is damaged, or the file cannot be written."""
    progress = progress or Progress()
    identity = RunIdentity.read(folder)
    config = identity.trained
    metrics = read_metrics(folder, progress)
    entry = summary_of(folder).now(folder)
    progress.report("Writing the report")
    captions = Captions(folder)
    found = metrics.evaluations[-1].evaluation if metrics.evaluations else None
    parts = [
        f"<h1>{escape(entry.name)}</h1>",
        f'<p class="about">{escape(_about(entry, config))}</p>',
        f'<p class="notes">{escape(entry.notes)}</p>' if entry.notes else "",
        _shares(metrics, found, captions.known, identity) if found is not None else _unjudged(entry, config),
        _samples(folder, captions),
        _curves(metrics, config.model.kind),
        '<div class="side foot">',
        _marks(metrics),
        _set_up(entry, _remarks(folder), tilt_words(identity.applied) if identity.applied != identity.target else ""),
        "</div>",
        _details("Shares in figures", _table(found)) if found is not None else "",
        _details("Configuration", f"<pre>{escape(config.to_json())}</pre>"),
    ]
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(entry.name)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body>{''.join(parts)}</body></html>\n"
    )
    with whole_file(out) as file:
        file.write(page.encode(errors="backslashreplace"))


def _about(entry: RunSummary, config: RunConfig) -> str:
    """The run in one line."""
    minutes, seconds = divmod(round(entry.seconds), 60)
    return (
        f"{entry.dataset} · {entry.model} · {config.batch.average_size:g} a batch · {entry.steps:,} steps in "
        f"{minutes}:{seconds:02} min · {entry.status}"
    )


def _set_up(entry: RunSummary, remarks: str, applied: str) -> str:
    rows = (
        ("Tilt, ΔH by class", entry.tilt),
        ("Applied, to hold the shares", applied),
        ("ΔH by example", remarks),
        ("Share error TV", _figure(entry.share_error, entry.measured_at)),
        ("Fréchet distance", _figure(entry.frechet, entry.measured_at)),
        ("Started", entry.started.replace("T", " ")),
        ("Tags", ", ".join(entry.tags)),
    )
    cells = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows if value)
    return f"<section><h2>Set-up and figures</h2><table>{cells}</table></section>"


def _remarks(folder: Path) -> str:
    """What the run said of the columns that its target asks for."""
    found = _summary(folder).get("remarks")
    return "; ".join(map(str, found)) if isinstance(found, list) else ""


def _summary(folder: Path) -> Mapping[str, Any]:
    """Nothing where the run was cut off before its first save."""
    try:
        return read_summary(folder)
    except UserError:
        return {}


def _unjudged(entry: RunSummary, config: RunConfig) -> str:
    """What is known of points, whose class their exact density tells; of images, that nothing is."""
    error = "" if config.dataset.judged else _figure(entry.share_error, entry.measured_at)
    said = f"Share error TV {error} by the exact density, where chance leaves 0.01 to 0.03."
    return f'<p class="answer">{said if error else "What it generates was not evaluated."}</p>'


def _shares(
    metrics: Metrics, found: Evaluation, targets: Mapping[int, PerturbationConfig], identity: RunIdentity
) -> str:
    """The answer, and the shares of the newest evaluation by class; `targets` are those known, by revision."""
    left_out = len(found.class_names) - len(shown_classes(found))
    said = f"{left_out:,} classes nearer to their targets are left out. " if left_out else ""
    judge = f"judge of {found.judge}" if found.judge else "judge"
    said += f"Shares of the recognisable samples, corrected for what the {judge} confuses, with 95 % intervals."
    step, revision = metrics.evaluations[-1].step, metrics.evaluations[-1].revision
    target, summary = targets.get(revision, identity.trained.perturbation), _summary(identity.folder)
    before = f"Of another target, at step {step:,}: " if is_of_another_target(summary, revision=revision) else ""
    return (
        f'<p class="answer">{escape(unbroken(before + _answer(metrics, target)))}</p>'
        f"<h2>Shares at step {step:,}, {found.shares.count:,} samples</h2>{shares_svg(found)}"
        f'<p class="about">{escape(unbroken(" ".join((said, *caveats(found)))))}</p>'
    )


def _answer(metrics: Metrics, target: PerturbationConfig) -> str:
    """Whether the class whose share was tilted most has arrived, with the share error."""
    last = ((each, each.evaluation) for each in metrics.evaluations[-KEPT:])
    seen = [(each, found) for each, found in last if found is not None]
    newest = seen[-1][1]
    tilt = target.of_classes(newest.class_names).resolve(newest.class_names)
    said = tilt_answer(newest.class_names, [Sighting.of(each.step, found) for each, found in seen], tilt)
    return f"{said} Share error TV {newest.tv:.3f}." if math.isfinite(newest.tv) else said


def _table(found: Evaluation) -> str:
    shares = found.shares
    columns = {
        "data": found.data,
        "target": found.target,
        "generated": shares.corrected,
        "from": shares.low,
        "to": shares.high,
    }
    head = "".join(f'<th class="n">{name}</th>' for name in columns)
    rows = "".join(
        f"<tr><td>{escape(name)}</td>"
        + "".join(f'<td class="n">{_percent(float(values[index]))}</td>' for values in columns.values())
        + "</tr>"
        for index, name in enumerate(found.class_names)
    )
    return f"<table><tr><th>class</th>{head}</tr>{rows}</table>"


def _details(title: str, body: str) -> str:
    return f"<details><summary>{title}</summary>{body}</details>"


def _samples(folder: Path, captions: Captions) -> str:
    """The first and the last grid, side by side."""
    store = FrameStore(folder)
    figures = ""
    for step in np.unique(store.steps[[0, -1]]) if len(store) else ():
        frame = store.at(int(step))
        if frame is not None:
            picture = base64.b64encode(thumbnail(frame.grid.averaged, _SIDE)).decode()
            said = escape(captions.of(frame).replace("   ", " · "))
            figures += f'<figure><img src="data:image/png;base64,{picture}" alt="Samples, {said}">'
            figures += f"<figcaption>{said}</figcaption></figure>"
    return f'<h2>Samples, first and last</h2><div class="side">{figures}</div>' if figures else ""


def _curves(metrics: Metrics, kind: str) -> str:
    """The share error first, then what was logged."""
    marks = [float(mark.step) for mark in metrics.marks]
    columns = [(_distance(metrics), "tv", np.array([float(found.step) for found in metrics.alike]))]
    columns += [(column, name, metrics.steps) for name, column in metrics.columns.items() if name not in _SET_UP]
    plots = ""
    for column, name, steps in columns:
        by = f" (judge of {metrics.judge})" if name == "tv" and metrics.judge else ""
        title = f"{curve_title(name, kind)}{by}"
        drawing = curve_svg(title, steps, column, marks)
        if drawing:
            plots += f"<figure><figcaption>{escape(title)}</figcaption>{drawing}</figure>"
    return f'<h2 class="page">Curves</h2><div class="curves">{plots}</div>' if plots else ""


def _distance(metrics: Metrics) -> Any:
    """Share error of each evaluation, shape (n,); NaN where it is not known."""
    found = (each.evaluation for each in metrics.alike)
    return np.array([math.nan if each is None else each.tv for each in found])


def _marks(metrics: Metrics) -> str:
    rows = [f'<tr><td class="n">{mark.step:,}</td><td>{escape(mark.text)}</td></tr>' for mark in metrics.marks]
    if not rows:
        return ""
    earlier, late = rows[:-_MARKS], rows[-_MARKS:]
    before = _details(f"{len(earlier):,} before", f"<table>{''.join(earlier)}</table>") if earlier else ""
    return f"<section><h2>What happened</h2>{before}<table>{''.join(late)}</table></section>"


def _figure(value: float | None, at: str) -> str:
    return "" if value is None or not math.isfinite(value) else f"{short(value)}{at}"


def _percent(share: float) -> str:
    return percent(share) if math.isfinite(share) else ""

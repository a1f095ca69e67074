"""The forms that a run can be saved in: one table for the command line and for the window's menu."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from studio.errors import UserError
from studio.library.export.options import ExportOptions
from studio.progress import Progress

Write = Callable[[Path, Path, ExportOptions, Progress], str]
"""(run's folder, file or folder to write, options, progress) → what was written, as the beginning of "… in FILE"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFormat:
    """One of them.

    Attributes:
        name: of the option, without its dashes.
        title: in the menu.
        says: what is saved, in one sentence.
        endings: of file names with the name of each, the first one proposed; none where it is a folder.
        write: does it; imports what it needs on first use.
        draws: new samples are drawn, so that the window asks how many.
        by_weights: it is of the weights that were saved last, and not of the run as a whole.
        begins_group: a line stands above it in the menu.
        apart: in the window it runs in a process of its own: to translate a model, torch changes for a while how every
            module of the process is called, which would get into a run under way.
    """

    name: str
    title: str
    says: str
    endings: dict[str, str]
    write: Write
    draws: bool = False
    by_weights: bool = False
    begins_group: bool = False
    apart: bool = False

    @property
    def metavar(self) -> str:
        """What stands for its value on the command line."""
        return f"FILE{next(iter(self.endings))}" if self.endings else "DIR"


def _by(place: str, said: Callable[..., str], *choices: str) -> Write:
    """What writes a form: a function of a module of this package, imported on first use and given these options; `said`
    tells what came of it.
    """
    module, _, name = place.partition(".")

    def write(folder: Path, out: Path, options: ExportOptions, progress: Progress) -> str:
        function = getattr(import_module(f"studio.library.export.{module}"), name)
        return said(function(folder, out, progress, **{choice: getattr(options, choice) for choice in choices}))

    return write


def _samples(folder: Path, out: Path, options: ExportOptions, progress: Progress) -> str:
    from studio.library.export.samples import write_at_once, write_samples

    if options.asked is not None:
        made = write_at_once(folder, out, progress, options, options.asked)
        return f"{made.told()}\n{len(made):,} samples"
    count = write_samples(folder, out, progress, count=options.count, seed=options.seed, averaged=options.averaged)
    return f"{count:,} samples"


def _classes(folder: Path, out: Path, options: ExportOptions, progress: Progress) -> str:
    from studio.library.export.samples import write_classes

    found = write_classes(folder, out, progress, options)
    return ", ".join(f"{name} {number:,}" for name, number in found.items())


_PART = "The part of the model that makes images or judges them (generator, decoder, denoiser or energy)"

FORMATS = (
    ExportFormat(
        name="grid",
        title="Sample &grid…",
        says="A sample grid as a picture.",
        endings={".png": "PNG"},
        write=_by("pictures.write_grid", "Samples of step {:,}".format, "step", "averaged"),
    ),
    ExportFormat(
        name="timelapse",
        title="&Time-lapse…",
        says="All sample grids, one after another, with step and ΔH drawn in: GIF, WebP or MP4 by the name's ending.",
        endings={".gif": "GIF", ".webp": "WebP", ".mp4": "MP4 video"},
        write=_by("pictures.write_timelapse", "{:,} grids".format, "seconds", "averaged"),
    ),
    ExportFormat(
        name="npz",
        title="&Samples as arrays…",
        says="Newly drawn samples for NumPy: images, uint8, (N, H, W, C), or points of the plane, float32, (N, 2).",
        endings={".npz": "NumPy arrays"},
        write=_samples,
        draws=True,
        by_weights=True,
        begins_group=True,
    ),
    ExportFormat(
        name="classes",
        title="Samples by &class…",
        says="Newly drawn samples as pictures, each in the folder of the class that a judge sees in it.",
        endings={},
        write=_classes,
        draws=True,
        by_weights=True,
    ),
    ExportFormat(
        name="csv",
        title="&Metrics as CSV…",
        says="Metrics for a spreadsheet, a row per logged step.",
        endings={".csv": "CSV table"},
        write=_by("metrics_table.write_csv", "{:,} rows".format),
        begins_group=True,
    ),
    ExportFormat(
        name="parquet",
        title="Metrics as &Parquet…",
        says="Metrics with their types, a row per logged step, for pandas, Polars and databases.",
        endings={".parquet": "Parquet table"},
        write=_by("metrics_table.write_parquet", "{:,} rows".format),
    ),
    ExportFormat(
        name="tensorboard",
        title="Metrics for Tensor&Board…",
        says="Metrics and evaluations as an event file in a folder of the run's name, for tensorboard --logdir.",
        endings={},
        write=_by("event_file.write_events", "{:,} steps".format),
    ),
    ExportFormat(
        name="weights",
        title="&Weights…",
        says="Weights of the model by name, and its chains or replay buffer; its configuration in the metadata.",
        endings={".safetensors": "Safetensors"},
        write=_by("network.write_weights", "{:,} numbers".format, "averaged"),
        by_weights=True,
        begins_group=True,
    ),
    ExportFormat(
        name="onnx",
        title="Model as &ONNX…",
        says=f"{_PART}, for other programs; checked against the original.",
        endings={".onnx": "ONNX"},
        write=_by("onnx_file.write_onnx", str, "averaged"),
        by_weights=True,
        apart=True,
    ),
    ExportFormat(
        name="torch-export",
        title="Model for P&yTorch…",
        says=f"{_PART} as torch.export saves it, to be run without the studio; checked against the original.",
        endings={".pt2": "Exported program"},
        write=_by("network.write_program", str, "averaged"),
        by_weights=True,
        apart=True,
    ),
    ExportFormat(
        name="report",
        title="&Report…",
        says="One page to read: numbers, shares, samples, curves and configuration; it loads nothing from elsewhere.",
        endings={".html": "Web page"},
        write=_by("report.write_report", lambda _: "Report"),
        begins_group=True,
    ),
    ExportFormat(
        name="zip",
        title="All of it as one &zip…",
        says="The whole run in one file, which “Import…” or studio import takes in on another machine.",
        endings={".zip": "Zip archive"},
        write=_by("archive.pack", "{:,} files".format),
    ),
)


_POLL_SECONDS = 0.1
_CALLED_OFF_SECONDS = 10.0


def write_apart(kind: ExportFormat, folder: Path, out: Path, options: ExportOptions, progress: Progress) -> str:
    """Do it, wait for it, and return what was written; if it failed, UserError with what the process said last."""
    raw = [] if options.averaged else ["--raw"]
    command = [sys.executable, "-m", "studio", "export", str(folder), f"--{kind.name}", str(out), *raw]
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as faults:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=faults)
        try:
            while True:
                progress.report("Exporting the model")
                try:
                    process.wait(_POLL_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    continue
        finally:
            if process.poll() is None:
                process.kill()
                process.wait(_CALLED_OFF_SECONDS)
        for file in (said, faults):
            file.seek(0)
        if process.returncode:
            fault = _last_line(faults.read()).removeprefix("studio: ")
            raise UserError("The export failed", fault or f"Exit code {process.returncode}.")
        return _last_line(said.read()).removesuffix(f" in {out}")


def _last_line(text: bytes) -> str:
    lines = [line.strip() for line in text.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else ""

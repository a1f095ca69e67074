"""The forms that a run can be saved in: one table for the command line and for the window's menu."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

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
    begins_group: bool = False
    apart: bool = False

    @property
    def metavar(self) -> str:
        """What stands for its value on the command line."""
        return f"FILE{next(iter(self.endings))}" if self.endings else "DIR"


def _grid(folder: Path, out: Path, options: ExportOptions, progress: Progress) -> str:
    from studio.library.export.pictures import write_grid

    return f"Samples of step {write_grid(folder, out, options.step, averaged=options.averaged):,}"


def _timelapse(folder: Path, out: Path, options: ExportOptions, progress: Progress) -> str:
    from studio.library.export.pictures import write_timelapse

    count = write_timelapse(folder, out, progress, seconds=options.seconds, averaged=options.averaged)
    return f"{count:,} grids"


def _samples(folder: Path, out: Path, options: ExportOptions, progress: Progress) -> str:
    from studio.library.export.samples import write_at_once, write_samples

    if options.asked is not None:
        made = write_at_once(
            folder,
            out,
            options.asked,
            progress,
            method=options.method,
            count=options.count,
            seed=options.seed,
            averaged=options.averaged,
            data_root=options.data_root,
            assignments=options.assignments,
        )
        return f"{made.told()}\n{len(made):,} samples"
    count = write_samples(folder, out, progress, count=options.count, seed=options.seed, averaged=options.averaged)
    return f"{count:,} samples"


def _classes(folder: Path, out: Path, options: ExportOptions, progress: Progress) -> str:
    from studio.library.export.samples import write_classes

    found = write_classes(
        folder,
        out,
        progress,
        count=options.count,
        seed=options.seed,
        averaged=options.averaged,
        data_root=options.data_root,
        assignments=options.assignments,
        asked=options.asked,
        method=options.method,
    )
    return ", ".join(f"{name} {number:,}" for name, number in found.items())


def _csv(folder: Path, out: Path, options: ExportOptions, progress: Progress) -> str:
    from studio.library.export.tables import write_csv

    return f"{write_csv(folder, out, progress):,} rows"


def _parquet(folder: Path, out: Path, options: ExportOptions, progress: Progress) -> str:
    from studio.library.export.tables import write_parquet

    return f"{write_parquet(folder, out, progress):,} rows"


def _tensorboard(folder: Path, out: Path, options: ExportOptions, progress: Progress) -> str:
    from studio.library.export.event_file import write_events

    return f"{write_events(folder, out, progress):,} steps"


def _weights(folder: Path, out: Path, options: ExportOptions, progress: Progress) -> str:
    from studio.library.export.weights import write_weights

    return f"{write_weights(folder, out, averaged=options.averaged):,} numbers"


def _onnx(folder: Path, out: Path, options: ExportOptions, progress: Progress) -> str:
    from studio.library.export.onnx_file import write_onnx

    return write_onnx(folder, out, progress, averaged=options.averaged)


def _program(folder: Path, out: Path, options: ExportOptions, progress: Progress) -> str:
    from studio.library.export.network import write_program

    return write_program(folder, out, progress, averaged=options.averaged)


def _report(folder: Path, out: Path, options: ExportOptions, progress: Progress) -> str:
    from studio.library.export.report import write_report

    write_report(folder, out, progress)
    return "Report"


def _zip(folder: Path, out: Path, options: ExportOptions, progress: Progress) -> str:
    from studio.library.export.archive import pack

    return f"{pack(folder, out, progress):,} files"


_PART = "The part of the model that makes images or judges them (generator, decoder, denoiser or energy)"

FORMATS = (
    ExportFormat(
        name="grid",
        title="Sample &grid…",
        says="A sample grid as a picture.",
        endings={".png": "PNG"},
        write=_grid,
    ),
    ExportFormat(
        name="timelapse",
        title="&Time-lapse…",
        says="All sample grids, one after another, with step and ΔH drawn in: GIF, WebP or MP4 by the name's ending.",
        endings={".gif": "GIF", ".webp": "WebP", ".mp4": "MP4 video"},
        write=_timelapse,
    ),
    ExportFormat(
        name="npz",
        title="&Samples as arrays…",
        says="Newly drawn samples for NumPy: images, uint8, (N, H, W, C), or points of the plane, float32, (N, 2).",
        endings={".npz": "NumPy arrays"},
        write=_samples,
        draws=True,
        begins_group=True,
    ),
    ExportFormat(
        name="classes",
        title="Samples by &class…",
        says="Newly drawn samples as pictures, each in the folder of the class that a judge sees in it.",
        endings={},
        write=_classes,
        draws=True,
    ),
    ExportFormat(
        name="csv",
        title="&Metrics as CSV…",
        says="Metrics for a spreadsheet, a row per logged step.",
        endings={".csv": "CSV table"},
        write=_csv,
        begins_group=True,
    ),
    ExportFormat(
        name="parquet",
        title="Metrics as &Parquet…",
        says="Metrics with their types, a row per logged step, for pandas, Polars and databases.",
        endings={".parquet": "Parquet table"},
        write=_parquet,
    ),
    ExportFormat(
        name="tensorboard",
        title="Metrics for Tensor&Board…",
        says="Metrics and evaluations as an event file in a folder of the run's name, for tensorboard --logdir.",
        endings={},
        write=_tensorboard,
    ),
    ExportFormat(
        name="weights",
        title="&Weights…",
        says="Weights of the model by name, and its chains or replay buffer; its configuration in the metadata.",
        endings={".safetensors": "Safetensors"},
        write=_weights,
        begins_group=True,
    ),
    ExportFormat(
        name="onnx",
        title="Model as &ONNX…",
        says=f"{_PART}, for other programs; checked against the original.",
        endings={".onnx": "ONNX"},
        write=_onnx,
        apart=True,
    ),
    ExportFormat(
        name="torch-export",
        title="Model for P&yTorch…",
        says=f"{_PART} as torch.export saves it, to be run without the studio; checked against the original.",
        endings={".pt2": "Exported program"},
        write=_program,
        apart=True,
    ),
    ExportFormat(
        name="report",
        title="&Report…",
        says="One page to read: numbers, shares, samples, curves and configuration; it loads nothing from elsewhere.",
        endings={".html": "Web page"},
        write=_report,
        begins_group=True,
    ),
    ExportFormat(
        name="zip",
        title="All of it as one &zip…",
        says="The whole run in one file, which “Import…” or studio import takes in on another machine.",
        endings={".zip": "Zip archive"},
        write=_zip,
    ),
)

"""What a run is made into for others: pictures, a time-lapse, a table, a page."""

from __future__ import annotations

import csv
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from studio.errors import Cancelled, UserError
from studio.library.export.pictures import caption, write_grid, write_timelapse
from studio.library.export.report import write_report
from studio.library.export.svg import curve_svg, decimated
from studio.library.export.tables import write_csv
from studio.library.notes import RunNotes, write_notes
from studio.progress import Progress
from studio.training.frames import FrameStore
from studio.training.sample_strips import tiled
from tests.library.made_runs import make_config, make_run, record_evaluation

OFFSETS = {"2": -1.36, "7": 0.5, "1": 0.1, "4": 3.0}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    path = make_run(tmp_path, "run", make_config("<b>mine</b>", offsets=OFFSETS), steps=1000, frames=6)
    record_evaluation(path, 1000, 0.03, 12.0)
    return path


def test_that_a_grid_is_enlarged_by_a_whole_factor(run: Path, tmp_path: Path) -> None:
    assert write_grid(run, tmp_path / "grid.png", 500) == 400
    frame = FrameStore(run).at(400)
    assert frame is not None
    with Image.open(tmp_path / "grid.png") as picture:
        pixels = np.asarray(picture)
    grid = tiled(frame.grid.averaged)[..., 0]
    factor = pixels.shape[0] // grid.shape[0]
    assert factor >= 10
    assert np.array_equal(pixels, np.kron(grid, np.ones((factor, factor), np.uint8)))


def test_that_a_run_without_grids_says_so(tmp_path: Path) -> None:
    run = make_run(tmp_path, "bare", frames=0)
    for write in (write_grid, write_timelapse):
        with pytest.raises(UserError, match="no sample grids"):
            write(run, tmp_path / "out.gif")
    assert not (tmp_path / "out.gif").exists()


@pytest.mark.parametrize("ending", ["gif", "webp"])
def test_that_a_time_lapse_has_every_grid_with_its_caption(ending: str, run: Path, tmp_path: Path) -> None:
    out = tmp_path / f"run.{ending}"
    assert write_timelapse(run, out, seconds=3) == 6
    with Image.open(out) as picture:
        assert getattr(picture, "n_frames", 1) == 6
        bands = []
        for place in range(6):
            picture.seek(place)
            bands.append(np.asarray(picture.convert("L"))[-28:])
    assert all((band > 200).any() for band in bands)
    assert any(not np.array_equal(bands[0], band) for band in bands[1:])


def test_that_a_time_lapse_of_another_format_is_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"\.gif or \.webp"):
        write_timelapse(run, tmp_path / "run.mp4")


def test_that_a_time_lapse_that_is_called_off_leaves_nothing(run: Path, tmp_path: Path) -> None:
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        write_timelapse(run, tmp_path / "run.gif", progress)
    assert not (tmp_path / "run.gif").exists()


def test_that_a_caption_names_the_strongest_offsets() -> None:
    assert caption(1200, OFFSETS) == "step 1,200   ΔH 4 +3, 2 -1.36, 7 +0.5, …"
    assert caption(0, {}) == "step 0   ΔH 0"


def test_that_metrics_are_a_table(run: Path, tmp_path: Path) -> None:
    assert write_csv(run, tmp_path / "run.csv") == 100
    with (tmp_path / "run.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows[0] == {"step": "10", "seconds": "0.2", "loss_autoencoder": "10", "epoch": "0.357142857"}
    assert rows[-1]["step"] == "1000"


class Tags(HTMLParser):
    """What a page consists of."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [value or "" for name, value in attrs if name in ("src", "href")]


def test_that_a_report_is_one_page_that_loads_nothing(run: Path, tmp_path: Path) -> None:
    write_notes(run, RunNotes(notes="<script>alert(1)</script>", tags=("a & b",)))
    write_report(run, tmp_path / "run.html")
    text = (tmp_path / "run.html").read_text(encoding="utf-8")
    page = Tags()
    page.feed(text)
    assert not {"script", "iframe", "link", "b"} & set(page.tags)
    assert all(source.startswith("data:image/png;base64,") for source in page.sources)
    assert page.tags.count("img") == 6
    assert page.tags.count("svg") == 2
    for said in (
        "&lt;b&gt;mine",
        "&lt;script&gt;",
        "a &amp; b",
        "Shares at step 1,000",
        "ΔH edited at step 500",
        "0.03",
    ):
        assert said in text


def test_that_a_curve_keeps_its_extremes_however_long() -> None:
    y = np.sin(np.arange(100_000) / 50.0)
    y[54_321] = 9.0
    x, found = decimated(np.arange(100_000.0), y)
    assert len(x) < 1000
    assert (found.min(), found.max()) == (y.min(), 9.0)
    drawing = ElementTree.fromstring(curve_svg("a <curve> & more", x, found, [50.0]))
    assert drawing.get("aria-label") == "a <curve> & more"
    assert curve_svg("none", np.array([1.0]), np.array([np.nan])) == ""

"""A run as a page for others, and the charts of it."""

import json
import sqlite3
from contextlib import closing
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from studio.data.planar.config import RingConfig
from studio.evaluation.evaluation import Evaluation
from studio.evaluation.record import evaluation_of
from studio.library.export.report import write_report
from studio.library.export.shares_chart import shares_svg, shown_classes
from studio.library.export.svg import curve_svg, decimated
from studio.library.notes import RunNotes, write_notes
from studio.training.messages.events import Logged
from studio.training.messages.marks import Mark, MarkKind
from studio.training.storage.metrics import append_metrics
from tests.library.made_runs import make_config, make_run, record_evaluation


@pytest.fixture
def run(tmp_path: Path) -> Path:
    path = make_run(tmp_path, "run", make_config("<b>mine</b>"), steps=1000, frames=6)
    record_evaluation(path, 1000, 0.03, 12.0)
    return path


def shares_of(data: object, target: object, generated: object, low: float, high: float) -> Evaluation:
    """An evaluation with these shares, none of the samples unsure."""
    columns = {"data": data, "target": target, "corrected": generated}
    rows = zip(*(np.asarray(values, np.float64) for values in columns.values()), strict=True)
    classes = {
        str(place): dict(zip(columns, map(float, row), strict=True)) | {"low": low, "high": high}
        for place, row in enumerate(rows)
    }
    return evaluation_of({"count": 1000, "classes": classes, "unsure": dict.fromkeys((*columns, "low", "high"), 0.0)})


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
    assert page.tags.count("img") == 2  # the first grid and the last
    assert page.tags.count("svg") == 3  # shares, share error, loss
    for said in (
        "&lt;b&gt;mine",
        "&lt;script&gt;",
        "a &amp; b",
        "No tilt: the target is the data as it is. Share error TV 0.030.",
        "Shares at step 1,000, 1,000 samples",
        "Share error TV",
        "Negative ELBO",
        "ΔH edited at step 500",
        "0.03",
    ):
        assert said in text


def test_that_a_report_says_of_an_answer_that_it_is_of_the_target_before(run: Path, tmp_path: Path) -> None:
    """Not where it was edited and edited back."""
    path, out = run / "summary.json", tmp_path / "run.html"
    summary = json.loads(path.read_text())
    began = {"revision": 0, "offsets": {"2": 0.0}, "gauge": "normalised"}
    for offset, said in ((-1.0, "Of another target, at step 1,000: No tilt: "), (0.0, ">No tilt: ")):
        edit = {"step": 1000, "revision": 1, "offsets": {"2": offset}, "gauge": "normalised"}
        path.write_text(json.dumps(summary | {"began_with": began, "edits": [edit]}))
        write_report(run, out)
        assert said in out.read_text(encoding="utf-8")


def test_that_a_report_of_points_answers_by_their_exact_density(tmp_path: Path) -> None:
    out, points = tmp_path / "run.html", make_config().model_copy(update={"dataset": RingConfig()})
    for name, config in (("images", make_config()), ("points", points)):
        path = make_run(tmp_path, name, config)
        append_metrics(path, [Logged(step=110, seconds=3.0, values={"plane_tv": 0.25})], back_to=100)
        write_report(path, out)
        text = out.read_text(encoding="utf-8")
        assert ("What it generates was not evaluated." in text) is (name == "images")
    assert "Share error TV 0.25" in text
    assert "by the exact density" in text
    assert "not evaluated" not in text


def test_that_a_report_names_the_judge_of_other_data(run: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(run / "metrics.sqlite", isolation_level=None)) as connection:
        connection.execute("UPDATE evaluation SET record = json_set(record, '$.judge', 'KMNIST')")
    write_report(run, tmp_path / "run.html")
    text = (tmp_path / "run.html").read_text(encoding="utf-8")
    assert "for what the judge of KMNIST confuses" in text
    assert "<th>Share error TV</th><td>0.03 (judge of KMNIST)</td>" in text


def test_that_the_shares_chart_draws_data_target_and_generated_on_one_scale() -> None:
    found = shares_of(data=(0.1, 0.9), target=(0.3, 0.7), generated=(0.2, 0.8), low=0.15, high=0.5)
    drawing = ElementTree.fromstring(shares_svg(found))
    bars = [bar for bar in drawing.iter("rect") if float(bar.get("y", "0")) > 20]
    widths = [float(bar.get("width", "nan")) for bar in bars]
    assert [width / widths[3] for width in widths] == pytest.approx(
        [0.1 / 0.9, 0.2 / 0.9, 0.3 / 0.9, 1, 8 / 9, 7 / 9], abs=2e-3
    )
    assert "20.0 of 30.0 %" in [text.text for text in drawing.iter("text")]


def test_that_of_many_classes_the_chart_shows_those_farthest_from_their_targets() -> None:
    target = np.full(50, 0.02)
    generated = target + np.where(np.arange(50) % 3 == 0, 0.001 * np.arange(50), 0.0)
    found = shares_of(data=target, target=target, generated=generated, low=0.0, high=0.1)
    assert shown_classes(found) == list(range(3, 49, 3))


def test_that_a_curve_keeps_its_extremes_however_long() -> None:
    y = np.sin(np.arange(100_000) / 50.0)
    y[54_321] = 9.0
    x, found = decimated(np.arange(100_000.0), y)
    assert len(x) < 1000
    assert (found.min(), found.max()) == (y.min(), 9.0)
    drawing = ElementTree.fromstring(curve_svg("a <curve> & more", x, found, [50.0]))
    assert drawing.get("aria-label") == "a <curve> & more"
    assert curve_svg("none", np.array([1.0]), np.array([np.nan])) == ""


def test_that_of_much_that_happened_the_newest_is_seen(run: Path, tmp_path: Path) -> None:
    marks = [Mark(step=step, kind=MarkKind.EDIT, text=f"edited at {step}") for step in range(501, 521)]
    append_metrics(run, [], marks)
    write_report(run, tmp_path / "run.html")
    before, _, late = (tmp_path / "run.html").read_text(encoding="utf-8").partition("</details>")
    assert "11 before" in before
    assert ("edited at 510<" in before, "edited at 511<" in before, "edited at 511<" in late) == (True, False, True)


def test_that_a_single_value_can_be_seen() -> None:
    (line,) = ElementTree.fromstring(curve_svg("once", np.array([900.0]), np.array([0.1]))).iter("polyline")
    first, last = (each.split(",") for each in str(line.get("points")).split())
    assert float(first[0]) < float(last[0])
    assert first[1] == last[1]


def test_that_the_ends_of_a_curve_are_short_enough_to_stand_beside_it() -> None:
    drawing = ElementTree.fromstring(curve_svg("slope", np.arange(2.0), np.array([-0.00093217, 0.0077031])))
    ends = [text for text in drawing.iter("text") if float(text.get("y", "0")) < 140]
    assert [text.text for text in ends] == ["−0.000932", "0.00770"]
    assert all(7 * len(text.text or "") <= float(text.get("x", "0")) + 4 for text in ends)

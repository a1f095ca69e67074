"""The window that shows runs side by side, opened from the table and worked with."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from studio.gui.library.compare_window import CompareWindow
from studio.gui.library.panel import RunsPanel
from studio.gui.widgets.theme import ThemeManager, ThemeMode
from studio.gui.window.controls import Controls
from studio.library.compare import final_numbers
from studio.library.export.report import write_report
from studio.progress import Progress
from studio.training.config.sweep_mark import SweepMark, write_mark
from studio.training.messages.events import Logged
from studio.training.messages.latents import LatentPoint, Latents
from studio.training.storage.folder_lock import FolderLock
from studio.training.storage.frames import Frame, append_frames
from studio.training.storage.metrics import append_metrics
from tests.gui.hands import PATIENCE_MS, Hands
from tests.gui.shown import show
from tests.library.made_runs import make_config, make_grid, make_run, record_evaluation

Key = Qt.Key


@pytest.fixture
def compared(qtbot: QtBot, theme: ThemeManager, tmp_path: Path) -> Iterator[CompareWindow]:
    """A tilted run of 100 steps and a plain one of 1,000."""
    tilted = make_run(tmp_path, "a", make_config("tilted", offsets={"2": -1.36}), steps=100)
    plain = make_run(tmp_path, "b", make_config("plain"), steps=1000)
    window = CompareWindow([tilted, plain], theme)
    with qtbot.waitExposed(window):
        window.show()
    qtbot.waitUntil(lambda: len(window.runs) == 2)
    yield window
    window.close()


def test_that_curves_of_all_runs_are_drawn_over_one_axis(qtbot: QtBot, compared: CompareWindow) -> None:
    assert compared.curve.currentText() == "Negative ELBO"
    assert compared.shares.isHidden(), "nothing was evaluated"
    assert [chip.title for chip in compared.legend.chips.values()] == ["tilted", "plain"]
    first, second = (line.item for line in compared.plot._lines)
    compared.plot.copy_picture()
    assert QApplication.clipboard().image().text("Description") == "tilted · plain"
    assert first.getData()[0][-1] == 100
    assert second.getData()[0][-1] == 1000
    compared.axis.setFocus()
    qtbot.keyClick(compared.axis, Key.Key_Down)
    assert compared.plot.labels["bottom"] == "examples"
    assert compared.plot._lines[1].item.getData()[0][-1] == pytest.approx(64_000)
    compared.smoothing.slider.setValue(0)
    qtbot.mouseClick(compared.log, Qt.MouseButton.LeftButton)
    assert np.allclose(compared.plot._lines[0].item.getData()[1][-1], np.log10(1.0), atol=1e-9)
    qtbot.mouseClick(compared.legend.chips["0"], Qt.MouseButton.LeftButton)
    assert not len(compared.plot._lines[0].item.xData)
    compared.smoothing.slider.setFocus()
    qtbot.keyClick(compared.smoothing.slider, Key.Key_End)
    assert compared.plot.window == 1000
    assert not len(compared.plot._lines[0].item.xData)  # it stays hidden


def test_that_shares_come_first_and_seeds_are_a_band(qtbot: QtBot, theme: ThemeManager, tmp_path: Path) -> None:
    runs = []
    for name, seed, errors in (("a", 0, (0.2, 0.04)), ("b", 1, (0.4, 0.06)), ("c", 0, (0.3, 0.3))):
        config = make_config(name, offsets={"2": -1.0} if name == "c" else None).model_copy(update={"seed": seed})
        runs.append(make_run(tmp_path, name, config))
        for step, tv in zip((50, 100), errors, strict=True):
            record_evaluation(runs[-1], step, tv, 10.0, high=tv)
    with opened(qtbot, theme, runs) as window:
        assert window.tabs.tabText(0) == "Shares and &curves"
        assert [bars.bars.target[2] for bars in window.bars if bars.bars] == [0.1] * 3
        assert [bars._scale() for bars in window.bars] == [1.05 * 0.3] * 3, "of the largest of them"
        assert window.curve.currentText() == "Share error TV"
        assert window.plot.labels == {"bottom": "step", "left": "Share error TV"}
        assert [chip.title for chip in window.legend.chips.values()] == ["a, 2 seeds", "c"]
        window.smoothing.slider.setValue(0)
        seeds, alone = window.plot._lines
        for item, values in zip((seeds.item, *seeds.ends), ((0.3, 0.05), (0.2, 0.04), (0.4, 0.06)), strict=True):
            assert item.getData()[1][[0, -1]] == pytest.approx(values)
        assert alone.item.getData()[1].tolist() == [0.3, 0.3]
        assert "a, 2 seeds 0.05000 (0.04000 – 0.06000)" in window.plot.describe(100, 0)
        assert "a, 2 seeds" not in window.plot.describe(150, 0), "nothing is drawn there"
        window.band.click()
        assert [chip.title for chip in window.legend.chips.values()] == ["a", "b", "c"]


def test_that_each_evaluation_is_seen_as_it_is(qtbot: QtBot, theme: ThemeManager, tmp_path: Path) -> None:
    """And no mean of the last three; what is logged often is smoothed as before."""
    runs = [make_run(tmp_path, name, make_config(name, offsets={name: 1.0}), steps=1000) for name in "12"]
    for run, errors in zip(runs, ((0.4, 0.3, 0.05), (0.2, 0.2, 0.2)), strict=True):
        for step, tv in zip((300, 600, 900), errors, strict=True):
            record_evaluation(run, step, tv, 10.0)
    with opened(qtbot, theme, runs) as window:
        line = window.plot._lines[0]
        assert window.curve.currentText() == "Share error TV"
        for drawn in (line.item, line.dots):
            x, y = drawn.getData()
            assert (x.tolist(), y.tolist()) == ([300, 600, 900], [0.4, 0.3, 0.05])
        assert (window.plot.window, window.smoothing.slider.isEnabled()) == (1, False)
        window.curve.setFocus()
        qtbot.keyClick(window.curve, Key.Key_Down)
        assert (window.curve.currentText(), window.plot.window) == ("Negative ELBO", 3)
        assert not len(window.plot._lines[0].dots.getData()[0])


def test_that_errors_by_different_judges_have_no_mean_and_those_of_other_numbers_of_samples_say_so(
    qtbot: QtBot, theme: ThemeManager, tmp_path: Path
) -> None:
    runs = []
    for seed, name in enumerate("abc"):
        runs.append(make_run(tmp_path, name, make_config("tilted").model_copy(update={"seed": seed}), steps=1000))
        record_evaluation(runs[-1], 1000, 0.1 * (1 + seed), 10.0)
    with closing(sqlite3.connect(runs[2] / "metrics.sqlite", isolation_level=None)) as connection:
        connection.execute("UPDATE evaluation SET record = json_set(record, '$.judge', 'MNIST', '$.count', 200)")
    with opened(qtbot, theme, runs) as window:
        assert window.plot.caption() == "tilted (a), 2 seeds · tilted (c) (judge of MNIST)"
        said = [label.text() for label in window.shares.findChildren(QLabel)]
        assert "tilted (a): share error TV 0.100, 1,000 samples" in said
        assert "tilted (c): share error TV 0.300 (judge of MNIST), 200 samples" in said


def test_that_a_share_error_by_the_judge_of_other_data_says_so(
    qtbot: QtBot, theme: ThemeManager, tmp_path: Path
) -> None:
    """Beside one by the run's own, in the legend and in the picture that is copied; and in the report."""
    runs = [make_run(tmp_path, name, make_config(name, offsets={name: 1.0}), steps=1000) for name in "12"]
    for run in runs:
        record_evaluation(run, 300, 0.4, 10.0)
        record_evaluation(run, 600, 0.3, 10.0)
    with closing(sqlite3.connect(runs[1] / "metrics.sqlite", isolation_level=None)) as connection:
        connection.execute("UPDATE evaluation SET record = json_set(record, '$.judge', 'MNIST')")
    with opened(qtbot, theme, runs) as window:
        assert [chip.text() for chip in window.legend.chips.values()] == ["1", "2 (judge of MNIST)"]
        assert window.plot.caption() == "1 · 2 (judge of MNIST)"
        window.curve.setFocus()
        qtbot.keyClick(window.curve, Key.Key_Down)
        assert window.plot.caption() == "1 · 2", "its loss is its own"
    write_report(runs[1], tmp_path / "run.html")
    assert "<figcaption>Share error TV (judge of MNIST)</figcaption>" in (tmp_path / "run.html").read_text("utf-8")


def test_that_a_run_that_trains_now_is_said_to_be_under_way(qtbot: QtBot, theme: ThemeManager, tmp_path: Path) -> None:
    run, other = (make_run(tmp_path, name, make_config(name), summary={"status": "running"}) for name in "ab")
    owner = FolderLock(run)
    with opened(qtbot, theme, [run, other]) as window:
        assert {row.title: row.cells for row in final_numbers(window.runs)}["Status"] == ("under way", "unfinished")
    write_report(run, tmp_path / "run.html")
    assert " min · under way<" in (tmp_path / "run.html").read_text(encoding="utf-8")
    owner.release()


def test_that_seeds_that_were_evaluated_once_can_be_seen_and_are_called_without_a_seed(
    qtbot: QtBot, theme: ThemeManager, tmp_path: Path
) -> None:
    runs = []
    for seed, tv in enumerate((0.1, 0.3)):
        config = make_config("swept").model_copy(update={"seed": seed})
        runs.append(make_run(tmp_path, f"swept-{seed}", config))
        write_mark(runs[-1], SweepMark(sweep="one", title="Twos", number=seed + 1, count=2, values={"seed": seed}))
        record_evaluation(runs[-1], 100, tv, 10.0)
    with opened(qtbot, theme, runs) as window:
        assert [chip.title for chip in window.legend.chips.values()] == ["Twos, 2 seeds"]
        for item, value in zip((window.plot._lines[0].item, *window.plot._lines[0].ends), (0.2, 0.1, 0.3), strict=True):
            x, y = item.getData()
            assert (x.tolist(), y.tolist()) == ([99, 101], pytest.approx([value] * 2))


def test_that_a_mean_of_seeds_is_one_of_values_on_any_scale(qtbot: QtBot, theme: ThemeManager, tmp_path: Path) -> None:
    """3,000 points, more than the plot is wide, that go up and down: their extremes have another mean."""
    steps, runs = np.arange(1, 3001), []
    for seed, name in enumerate("abc"):
        config = make_config("same").model_copy(update={"seed": seed})
        runs.append(make_run(tmp_path, name, config, frames=0))
        values = {"a": 10.0 ** (steps % 2), "b": 100.0 ** (steps % 2), "c": np.full(3000, np.nan)}[name]
        points = [
            Logged(step=step, seconds=0.0, values={"loss_noisy": value})
            for step, value in zip(steps.tolist(), values.tolist(), strict=True)
            if np.isfinite(value)
        ]
        append_metrics(runs[-1], points, back_to=0)
    with opened(qtbot, theme, [*runs, make_run(tmp_path, "d", make_config("same", "wgan_gp"))]) as window:
        window.curve.setCurrentIndex(window.curve.findData("loss_noisy"))
        window.smoothing.slider.setValue(0)
        chips = window.legend.chips.values()
        assert [chip.text() for chip in chips] == ["same (a), 3 seeds (2 known)", "same (d)"]
        x = window.plot._lines[0].item.getData()[0]
        least, most = (np.interp(x, steps, base ** (steps % 2)) for base in (10.0, 100.0))
        mean, low, high = (item.getData()[1] for item in (window.plot._lines[0].item, *window.plot._lines[0].ends))
        np.testing.assert_allclose([mean, low, high], [(least + most) / 2, least, most])
        window.log.click()
        drawn = [item.getData()[1] for item in (window.plot._lines[0].item, *window.plot._lines[0].ends)]
        np.testing.assert_allclose(drawn, np.log10([mean, low, high]))


def test_that_runs_of_one_seed_are_not_called_seeds_and_those_without_shares_are_named(
    qtbot: QtBot, theme: ThemeManager, tmp_path: Path
) -> None:
    runs = [make_run(tmp_path, name, make_config(name)) for name in ("a", "again")]
    record_evaluation(runs[0], 100, 0.2, 10.0)
    with opened(qtbot, theme, runs) as window:
        assert [chip.title for chip in window.legend.chips.values()] == ["a, 2 runs"]
        (told,) = [label.text() for label in window.shares.findChildren(QLabel) if label.text().startswith("Grey")]
        assert told.endswith("Not evaluated yet: again.")


def test_that_a_long_name_makes_no_chart_wider_and_loses_its_end_alone(
    qtbot: QtBot, theme: ThemeManager, tmp_path: Path
) -> None:
    long = "a run of a long name " * 3
    runs = [make_run(tmp_path, "a", make_config(long)), make_run(tmp_path, "b", make_config("b"))]
    for run in runs:
        record_evaluation(run, 100, 0.2, 10.0)
    with opened(qtbot, theme, runs) as window:
        qtbot.waitUntil(lambda: window.bars[0].width() > 0)
        assert abs(window.bars[0].width() - window.bars[1].width()) <= 1
        assert window.table.horizontalHeader().textElideMode() is Qt.TextElideMode.ElideRight
        head = window.table.horizontalHeaderItem(0)
        assert long.strip() in head.toolTip()


def test_that_shares_say_at_which_step_they_were_judged(qtbot: QtBot, theme: ThemeManager, tmp_path: Path) -> None:
    runs = [make_run(tmp_path, name, make_config(name)) for name in ("a", "b")]
    for run, step in zip(runs, (50, 100), strict=True):
        record_evaluation(run, step, 0.2, 10.0)
    with opened(qtbot, theme, runs) as window:
        said = {label.text() for label in window.shares.findChildren(QLabel)}
        assert {"a: share error TV 0.200 (step 50)", "b: share error TV 0.200"} < said


def test_that_samples_of_one_step_stand_side_by_side_and_numbers_and_differences_are_a_table(
    qtbot: QtBot, compared: CompareWindow
) -> None:
    compared.tabs.setCurrentIndex(1)
    samples = compared.samples
    qtbot.waitUntil(lambda: samples._captions[1].text() == "plain: step 1,000")
    assert samples._captions[0].text() == "tilted: step 100"
    qtbot.keyClick(samples.slider, Key.Key_Home)
    qtbot.waitUntil(lambda: samples._captions[1].text() == "plain: step 0")
    table = compared.table
    model = table.model()
    titles = [model.headerData(row, Qt.Orientation.Vertical) for row in range(table.rowCount())]
    assert titles[4:6] == ["Steps", "Time in s"]
    assert [model.index(4, column).data() for column in range(2)] == ["100", "1,000"]
    assert model.index(titles.index("ΔH(2)"), 0).data() == "−1.36"
    assert titles.count("Model") == 1


def test_that_no_samples_of_another_step_stay_where_a_run_is_gone_or_damaged(
    qtbot: QtBot, compared: CompareWindow
) -> None:
    compared.tabs.setCurrentIndex(1)
    samples, runs = compared.samples, [run.folder for run in compared.runs]
    qtbot.waitUntil(lambda: samples._captions[1].text() == "plain: step 1,000")
    runs[1].rename(runs[1].with_name("gone"))  # at once: who reads it meanwhile adds files
    qtbot.keyClick(samples.slider, Key.Key_Home)
    qtbot.waitUntil(lambda: samples._captions[1].text() == "plain: its folder is not there any more")
    qtbot.waitUntil(lambda: samples._captions[0].text() == "tilted: step 0")  # either may be read first
    (runs[0] / "frames.sqlite").write_bytes(b"x" * 5000)
    qtbot.keyClick(samples.slider, Key.Key_End)
    qtbot.waitUntil(lambda: "sample grids cannot be read" in samples.note.text())
    assert samples._captions[0].text() == "tilted: no samples"


def test_that_a_damaged_run_is_told_of(qtbot: QtBot, theme: ThemeManager, tmp_path: Path) -> None:
    runs = [make_run(tmp_path, name) for name in "ab"]
    (runs[0] / "metrics.sqlite").write_bytes(b"x" * 5000)
    window = CompareWindow(runs, theme)
    window.show()
    qtbot.waitUntil(lambda: "metrics cannot be read" in window.message.text())
    assert not window.tabs.isEnabled()
    window.close()


def test_that_the_selected_runs_are_compared_by_key(qtbot: QtBot, controls: Controls, theme: ThemeManager) -> None:
    for name in "abc":
        make_run(controls.setup.runs_root, name)
    panel = RunsPanel(controls.library, controls.sweeps, controls.time, controls.starter, theme)
    show(qtbot, panel, 900, 400)
    qtbot.waitUntil(lambda: len(panel.model.shown) == 3)
    panel.view.selectAll()
    qtbot.keyClick(panel.view, Key.Key_C, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    window = panel.findChild(CompareWindow)
    qtbot.waitUntil(lambda: len(window.runs) == 3)
    qtbot.keyClick(window, Key.Key_Escape)
    qtbot.waitUntil(lambda: panel.findChild(CompareWindow) is None)


def keep_frames(path: Path, latents: Latents | None, count: int = 9) -> None:
    """Frames of these latents in place of those that are there."""
    (path / "frames.sqlite").unlink()
    grid = replace(make_grid(100, count), latents=latents)
    append_frames(path, [Frame(grid=grid, seconds=1.0)], 10**9)


FIRST = Latents(seed=5)


@pytest.mark.parametrize(
    ("one", "other", "says", "offered"),
    [
        ((FIRST, 9), (FIRST, 16), "All samples are of the same latents", False),
        ((FIRST, 9), (FIRST.rerolled(6), 9), "of different latents", True),
        ((FIRST, 9), (FIRST.pinned([LatentPoint(place=3, seed=8)]), 9), "of different latents", True),
        ((FIRST, 9), (None, 9), "not kept which latents", True),
        ((FIRST, 1), (None, 1), "not kept which latents", False),
    ],
)
def test_that_it_says_whether_samples_are_of_the_same_latents(
    qtbot: QtBot,
    theme: ThemeManager,
    tmp_path: Path,
    one: tuple[Latents | None, int],
    other: tuple[Latents | None, int],
    says: str,
    offered: bool,
) -> None:
    runs = [make_run(tmp_path, name) for name in "ab"]
    for run, given in zip(runs, (one, other), strict=True):
        keep_frames(run, *given)
    with opened(qtbot, theme, runs) as window:
        qtbot.waitUntil(lambda: says in window.samples.note.text())
        assert window.samples.redraw.isVisibleTo(window.samples) == offered


def test_that_models_without_latents_are_said_to_have_none(qtbot: QtBot, theme: ThemeManager, tmp_path: Path) -> None:
    runs = [make_run(tmp_path, name, make_config(model="rbm")) for name in "ab"]
    with opened(qtbot, theme, runs) as window:
        qtbot.waitUntil(lambda: "no latent stands behind" in window.samples.note.text())


@contextmanager
def opened(qtbot: QtBot, theme: ThemeManager, runs: list[Path]) -> Iterator[CompareWindow]:
    window = CompareWindow(runs, theme)
    with qtbot.waitExposed(window):
        window.show()
    qtbot.waitUntil(lambda: len(window.runs) == len(runs))
    window.tabs.setCurrentIndex(1)
    yield window
    window.close()


@pytest.mark.slow
def test_that_samples_are_drawn_anew_from_the_same_latents(
    quick_hands: Hands, theme: ThemeManager, tmp_path: Path
) -> None:
    bench, qtbot, runs = quick_hands.bench, quick_hands.qtbot, []
    for seed in (1, 2):
        bench.setup.edit(seed=seed)
        quick_hands.train(3)
        quick_hands.end()
        runs.append(bench.runs.run.folder)
    with opened(qtbot, theme, [run for run in runs if run is not None]) as window:
        samples = window.samples
        qtbot.waitUntil(lambda: "different latents" in samples.note.text())
        qtbot.mouseClick(samples.redraw, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: "of the same latents" in samples.note.text())
        assert all(caption.text().endswith(", drawn anew") for caption in samples._captions)
        first, second = samples._grids
        assert first.latents == second.latents
        assert not samples.redraw.isVisible()
        qtbot.keyClick(samples.slider, Key.Key_Home)
        qtbot.waitUntil(lambda: "different latents" in samples.note.text())


def test_that_drawing_anew_shows_progress_is_cancelled_and_says_what_failed(
    qtbot: QtBot, theme: ThemeManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(_folders: object, _latents: object, _count: int, progress: Progress) -> object:
        while True:
            progress.report("Drawing samples", 0.5)
            threading.Event().wait(0.001)

    runs = [make_run(tmp_path, name) for name in "ab"]
    with opened(qtbot, theme, runs) as window:
        samples = window.samples
        qtbot.waitUntil(samples.redraw.isVisible)
        with monkeypatch.context() as patch:
            patch.setattr("studio.training.analysis.redraw.redraw_alike", endless)
            qtbot.mouseClick(samples.redraw, Qt.MouseButton.LeftButton)
            qtbot.waitUntil(samples.progress.isVisible, timeout=PATIENCE_MS)
            assert not samples.redraw.isEnabled()
            qtbot.mouseClick(samples.progress.cancel, Qt.MouseButton.LeftButton)
            qtbot.waitUntil(samples.redraw.isEnabled)
        qtbot.mouseClick(samples.redraw, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: "weights cannot be read" in samples.note.text())
        assert samples.redraw.isEnabled()


def test_that_a_closed_window_takes_no_part_in_a_change_of_theme(
    qtbot: QtBot, theme: ThemeManager, tmp_path: Path
) -> None:
    runs = [make_run(tmp_path, name) for name in "ab"]
    window = CompareWindow(runs, theme)
    with qtbot.waitExposed(window):
        window.show()
    qtbot.waitUntil(lambda: len(window.runs) == 2)
    window.close()
    qtbot.waitUntil(lambda: not isValid(window.plot))
    theme.set_mode(ThemeMode.DARK)  # what it raises fails the test

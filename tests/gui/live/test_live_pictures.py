"""The panels of pictures, fed as a run would feed them, and clicked."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QFileDialog, QToolButton
from pytestqt.qtbot import QtBot

from studio.gui.at_once.at_once_control import AtOnceView
from studio.gui.live.examples import ExamplesPanel
from studio.gui.live.samples.panel import SamplesPanel
from studio.gui.state.stepped_samples import SteppedView
from studio.gui.state.subject import Owner
from studio.gui.widgets.pictures import mosaic
from studio.gui.widgets.theme import ThemeManager
from studio.gui.window.controls import Controls
from studio.training.messages.snapshot import PlannedExamples, SampleGrid
from tests.gui.hands import click, wheel
from tests.gui.shown import make_snapshot, show, tooltip_at


@pytest.fixture
def samples(qtbot: QtBot, controls: Controls, theme: ThemeManager) -> SamplesPanel:
    """Both grids, side by side."""
    panel = SamplesPanel(controls.time, controls.latents, controls.once, controls.stepped, theme)
    next(button for button in panel.which.buttons() if button.text() == "Both").click()
    show(qtbot, panel, 640, 360)
    return panel


@pytest.mark.parametrize("channels", [1, 3])
def test_that_a_mosaic_has_every_pixel(channels: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, 4, 6, channels), dtype=np.uint8)
    picture = mosaic(images)
    assert (picture.width(), picture.height()) == (3 * 7 - 1, 2 * 5 - 1)
    for index, image in enumerate(images):
        row, column = divmod(index, 3)
        colour = picture.pixelColor(7 * column + 2, 5 * row + 3)
        assert [colour.red(), colour.green(), colour.blue()] == [int(v) for v in np.resize(image[3, 2], 3)]
    assert picture.pixelColor(6, 0).alpha() == 0
    assert picture.pixelColor(19, 8).alpha() == 0


def test_that_samples_say_what_will_appear_stand_side_by_side_and_forget_the_last_run(
    samples: SamplesPanel, controls: Controls, qtbot: QtBot
) -> None:
    assert "Press Start" in samples.empty_text
    controls.time.snapshot_shown.emit(make_snapshot(grid=None))
    assert "Press Start" in samples.empty_text
    controls.time.snapshot_shown.emit(make_snapshot())
    assert not samples.empty_text
    controls.time.run_shown.emit()
    assert "Press Start" in samples.empty_text
    controls.time.snapshot_shown.emit(make_snapshot())
    assert samples.shown == ["raw", "averaged"]
    assert samples._step.text().startswith("step 100")
    click(qtbot, samples, "samples_averaged")
    assert samples.shown == ["averaged"]
    assert not samples.views["raw"].isVisible()
    click(qtbot, samples, "samples_both")
    assert samples.views["raw"].isVisible()
    samples.resize(320, 700)
    QApplication.processEvents()
    raw, averaged = (view.mapTo(samples, QPoint()) for view in samples.views.values())
    assert raw.x() == averaged.x()
    assert raw.y() < averaged.y()


def test_that_no_step_of_a_run_that_was_left_stands_above_samples_at_once(
    samples: SamplesPanel, controls: Controls
) -> None:
    controls.time.snapshot_shown.emit(make_snapshot())
    assert samples._step.text().startswith("step 100")
    controls.time.pictures_gone.emit()
    controls.once._set(AtOnceView(on=True, blocked="", title="a run", step=60))
    assert samples.once.isVisible()
    assert not samples._step.text()
    controls.once._set(AtOnceView())


def test_that_samples_of_stepped_weights_say_whose_they_are_and_go_away_on_leaving(
    qtbot: QtBot, samples: SamplesPanel, controls: Controls
) -> None:
    controls.time.snapshot_shown.emit(make_snapshot())
    button = samples.findChild(QToolButton, "samples_stepped")
    assert not button.isVisible()
    pictures = np.full((4, 8, 8, 1), 99, np.uint8)
    view = SteppedView(owner=Owner(title="a run", step=7), scale=1.5, said="", pictures=pictures, plane=None)
    controls.stepped.show(view)
    assert button.isChecked()
    assert samples._stepped_text.text() == view.words
    assert samples.stepped.picture.pixelColor(0, 0).red() == 99
    assert samples._picture().size() == samples.stepped.picture.size()
    assert "go back to" in samples.picks.reroll.toolTip()
    click(qtbot, samples, "samples_averaged")
    assert controls.stepped.view is None
    assert not button.isVisible()
    controls.stepped.show(view)
    controls.time.run_shown.emit()
    assert controls.stepped.view is None
    assert samples.shown == ["averaged"]


def test_that_a_grid_seen_before_is_not_drawn_again(
    samples: SamplesPanel, controls: Controls, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = make_snapshot()
    controls.time.snapshot_shown.emit(snapshot)
    monkeypatch.setattr(samples, "draw", lambda: pytest.fail("drawn again"))
    controls.time.snapshot_shown.emit(make_snapshot(step=130, grid=snapshot.grid))


def test_that_pictures_fill_their_views_and_are_zoomed_together(
    qtbot: QtBot, samples: SamplesPanel, controls: Controls
) -> None:
    controls.time.snapshot_shown.emit(make_snapshot())
    raw, averaged = samples.views.values()
    qtbot.waitUntil(lambda: raw.zoom > 1)
    room, picture = raw.viewport().size(), raw.sceneRect()
    assert raw.zoom == pytest.approx(min(room.width() / picture.width(), room.height() / picture.height()), rel=0.02)
    fitted = raw.zoom
    wheel(raw.viewport(), 1, Qt.KeyboardModifier.ControlModifier)
    assert raw.zoom > fitted
    assert averaged.zoom == raw.zoom
    wheel(averaged.viewport(), 1, Qt.KeyboardModifier.ControlModifier)
    assert raw.zoom == averaged.zoom
    qtbot.keyClick(raw, Qt.Key.Key_Minus)
    qtbot.keyClick(raw, Qt.Key.Key_F)
    assert raw.zoom == averaged.zoom == fitted
    click(qtbot, samples, "samples_zoom_in")
    assert raw.zoom > fitted
    click(qtbot, samples, "samples_zoom_out")
    click(qtbot, samples, "samples_fit")
    assert raw.zoom == fitted


def test_that_samples_break_their_rows_where_they_are_largest(
    qtbot: QtBot, samples: SamplesPanel, controls: Controls
) -> None:
    click(qtbot, samples, "samples_averaged")
    controls.time.snapshot_shown.emit(make_snapshot())
    view = samples.views["averaged"]
    for width, height, columns in ((800, 300, 5), (300, 900, 2), (600, 600, 3)):
        samples.resize(width, height)
        qtbot.waitUntil(lambda columns=columns: view.columns == columns)  # type: ignore[misc]
        assert view.sceneRect().width() == columns * 9 - 1
        for tile in (0, 8):
            place = view.rect_of(tile).center()
            assert view.place_at(int(place.x()), int(place.y())) == tile


def test_that_no_message_moves_the_pictures(qtbot: QtBot, samples: SamplesPanel, controls: Controls) -> None:
    controls.time.snapshot_shown.emit(make_snapshot())
    QApplication.processEvents()
    before = samples.views["averaged"].geometry()
    samples.saver.say("a message " * 40)
    QApplication.processEvents()
    assert samples.views["averaged"].geometry() == before


def test_that_a_sample_tells_its_number_zoom_has_ends_and_another_number_fits_again(
    samples: SamplesPanel, controls: Controls, qtbot: QtBot
) -> None:
    controls.time.snapshot_shown.emit(make_snapshot())
    view = samples.views["raw"]
    qtbot.waitUntil(lambda: view.zoom > 1)
    assert "Sample 5 of 9 at step 100, Raw" in tooltip_at(view.viewport(), view.mapFromScene(QPointF(13, 13)))
    before = samples.views["raw"].zoom
    pixels = np.zeros((400, 28, 28, 3), dtype=np.uint8)
    controls.time.snapshot_shown.emit(make_snapshot(grid=SampleGrid(step=9, raw=pixels, averaged=pixels)))
    assert samples.views["raw"].zoom < before
    assert samples.views["raw"].zoom < 1
    for _ in range(60):
        view.zoom_by(1.25)
    assert view.zoom <= 64
    for _ in range(120):
        view.zoom_by(0.8)
    assert 0.05 < view.zoom < 1


def test_that_samples_are_saved_as_png_unless_cancelled_and_a_failure_says_why(
    qtbot: QtBot, samples: SamplesPanel, controls: Controls, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    snapshot = make_snapshot()
    controls.time.snapshot_shown.emit(snapshot)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("", ""))
    click(qtbot, samples, "samples_save")
    assert not samples.saver.isVisible()
    path = tmp_path / "grid.png"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path.with_suffix("")), ""))
    click(qtbot, samples, "samples_save")
    saved = QImage(str(path))
    assert (saved.width(), saved.height()) == (26 + 4 + 26, 26)
    assert saved.pixelColor(0, 0).red() == snapshot.grid.raw[0, 0, 0, 0]
    assert saved.pixelColor(30, 0).red() == snapshot.grid.averaged[0, 0, 0, 0]
    assert [file.name for file in tmp_path.iterdir() if file.suffix == ".png"] == ["grid.png"]
    assert str(path) in samples.saver.text()
    samples.saver.save(samples._picture(), tmp_path / "missing" / "grid.png")
    assert samples.saver.isVisible()
    assert "was not saved" in samples.saver.text()
    assert samples.saver.property("role") == "error"
    assert not (tmp_path / "missing").exists()


@pytest.fixture
def examples(qtbot: QtBot, controls: Controls, theme: ThemeManager) -> ExamplesPanel:
    panel = ExamplesPanel(controls.time, controls.data, theme)
    show(qtbot, panel)
    return panel


def test_that_examples_show_how_many_their_weight_and_their_class(
    examples: ExamplesPanel, controls: Controls, qtbot: QtBot
) -> None:
    assert "Press Start" in examples.empty_text
    controls.time.snapshot_shown.emit(make_snapshot())
    assert "n = 9" in examples.header.text()
    assert "Σw = 9" in examples.header.text()
    controls.time.run_shown.emit()
    assert "Press Start" in examples.empty_text
    controls.time.snapshot_shown.emit(make_snapshot())
    text = tooltip_at(examples.sheet, examples.sheet._rect(4).center())
    assert "class 4" in text
    assert "counts 1 times" in text
    assert tooltip_at(examples.sheet, QPoint(1, 1)) == ""
    planned = PlannedExamples(
        images=np.zeros((2, 28, 28, 3), dtype=np.uint8), labels=np.array([3, 60]), weights=np.array([1e-12, 3e9])
    )
    controls.time.snapshot_shown.emit(make_snapshot(planned=planned))
    assert "class 60" in tooltip_at(examples.sheet, examples.sheet._rect(1).center())
    examples.grab()


def test_that_an_example_has_a_frame_in_its_class_colour(
    qtbot: QtBot, examples: ExamplesPanel, controls: Controls, theme: ThemeManager
) -> None:
    controls.time.snapshot_shown.emit(make_snapshot())
    for mode in ("light", "dark"):
        theme.set_mode(mode)
        image = examples.sheet.grab().toImage()
        colours = {image.pixelColor(x, 30).name() for x in range(image.width())}
        assert {theme.tokens.class_colour(index) for index in range(3)} <= colours

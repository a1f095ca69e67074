"""Picking samples, the way between them, other latents and favourites: with mouse and keys, live and on disk."""

from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QToolButton

from studio.gui.live.samples.panel import SamplesPanel
from studio.gui.state.run_view import RunPhase
from studio.gui.widgets.tile_view import TileView
from studio.training.messages.commands import SampleNow
from studio.training.messages.latents import Latents, read_latents, write_latents
from studio.training.messages.snapshot import SampleGrid
from tests.gui.hands import Hands
from tests.gui.shown import tooltip_at
from tests.library.made_runs import make_run

Key: TypeAlias = Qt.Key
Modifier: TypeAlias = Qt.KeyboardModifier


class Picker:
    """At the panel of the samples of a window."""

    def __init__(self, hands: Hands) -> None:
        self.hands, self.bench = hands, hands.bench
        self.panel: SamplesPanel = hands.find(SamplesPanel, "samples")

    @property
    def view(self) -> TileView:
        return self.panel.views["averaged"]

    @property
    def grid(self) -> SampleGrid:
        assert self.panel._grid is not None
        return self.panel._grid

    @property
    def latents(self) -> Latents:
        assert self.grid.latents is not None
        return self.grid.latents

    @property
    def picked(self) -> list[int]:
        return list(self.view.picked)

    def place(self, tile: int) -> QPoint:
        return self.view.mapFromScene(self.view.rect_of(tile).center())

    def click(self, tile: int, modifier: Modifier = Modifier.NoModifier) -> None:
        self.hands.qtbot.mouseClick(self.view.viewport(), Qt.MouseButton.LeftButton, modifier, self.place(tile))

    def button(self, name: str) -> QToolButton:
        found: QToolButton = self.hands.find(QToolButton, f"samples_{name}")
        return found

    def press(self, name: str) -> None:
        assert self.button(name).isEnabled(), self.button(name).toolTip()
        self.hands.qtbot.mouseClick(self.button(name), Qt.MouseButton.LeftButton)

    def key(self, key: Key) -> None:
        self.view.setFocus()
        self.hands.qtbot.keyClick(self.view, key)

    def pause(self) -> None:
        self.hands.train(30)
        self.hands.press("pause")
        self.hands.wait_for(RunPhase.PAUSED)
        self.hands.wait(lambda: self.panel._grid is not None)

    def same(self, before: SampleGrid) -> set[int]:
        """Places where the samples are as they were."""
        return {place for place in range(9) if np.array_equal(before.averaged[place], self.grid.averaged[place])}

    def wait_for_others(self, before: SampleGrid) -> None:
        self.hands.wait(lambda: self.grid is not before and self.grid.latents != before.latents)


@pytest.fixture
def picker(quick_hands: Hands) -> Picker:
    return Picker(quick_hands)


def test_that_samples_are_picked_by_clicks_and_keys(picker: Picker) -> None:
    picker.pause()
    assert not picker.button("between").isEnabled()
    assert "Pick two or four" in picker.button("between").toolTip()
    picker.click(4)
    assert picker.picked == [4]
    picker.click(1, Modifier.ControlModifier)
    assert picker.panel.views["raw"].picked == (4, 1)
    assert picker.button("between").isEnabled()
    assert "2 picked" in picker.panel._step.text()
    picker.click(1, Modifier.ControlModifier)
    assert picker.picked == [4]
    picker.click(4)
    assert picker.picked == []
    for key in (Key.Key_Left, Key.Key_Space, Key.Key_Left, Key.Key_Space):  # from the fifth of nine
        picker.key(key)
    assert picker.picked == [3, 2]
    assert "Sample 3 of 9, picked as number 2" in picker.view.accessibleDescription()
    picker.key(Key.Key_Down)
    assert picker.view.current == 2 + picker.view.columns
    for _ in range(9):  # no further
        picker.key(Key.Key_Down)
    assert 9 - picker.view.columns <= picker.view.current < 9
    picker.key(Key.Key_Escape)
    assert picker.picked == []
    assert "Ctrl+click" in tooltip_at(picker.view.viewport(), picker.place(2))
    picker.hands.end()


@pytest.mark.slow
def test_that_the_way_between_samples_is_shown_and_keeps_up(picker: Picker) -> None:
    picker.pause()
    picker.click(4)
    picker.click(1, Modifier.ControlModifier)
    picker.key(Key.Key_B)
    way = picker.panel.way
    picker.hands.wait(lambda: way.step > 0)
    assert way.caption.text() == f"Between samples 5, 2 by EMA weights, step {way.step}"
    assert not picker.view.isVisible()
    assert way.view.hasFocus(), "the next key goes to no other panel"
    first = way.step
    picker.hands.press("pause")
    picker.bench.runs.send(SampleNow())
    picker.hands.wait(lambda: way.step > first)
    picker.press("raw")
    assert picker.view.isHidden() or not picker.view.isVisible()
    assert not way.isVisible()
    for tile in (0, 8):
        view = picker.panel.views["raw"]
        place = view.mapFromScene(view.rect_of(tile).center())
        picker.hands.qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, Modifier.ControlModifier, place)
    picker.press("between")
    picker.hands.wait(lambda: "by raw weights" in way.caption.text())
    assert "samples 5, 2, 1, 9" in way.caption.text()
    assert (way.picture.width(), way.picture.height()) == (7 * 9 - 1, 7 * 9 - 1)
    picker.hands.end()


@pytest.mark.slow
def test_that_a_re_roll_spares_favourites_and_is_undone(picker: Picker) -> None:
    picker.pause()
    picker.click(2)
    picker.press("pin")
    picker.hands.wait(lambda: bool(picker.latents.pins))
    assert picker.view.pinned == {2}
    assert picker.button("pin").isChecked()
    first = picker.grid
    picker.key(Key.Key_R)
    picker.wait_for_others(first)
    assert picker.same(first) == {2}
    assert "It is pinned" in tooltip_at(picker.view.viewport(), picker.place(2))
    rolled = picker.grid
    undo = picker.bench.setup.undo_stack
    assert undo.undoText() == "Re-roll of the samples"
    picker.hands.qtbot.keyClick(picker.hands.window, Key.Key_Z, Modifier.ControlModifier)
    picker.wait_for_others(rolled)
    assert picker.same(first) == set(range(9))
    assert picker.view.pinned == {2}
    picker.hands.qtbot.keyClick(picker.hands.window, Key.Key_Z, Modifier.ControlModifier)
    picker.hands.wait(lambda: not picker.latents.pins)
    undo.redo()
    picker.hands.wait(lambda: picker.view.pinned == {2})
    picker.key(Key.Key_P)
    picker.hands.wait(lambda: not picker.latents.pins)
    picker.hands.end()


@pytest.mark.slow
def test_that_a_stopped_run_is_drawn_anew_from_its_folder_and_goes_on_with_its_favourites(picker: Picker) -> None:
    picker.pause()
    picker.hands.end()
    folder, first = picker.bench.runs.run.folder, picker.grid
    assert folder is not None
    picker.click(3)
    picker.press("pin")
    assert read_latents(folder) == picker.latents.pinned([picker.latents.at(3)])
    assert picker.view.pinned == {3}
    picker.press("reroll")
    picker.wait_for_others(first)
    assert picker.same(first) == {3}
    chosen = read_latents(folder)
    assert chosen == picker.latents
    picker.click(5, Modifier.ControlModifier)
    picker.press("between")
    picker.hands.wait(lambda: picker.panel.way.step == picker.bench.runs.run.step)
    picker.press("both")
    picker.hands.window.actions_of_run["resume"].trigger()
    picker.hands.wait(lambda: picker.bench.runs.run.phase is RunPhase.RUNNING and picker.grid.latents == chosen)
    assert picker.view.pinned == {3}
    picker.hands.end()


@pytest.mark.slow
def test_that_a_new_run_has_nothing_of_the_last_one_to_undo(picker: Picker) -> None:
    picker.bench.target.set_offset(2, -1.0)
    picker.pause()
    picker.click(3)
    picker.press("pin")
    picker.hands.wait(lambda: bool(picker.latents.pins))
    picker.hands.end()
    picker.hands.train(3)
    picker.hands.wait(lambda: picker.panel._grid is not None)
    assert not picker.latents.pins
    picker.hands.qtbot.keyClick(picker.hands.window, Key.Key_Z, Modifier.ControlModifier)
    picker.hands.wait(lambda: picker.bench.target.class_offsets()[2] == 0.0)  # the edit before it
    assert not picker.latents.pins
    picker.hands.end()


@pytest.mark.slow
def test_that_a_model_without_latents_says_so(picker: Picker) -> None:
    picker.hands.choose("model", "rbm")
    picker.pause()
    before = picker.grid
    picker.click(1)
    assert "no latent stands behind" in picker.panel.saver.text()
    assert not picker.button("between").isEnabled()
    assert "no latent" in picker.button("pin").toolTip()
    picker.press("reroll")
    picker.wait_for_others(before)
    picker.hands.end()


def test_that_an_old_run_shows_its_favourites_and_says_what_was_not_kept(picker: Picker) -> None:
    path = make_run(picker.bench.setup.runs_root, "old")
    write_latents(path, Latents(seed=5, pins={4: 5}))
    with picker.hands.qtbot.waitSignal(picker.bench.time.frame_shown):
        picker.bench.time.open(path)
    picker.click(1)
    assert "not kept which latents" in picker.panel.saver.text()
    picker.press("reroll")  # there are no weights
    picker.hands.wait(lambda: "weights" in picker.panel.saver.text())


def test_that_damaged_favourites_are_told_of(picker: Picker, tmp_path: Path) -> None:
    path = make_run(picker.bench.setup.runs_root, "old")
    (path / "latents.json").write_text("{")
    said = []
    picker.bench.log.line_logged.connect(lambda line: said.append(line.text))
    with picker.hands.qtbot.waitSignal(picker.bench.time.frame_shown):
        picker.bench.time.open(path)
    assert any("favourite samples cannot be read" in text for text in said)

"""At once in the window: a trained model answers another target by clicks, and says whose the numbers are."""

import json
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLabel, QToolButton
from pytestqt.qtbot import QtBot

from studio.errors import UserError
from studio.evaluation.arrival import Sighting
from studio.gui.at_once.answer import Source
from studio.gui.at_once.at_once_control import AtOnceView
from studio.gui.at_once.caption import AtOnceCaption
from studio.gui.live.plane.panel import PlanePanel
from studio.gui.live.samples.panel import SamplesPanel
from studio.gui.state.loaded_data import LoadedData
from studio.gui.state.run_view import RunPhase
from studio.gui.state.subject import Aspect
from studio.gui.state.tilt_view import Generated, TiltView
from studio.gui.target.offsets.columns import Column, cell_help
from studio.gui.target.offsets.panel import OffsetsPanel
from studio.gui.target.terms import Observable
from studio.gui.widgets.theme import ThemeManager
from studio.gui.window.controls import Controls
from studio.progress import Progress
from studio.sampling.base import Tilted
from studio.training.analysis.at_once import AtOnce
from studio.training.analysis.measured_samples import MeasuredPoints
from studio.training.analysis.trained_model import TrainedModel
from studio.training.run import recovery, session
from studio.training.storage.run import Run
from studio.training.storage.run_identity import RunIdentity
from tests.gui.hands import PATIENCE_MS, Hands, ask_share, panel_of

pytestmark = pytest.mark.usefixtures("kept_judge")
LEFT = Qt.MouseButton.LeftButton


def press(hands: Hands, name: str) -> None:
    assert hands.find(QToolButton, name).isEnabled(), hands.find(QToolButton, name).toolTip()
    hands.qtbot.mouseClick(hands.find(QToolButton, name), LEFT)


def answered(hands: Hands) -> bool:
    return hands.bench.once.view.measured is not None


def ask(hands: Hands) -> None:
    """Press At once and wait for the answer."""
    press(hands, "samples_once")
    hands.wait(lambda: answered(hands))


def shows_nothing(view: AtOnceView) -> bool:
    return view.pictures is None


def model_of(data: LoadedData | None, folder: Path) -> AtOnce:
    assert data is not None
    own = TrainedModel.of_run(Run.open(folder), lambda _: data.images, Progress(), data_root=data.judges.data_root)
    return AtOnce(own, Progress())


def asked_directly(hands: Hands, folder: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """The samples of the target that is set up, by the weights in a folder."""
    data = hands.bench.setup.data
    return np.asarray(model_of(data, folder).sample(hands.bench.target.perturbation, 64).values, np.uint8)


@pytest.mark.slow
def test_that_a_stopped_run_answers_an_edit_at_once_and_trains_it_instead(quick_hands: Hands) -> None:
    hands, bench = quick_hands, quick_hands.bench
    panel = hands.find(SamplesPanel, "samples")
    assert not hands.find(QToolButton, "samples_once").isEnabled()
    folder = hands.trained(20)
    ask(hands)
    assert np.array_equal(bench.once.view.made.values, asked_directly(hands, folder))
    hands.enter(2, Column.TARGET, "30")
    assert bench.subjects.subject.others is not None
    hands.wait(lambda: answered(hands))
    assert panel.veil.isHidden()
    assert not panel.once.picture.isNull()
    step = bench.runs.run.saved_step
    assert hands.find(QLabel, "at_once_caption").text().startswith(f"“{bench.once.view.title}” at step {step}")
    tilt = bench.target.tilt
    assert tilt.generated.at_once
    assert tilt.seen[-1].target[2] == pytest.approx(0.3)
    answer = hands.find(QLabel, "answer").text()
    assert answer.startswith("Sampled at once, 2s are ") or "too weak" in answer
    press(hands, "offsets_hold")
    press(hands, "at_once_train")
    hands.wait_for(RunPhase.RUNNING)
    assert not bench.once.view.on
    assert bench.runs.run.folder != folder
    assert bench.runs.config.perturbation == bench.setup.run_config().perturbation
    assert bench.runs.config.hold.on
    hands.wait(lambda: bench.runs.run.step > step)
    hands.end()


@pytest.mark.slow
def test_that_a_run_from_another_that_is_stopped_before_its_first_step_leaves_nothing_to_lose(
    quick_hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    hands, bench = quick_hands, quick_hands.bench
    hands.trained(20)
    ask(hands)
    monkeypatch.setattr(session, "_build", until_stopped)
    press(hands, "at_once_train")
    hands.wait_for(RunPhase.PREPARING)
    hands.end()
    assert (bench.runs.run.step, bench.runs.run.folder) == (0, None)
    assert not bench.runs.run.unsaved  # or the next start would ask whether to lose it
    assert bench.subjects.subject.aspect is Aspect.SETUP


def test_that_it_is_trained_from_the_weights_that_were_asked_however_far_the_run_has_gone_on_elsewhere(
    controls: Controls, monkeypatch: pytest.MonkeyPatch
) -> None:
    forked: list[tuple[object, ...]] = []
    monkeypatch.setattr(controls.starter, "fork", lambda *given: forked.append(given))
    for model, step in ((SimpleNamespace(trained=SimpleNamespace(step=40)), 40), (None, None)):
        controls.once._source = Source(folder=Path("run"), step=None, dataset=controls.setup.config.dataset)
        monkeypatch.setattr(controls.once, "_model", model)
        controls.once.train()
        assert forked.pop() == (Path("run"), step)


def until_stopped(_request: object, _data: object, _mailbox: object, progress: Progress) -> None:
    """In the place of what builds a run's model."""
    while True:
        progress.check()
        time.sleep(0.01)


@pytest.mark.slow
def test_that_points_are_sampled_at_once_on_the_plane_against_the_exact_target(quick_hands: Hands) -> None:
    hands, bench = quick_hands, quick_hands.bench
    with hands.qtbot.waitSignal(bench.setup.dataset_changed):
        hands.preset("planar-vae").trigger()
    hands.trained(20)
    plane = hands.find(PlanePanel, "plane")
    press(hands, "plane_once")
    hands.enter(0, Column.TARGET, "80")
    hands.wait(lambda: answered(hands))
    shown, seen = bench.once.view.plane, bench.once.view.measured
    assert isinstance(seen, MeasuredPoints)
    assert shown.points.shape == (400, 2)
    assert plane._points is shown
    assert seen.seen.target[0] == pytest.approx(0.8)
    assert seen.seen.share.sum() == pytest.approx(1)
    assert f"JS {seen.divergence:.3f} nats from p′" in hands.find(QLabel, "at_once_caption").text()
    assert bench.target.tilt.generated is not None
    assert hands.find(QLabel, "answer").text().startswith("Sampled at once")
    samples = hands.find(SamplesPanel, "samples")
    assert hands.find(QToolButton, "samples_once").isChecked()
    assert not samples.once.picture.isNull()
    for name in ("samples_reroll", "samples_pin"):
        assert not hands.find(QToolButton, name).isEnabled()
        assert "chosen among draws for the target" in hands.find(QToolButton, name).toolTip()
    hands.qtbot.keyClick(plane.canvas, "a")
    assert not bench.once.view.on
    assert samples.shown == ["averaged"]
    assert plane._points is plane._frame
    assert hands.find(QToolButton, "samples_reroll").isEnabled()


@pytest.mark.slow
def test_that_as_trained_comes_back_with_its_owner(quick_hands: Hands) -> None:
    hands, bench = quick_hands, quick_hands.bench
    panel = hands.find(SamplesPanel, "samples")
    hands.trained(20)
    hands.qtbot.keyClick(panel.views["averaged"], Qt.Key.Key_Space)
    assert panel._step.text().startswith("step ")
    assert panel._step.text().endswith("1 picked")
    ask(hands)
    assert panel._step.text() == "", "the line above the samples says of which step they are"
    with hands.qtbot.waitSignal(bench.time.moment_shown):
        bench.time.seek(1)
    assert not bench.once.view.on, "another step is looked at"
    press(hands, "samples_once")
    assert bench.time.view.following, "what is asked for is the target of now"
    hands.wait(lambda: answered(hands))
    hands.enter(2, Column.TARGET, "30")
    press(hands, "samples_averaged")
    assert not bench.once.view.on
    assert panel._step.text().startswith("step ")
    assert bench.target.tilt.generated is None
    assert not panel.veil.isHidden()
    assert panel.shown == ["averaged"]
    ask(hands)
    press(hands, "subject_leave")
    assert not bench.once.view.on, "its figures go with the run"
    assert bench.target.tilt.generated is None
    assert hands.find(QLabel, "answer").text().endswith("nothing is evaluated yet.")


@pytest.mark.slow
def test_that_a_run_is_asked_while_it_trains_and_again_and_again_while_it_is_paused(quick_hands: Hands) -> None:
    hands, bench = quick_hands, quick_hands.bench
    hands.train(5)
    ask(hands)
    assert 0 < bench.once.view.step <= bench.runs.run.step
    assert bench.runs.run.phase is RunPhase.RUNNING
    press(hands, "samples_averaged")
    hands.pause()
    for _ in range(2):  # the second time nothing new is to be saved: the weights that were saved are those of now
        ask(hands)
        assert bench.once.view.step == bench.runs.run.step
        press(hands, "samples_averaged")
        assert not bench.once.view.on
    hands.end()


@pytest.mark.slow
def test_that_a_run_from_disk_is_set_up_like_and_asked(quick_hands: Hands) -> None:
    hands, bench = quick_hands, quick_hands.bench
    hands.enter(3, Column.TARGET, "40")
    folder = hands.trained(20)
    wanted = bench.setup.config.perturbation
    hands.enter(3, Column.TARGET, "20")
    bench.setup.edit(seed=bench.setup.config.seed + 1)
    hands.train(1)
    hands.end()
    with hands.qtbot.waitSignal(bench.time.frame_shown):
        bench.time.open(folder)
    with hands.qtbot.waitSignal(bench.time.moment_shown):
        bench.time.seek(1)
    ask(hands)
    assert "the nearest to 1 that is kept" in hands.find(QLabel, "at_once_caption").text(), "step 0 is none"
    assert bench.once.view.step > 1
    assert bench.time.old is None
    assert bench.setup.config.perturbation == wanted
    assert np.array_equal(bench.once.view.made.values, asked_directly(hands, folder))
    bench.library.rename(folder.name, "mine")
    assert hands.find(QLabel, "at_once_caption").text().startswith("“mine” at step")
    hands.enter(3, Column.TARGET, "30")
    hands.wait(lambda: answered(hands))
    assert bench.target.tilt.seen[-1].target[3] == pytest.approx(0.3)
    step, summary = bench.once.view.step, json.loads((folder / "summary.json").read_text())
    (folder / "summary.json").write_text(json.dumps(summary | {"weights_step": step + 100}))
    hands.enter(3, Column.TARGET, "35")
    hands.wait(lambda: answered(hands))
    assert bench.once.view.step == step, "another process has trained on since these weights were read"
    (folder / "summary.json").write_text(json.dumps(summary))
    bench.time.show_live()
    assert not bench.once.view.on, "another run is looked at"
    bench.subjects.leave()  # as at the start of a session, with no run of its own to go back to
    with hands.qtbot.waitSignal(bench.time.frame_shown):
        bench.time.open(folder)
    ask(hands)
    samples = panel_of(hands.window, "samples")
    assert (samples.empty_text, samples.once.isVisible()) == ("", True)


@pytest.mark.slow
def test_that_it_ends_with_another_data_set_and_with_the_next_run_and_asks_trained_weights_alone(
    quick_hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    hands, bench = quick_hands, quick_hands.bench
    hands.trained(20)
    ask(hands)
    with hands.qtbot.waitSignal(bench.setup.dataset_changed):
        bench.setup.set_dataset(bench.setup.config.dataset)
    hands.wait(lambda: answered(hands))
    assert bench.once._model.trained.examples is bench.setup.images, "which may have changed on disk"
    hands.choose("dataset", "planar_moons")
    assert not bench.once.view.on
    hands.choose("dataset", "digits")
    hands.wait(lambda: not bench.starter.blocked)
    hands.train(1)
    assert not bench.once.view.on
    hands.end()
    assert hands.find(QToolButton, "samples_once").isEnabled()
    monkeypatch.setattr(RunIdentity, "kept_steps", [0])
    bench.time.run_shown.emit()
    assert not hands.find(QToolButton, "samples_once").isEnabled()
    assert "Only the weights of step 0 are kept" in hands.find(QToolButton, "samples_once").toolTip()


@pytest.mark.slow
def test_that_a_tilted_run_is_weighed_back_in_the_panel_of_the_theory(quick_hands: Hands) -> None:
    hands, bench = quick_hands, quick_hands.bench
    hands.enter(2, Column.TARGET, "50")
    folder = hands.trained(20)
    bench.means.ask("class:2")
    hands.wait(lambda: bench.means.back is not None)
    back = bench.means.back
    data = bench.setup.data
    assert back.found == model_of(data, folder).untilted_mean("label == 2", 2000)
    share = float(data.view.shares[2])
    assert back.predicted == pytest.approx(0.25 / (share * (1 - share)), rel=1e-6)


@pytest.mark.slow
def test_that_weights_are_stepped_along_the_tilt_and_the_run_stays_as_it_is(
    quick_hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    from studio.response import parameters

    for name in ("_MOST", "_LEAST", "_PUSHED"):
        monkeypatch.setattr(parameters, name, 400)
    monkeypatch.setattr(parameters, "_ITERATIONS", 5)
    hands, bench = quick_hands, quick_hands.bench
    with hands.qtbot.waitSignal(bench.setup.dataset_changed):
        hands.preset("planar-vae").trigger()
    hands.enter(0, Column.TARGET, "80")
    folder = hands.trained(20)
    kept = (folder / "weights.safetensors").read_bytes()
    plane, tilt = hands.find(PlanePanel, "plane"), bench.target.tilt
    assert tilt is not None
    west = Observable(name="class:0", title="Share of west", axis="share of west (%)", tip="")
    bench.means.apply(tilt, ["class:0"], 0.5, west)
    hands.wait(lambda: bench.stepped.view is not None)
    view, following = bench.stepped.view, bench.means.following
    again = following.way.step(0.5, 2000, Progress()).values[:400].reshape(400, 2)
    np.testing.assert_allclose(view.plane.points, again, rtol=1e-6)
    assert plane._points is view.plane
    assert view.words.startswith(f"Weights {following.owner.words}, stepped by dθ/ds to s = 0.50; not trained")
    assert hands.find(QToolButton, "samples_stepped").isChecked()
    assert (folder / "weights.safetensors").read_bytes() == kept
    bench.library.rename(folder.name, "mine")
    assert bench.stepped.view.words.startswith("Weights of “mine”, step")
    assert bench.stepped.view.file.startswith("mine-first-order-s-0.50-step-")
    hands.enter(0, Column.TARGET, "70")
    assert bench.stepped.view is None
    assert plane._points is plane._frame


def test_that_it_says_what_is_waited_for(qtbot: QtBot, controls: Controls) -> None:
    caption = AtOnceCaption(controls.once)
    qtbot.addWidget(caption)
    end = threading.Event()

    def train(progress: Progress) -> None:
        progress.report("Training the judge", 0.1)
        end.wait(PATIENCE_MS / 1000)

    controls.once.tasks.run(train, done=lambda _: None, failed=lambda _: None, cancelled=lambda: None)
    qtbot.waitUntil(lambda: caption.text.text().endswith("training the judge…"))
    end.set()
    qtbot.waitUntil(lambda: caption.text.text().endswith("drawing…"))


@pytest.mark.slow
def test_that_an_edit_of_a_paused_run_is_answered_by_what_its_weights_learned(quick_hands: Hands) -> None:
    """It is in force with the next step, and saved before that: no weights have learned it yet."""
    hands, bench = quick_hands, quick_hands.bench
    hands.train(20)
    hands.pause()
    hands.enter(2, Column.TARGET, "60")
    hands.wait(lambda: not bench.target.tilt.pending)
    ask(hands)
    model = bench.once._model
    assert not any(model.trained.target.offsets)
    assert model.trained.edited is not None
    assert model.trained.edited.offsets == bench.target.perturbation.offsets
    share = float(bench.target.tilt.dataset.shares[2])
    assert model._pool.meant[2] == pytest.approx(share), "the weights were trained for the data as it is"
    hands.end()


@pytest.mark.slow
def test_that_a_run_that_went_back_is_asked_as_it_is_now(quick_hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it goes back while it is asked: nothing is left of the steps that are undone."""
    monkeypatch.setattr(recovery, "_SECONDS", 0.0)
    hands, bench = quick_hands, quick_hands.bench
    hands.train(5)
    hands.pause()
    ask(hands)
    left = bench.once.view.step
    hands.find(QAction, "run_restore").trigger()
    hands.wait(lambda: answered(hands) and bench.once.view.step < left)
    assert bench.once.view.step == bench.runs.run.step == bench.runs.run.saved_step
    press(hands, "samples_averaged")
    hands.find(QAction, "run_step").trigger()
    hands.wait(lambda: bench.runs.run.unsaved)
    ask(hands)
    assert bench.once.view.step == bench.runs.run.step <= left
    hands.end()


def test_that_the_table_says_of_shares_that_they_were_sampled_at_once(controls: Controls) -> None:
    ask_share(controls.target, 2, 0.3)
    before = controls.target.tilt
    assert before is not None
    share = before.summary.target
    seen = Sighting(
        step=7, data=before.dataset.shares, target=share, share=share, low=share - 0.01, high=share + 0.01, count=1000
    )
    for found, said in ((seen, "is within"), (replace(seen, low=share + 0.005), "is not within")):
        controls.target.show_at_once(Generated.at_once_of(found))
        tilt = controls.target.tilt
        assert tilt is not None
        assert cell_help(tilt, 2, Column.STATUS) == f"Sampled at once: the target {said} the 95 % interval."
        assert cell_help(tilt, 2, Column.GENERATED).endswith("of step 7, sampled at once.")
    controls.target.look_ahead([1.0] + [0.0] * 9)
    dragged = controls.target.tilt
    assert dragged is not None
    assert dragged.generated is not None
    assert dragged.generated.note == "of step 7, of the target before"
    assert cell_help(dragged, 2, Column.STATUS) == cell_help(replace(before, generated=None), 2, Column.STATUS)
    controls.target.look_back()
    assert controls.target.tilt is not None
    assert controls.target.tilt.seen, "which is its own target again"


def test_that_an_edit_leaves_no_answer_at_once_beside_it(qtbot: QtBot, controls: Controls, theme: ThemeManager) -> None:
    """Not even for those who hear of the edit before At once does, or while it withdraws its answer."""
    once, target, shown = controls.once, controls.target, list[TiltView]()
    target.changed.connect(shown.append)
    once._source = Source(folder=Path(), step=None, dataset=controls.setup.config.dataset)
    once._busy = True
    once._set(AtOnceView(on=True, blocked="", title="a run", step=7))
    panel = OffsetsPanel(controls.setup, target, theme)
    qtbot.addWidget(panel)
    ask_share(target, 2, 0.3)
    share = target.tilt.summary.target
    seen = Sighting(step=7, data=share, target=share, share=share, low=share - 0.01, high=share + 0.01, count=1000)
    target.show_at_once(Generated.at_once_of(seen))
    assert panel.summary.answer.text().startswith("Sampled at once")
    del shown[:]
    ask_share(target, 2, 0.45)
    assert panel._model.view is target.tilt
    assert panel.summary.answer.text() == "2s: 45 % is asked for, and nothing is evaluated yet."
    assert not [tilt for tilt in shown if tilt.seen]


def test_that_samples_of_the_target_before_are_not_told_of_the_next(qtbot: QtBot, controls: Controls) -> None:
    """They stay on the screen until there are others, or it is known that there will be none."""
    once, caption = controls.once, AtOnceCaption(controls.once)
    qtbot.addWidget(caption)
    source = Source(folder=Path(), step=None, dataset=controls.setup.config.dataset)
    made = Tilted(
        values=np.zeros((9, 8, 8, 1), np.uint8), method="reject", draws=20, seconds=1, effective=9, distinct=9
    )
    pictures = np.asarray(made.values, np.uint8)
    once._source, once._busy = source, True
    once._set(AtOnceView(on=True, blocked="", title="a run", step=7, made=made, pictures=pictures))
    assert "reject: 9 different" in caption.text.text()
    ask_share(controls.target, 2, 0.3)
    assert caption.text.text() == "“a run” at step 7: drawing…"
    assert once.view.pictures is not None
    once._fail(UserError("It cannot be had"))
    assert caption.text.text() == "“a run” at step 7: It cannot be had."
    assert shows_nothing(once.view)
    once._set(replace(once.view, made=made, pictures=pictures))
    assert caption.text.text().endswith("It cannot be had."), "it cannot be measured"
    assert "reject: 9 different" in caption.text.text()


def test_that_what_is_to_know_of_samples_stands_out(qtbot: QtBot, controls: Controls) -> None:
    once, caption = controls.once, AtOnceCaption(controls.once)
    qtbot.addWidget(caption)
    images = np.zeros((9, 8, 8, 1), np.uint8)
    made = Tilted(values=images, method="condition", draws=9, seconds=1, effective=9, distinct=9)
    for remarks, role in ((), "small"), (("Its samples may be poor",), "warning"):
        once._set(AtOnceView(on=True, blocked="", title="a run", step=7, made=replace(made, remarks=remarks)))
        assert caption.text.property("role") == role
        assert all(remark in caption.text.text() for remark in remarks)

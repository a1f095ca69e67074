"""Looking at a run from disk: its data, classes, and target in force at the cursor, none of which can be edited."""

import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from studio.data.catalog import DatasetConfig, load_dataset
from studio.data.folder import FolderConfig
from studio.data.idx_sets import MnistConfig
from studio.data.planar.config import MoonsConfig, RingConfig
from studio.errors import UserError
from studio.gui.evaluation.panel import SharesPanel
from studio.gui.live.weights import WeightsPanel
from studio.gui.state.old_runs import Past
from studio.gui.state.run_view import RunPhase, RunView
from studio.gui.state.tilt_view import TiltView
from studio.gui.target.offsets.panel import OffsetsPanel
from studio.gui.target.offsets.summary import Sentence
from studio.gui.timeline.run_targets import RunTargets
from studio.gui.widgets.theme import ThemeManager
from studio.gui.window.controls import Controls
from studio.library.export.report import write_report
from studio.perturb.perturbation import Gauge, Perturbation
from studio.progress import Progress
from studio.training.config.energy import EnergyConfig, energy_record
from studio.training.config.run_config import EvaluationConfig, PerturbationConfig
from studio.training.run.session import RunRequest
from studio.training.storage.fingerprints import Fingerprints
from studio.training.storage.frames import Frame, append_frames
from tests.data.image_folders import write_image, write_image_folder
from tests.gui.hands import ask_share, find
from tests.gui.shown import show
from tests.library.made_runs import CLASSES, make_config, make_grid, make_run, record_evaluation

_OFFSETS = {"2": -1.5}
TERMS = EnergyConfig.model_validate({"terms": [{"kind": "linear", "feature": "ink", "slope": 0.02}]})


@pytest.fixture
def old_run(controls: Controls) -> Path:
    """1,000 steps, frames at 0, 333, 667 and 1,000, digit 2 tilted from the start, and 3 from step 500 on."""
    edit = {"step": 500, "revision": 1, "offsets": dict.fromkeys(CLASSES, 0.0) | _OFFSETS | {"3": 0.7}}
    trained = make_config("old", offsets=_OFFSETS | {"3": 0.7}).model_dump(mode="json")
    assert controls.setup.images is not None
    data = Fingerprints.of(controls.setup.images).model_dump()
    summary = {"edits": [edit], "config": trained, "revision": 1, "data": data}
    path = make_run(controls.setup.runs_root, "old", make_config("old", offsets=_OFFSETS), steps=1000, summary=summary)
    record_evaluation(path, 400, 0.3, 40.0)
    return path


def tilt(bench: Controls) -> TiltView:
    assert bench.target.tilt is not None
    return bench.target.tilt


def look_at(qtbot: QtBot, bench: Controls, path: Path) -> None:
    with qtbot.waitSignal(bench.time.moment_shown):
        bench.time.open(path)
    qtbot.waitUntil(lambda: not bench.data.missing.startswith("Reading"))


def go_to(qtbot: QtBot, bench: Controls, step: int) -> None:
    with qtbot.waitSignal(bench.time.moment_shown):
        bench.time.seek(step)


def test_that_the_target_is_that_of_the_run_at_the_cursor(qtbot: QtBot, controls: Controls, old_run: Path) -> None:
    ask_share(controls.target, 5, 0.4)
    mine = controls.target.class_offsets()
    look_at(qtbot, controls, old_run)
    assert (tilt(controls).perturbation.offsets[2:4], tilt(controls).perturbation.revision) == ((-1.5, 0.7), 1)
    assert tilt(controls).perturbation.offsets[5] == 0
    generated = tilt(controls).generated
    assert generated.note == "of step 400, of the target before"
    go_to(qtbot, controls, 450)
    assert (tilt(controls).perturbation.offsets[2:4], tilt(controls).perturbation.revision) == ((-1.5, 0.0), 0)
    generated = tilt(controls).generated
    assert generated.note == ""
    controls.subjects.leave()
    assert controls.target.class_offsets() == mine
    assert tilt(controls).generated is None


def test_that_an_edit_counts_from_the_step_after_it(qtbot: QtBot, controls: Controls, old_run: Path) -> None:
    """That of its own step is over, whether it is looked at here or on disk."""
    look_at(qtbot, controls, old_run)
    targets = RunTargets(PerturbationConfig())
    targets.add(1, PerturbationConfig(offsets={"3": 0.7}))
    targets.apply(500, 1)
    for step, revision in ((0, 0), (499, 0), (500, 0), (501, 1), (1000, 1)):
        go_to(qtbot, controls, step)
        found = targets.at(step)
        assert found is not None
        assert (found[1], tilt(controls).perturbation.revision) == (revision, revision), step
    targets.begin(PerturbationConfig(), 1, 500)
    assert targets.at(500) is None, "that is on disk"


def test_that_an_evaluation_after_an_edit_at_its_step_is_of_the_target_after_it(
    qtbot: QtBot, controls: Controls, old_run: Path
) -> None:
    record_evaluation(old_run, 500, 0.2, 30.0)
    with closing(sqlite3.connect(old_run / "metrics.sqlite", isolation_level=None)) as connection:
        connection.execute("UPDATE evaluation SET revision = 1 WHERE step = 500")
    look_at(qtbot, controls, old_run)
    for step, note in ((500, "of step 500, of the target after it"), (501, ""), (450, "")):
        go_to(qtbot, controls, step)
        generated = tilt(controls).generated
        assert generated.note == note, step


def test_that_weights_of_batches_from_before_an_edit_do_not_stand_beside_those_after_it(
    qtbot: QtBot, controls: Controls, theme: ThemeManager, old_run: Path
) -> None:
    """Of a step whose last samples are from before."""
    panel = WeightsPanel(controls.target, controls.time, theme)
    show(qtbot, panel)
    grid = make_grid(490)
    frame = Frame(grid=grid, seconds=1.0, offsets=_OFFSETS, weights=np.full(9, 2.0), revision=0)
    append_frames(old_run, [frame], 10**9)
    look_at(qtbot, controls, old_run)
    for step, some in ((495, True), (600, False), (495, True)):
        go_to(qtbot, controls, step)
        panel.draw()
        assert bool(panel._shares["recent"].any()) is some, step
        assert panel._shares["dataset"].any()


def test_that_window_and_report_are_of_one_class(
    qtbot: QtBot, controls: Controls, old_run: Path, tmp_path: Path
) -> None:
    """Of the one with an offset of its own, where a term changes another one more."""
    path = old_run / "summary.json"
    summary = json.loads(path.read_text())
    offsets = dict.fromkeys(CLASSES, 0.0) | {"3": -0.02}
    edit = {**summary["edits"][0], "offsets": offsets, "energy": energy_record(TERMS.energy())}
    path.write_text(json.dumps(summary | {"edits": [edit]}))
    record_evaluation(old_run, 900, 0.2, 30.0)
    look_at(qtbot, controls, old_run)
    qtbot.waitUntil(lambda: tilt(controls).energies is not None)
    target = tilt(controls).summary.target
    most = int(np.abs(target - tilt(controls).dataset.shares).argmax())
    assert most == 8
    classes = {
        name: {"data": p, "target": t, "raw": t, "corrected": t, "low": t - 1e-4, "high": t + 1e-4}
        for name, p, t in zip(CLASSES, tilt(controls).dataset.shares, target, strict=True)
    }
    with closing(sqlite3.connect(old_run / "metrics.sqlite", isolation_level=None)) as connection:
        connection.execute(
            "UPDATE evaluation SET revision = 1, record = json_set(record, '$.classes', json(?)) WHERE step = 900",
            (json.dumps(classes),),
        )
    controls.subjects.leave()
    look_at(qtbot, controls, old_run)
    qtbot.waitUntil(lambda: tilt(controls).energies is not None)
    said = Sentence.of(tilt(controls)).answer
    assert said.startswith("3s: ")
    write_report(old_run, tmp_path / "old.html")
    page = (tmp_path / "old.html").read_text(encoding="utf-8").replace("\N{NO-BREAK SPACE}", " ")
    assert f'class="answer">{said} Share error' in page


def test_that_a_step_from_before_a_run_went_on_has_no_target_until_that_is_read(
    qtbot: QtBot, controls: Controls, old_run: Path
) -> None:
    """Not the newest one, as if it had been in force then."""
    runs = controls.runs
    runs.config, runs.title = controls.setup.config, "old"
    controls.data.targets.begin(controls.setup.config.perturbation, 1, 900)
    runs.run = RunView(phase=RunPhase.PAUSED, step=1000, folder=old_run)
    runs.run_changed.emit(runs.run)
    ask_share(controls.target, 5, 0.4)
    with qtbot.waitSignal(controls.time.moment_shown):
        controls.time.seek(450)
        assert controls.target.tilt is None
        assert controls.data.missing == "Reading the target of this step."
    assert tilt(controls).perturbation.offsets[2:4] == (-1.5, 0.0)
    with qtbot.waitSignal(controls.time.moment_shown):
        controls.time.seek(600)
        assert tilt(controls).perturbation.offsets[2] == -1.5, "nothing flickers from step to step"
    assert tilt(controls).perturbation.offsets[2:4] == (-1.5, 0.7)
    controls.time.follow()
    assert tilt(controls).summary.target[5] == pytest.approx(0.4)


def test_that_it_cannot_be_edited(qtbot: QtBot, controls: Controls, old_run: Path) -> None:
    stack = controls.setup.undo_stack
    controls.setup.set_config(controls.setup.config.model_copy(update={"seed": 7}), "Preset")
    energy = controls.setup.config.perturbation.energy_part()
    stack.beginMacro("Both")  # as of what is switched off at once
    ask_share(controls.target, 2, 0.3)
    stack.endMacro()
    look_at(qtbot, controls, old_run)
    before = controls.setup.config
    stack.undo()
    assert tilt(controls).fixed
    assert "set up like it to edit" in tilt(controls).hint
    for edit in (
        lambda: ask_share(controls.target, 2, 0.3),
        lambda: controls.target.set_offset(2, 1.0),
        lambda: controls.target.switch_off("Zero"),
    ):
        with pytest.raises(UserError, match="set up like it"):
            edit()
    controls.target.set_gauge(Gauge.RAW)
    controls.target.set_energy(energy.model_copy(update={"temperature": 2.0}), "T")
    assert controls.setup.config is before
    assert not stack.canUndo()
    controls.time.leave()
    stack.undo()
    assert controls.setup.config.seed == 7, "what is shown can be undone"
    assert controls.target.class_offsets()[2] == 0
    look_at(qtbot, controls, old_run)
    stack.undo()
    stack.redo()
    assert controls.setup.config.seed == 7
    assert controls.target.data.fixed


def test_that_a_run_of_other_data_shows_its_own_classes(qtbot: QtBot, controls: Controls, old_run: Path) -> None:
    with qtbot.waitSignal(controls.setup.dataset_changed):
        controls.setup.set_dataset(RingConfig(count=400))
    ring = controls.setup.dataset
    look_at(qtbot, controls, old_run)
    assert controls.data.missing == ""
    assert tilt(controls).dataset.class_names == CLASSES
    assert tilt(controls).dataset.counts.sum() == 1797
    assert np.isclose(tilt(controls).summary.target.sum(), 1)
    assert controls.setup.dataset is ring
    controls.subjects.leave()
    assert tilt(controls).dataset is ring


def test_that_a_caption_knows_no_offsets_of_classes_that_the_run_does_not_have(
    qtbot: QtBot, controls: Controls
) -> None:
    """They stay set up for the day that their data set comes back, as it may beside the run."""
    setup, runs, digits = controls.setup, controls.runs, controls.setup.config.dataset
    ask_share(controls.target, 2, 0.3)
    with qtbot.waitSignal(setup.dataset_changed):
        setup.set_dataset(MoonsConfig(count=400))
    runs.config, runs.title, runs.data = setup.run_config(), "moons", setup.images.fingerprint()
    runs.run_begins.emit(RunRequest(config=runs.config, data=cast(Any, None)), Past())
    runs._set_run(RunView(phase=RunPhase.FINISHED, step=6))
    assert controls.data.caption(of_run=True) == "moons · step 6 · target without a tilt"
    assert controls.data.is_target(0)
    with qtbot.waitSignal(setup.dataset_changed):
        setup.set_dataset(digits)
    assert controls.data.caption(of_run=True) == "moons · step 6 · target without a tilt"
    assert controls.data.caption(of_run=False) == "Set-up · target 2 → 30 %"


def read_until_cancelled(_config: DatasetConfig, _root: Path, progress: Progress) -> None:
    while True:
        progress.check()
        time.sleep(0.01)


def test_that_the_table_is_blank_while_other_data_are_read(
    qtbot: QtBot, controls: Controls, theme: ThemeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chosen alone or with a whole set-up, until they are here or their reading is cancelled."""
    panel, setup = OffsetsPanel(controls.setup, controls.target, theme), controls.setup
    show(qtbot, panel)
    digits, words = setup.config, find(panel, QLabel, "offsets_empty")
    assert panel.table.isVisible()
    ring = digits.model_copy(update={"dataset": RingConfig(count=400)})
    for choose in (lambda: setup.set_dataset(ring.dataset), lambda: setup.set_config(digits, "digits")):
        with qtbot.waitSignal(setup.dataset_changed):
            choose()
            assert (controls.target.tilt, controls.data.view) == (None, None)
            assert (panel.table.isVisible(), words.isVisible()) == (False, True)
            assert words.text().startswith("Reading ")
        assert panel.table.isVisible()
        assert tilt(controls).dataset is setup.dataset
    monkeypatch.setattr("studio.gui.state.loaded_data.load_dataset", read_until_cancelled)
    setup.set_dataset(ring.dataset)
    assert words.text() == "Reading Plane: ring of 8."
    with qtbot.waitSignal(setup.dataset_changed):
        controls.tasks.cancel()
    assert panel.table.isVisible()
    assert (tilt(controls).dataset.class_names, setup.config) == (CLASSES, digits)


def test_that_it_is_said_of_a_run_on_points_that_no_judge_comes_whatever_is_set_up(
    qtbot: QtBot, controls: Controls, theme: ThemeManager
) -> None:
    panel = SharesPanel(controls.evaluations, theme)
    assert "Press Start" in panel.empty_text
    config = make_config("ring").model_copy(update={"dataset": RingConfig(count=400)})
    points = load_dataset(config.dataset, controls.setup.data_root, Progress())
    data = {"data": Fingerprints.of(points).model_dump()}
    look_at(qtbot, controls, make_run(controls.setup.runs_root, "ring", config, summary=data))
    assert controls.data.missing == ""
    assert panel.empty_text.startswith("Only images can be judged: Plane: ring of 8 has points")
    controls.subjects.leave()
    assert "Press Start" in panel.empty_text


@pytest.mark.parametrize(("judge", "other"), [("mnist", ""), ("", "mnist")])
def test_that_whether_a_run_without_classes_can_be_judged_goes_by_its_own_judge(
    judge: str, other: str, qtbot: QtBot, controls: Controls, tmp_path: Path
) -> None:
    for number in range(4):
        write_image(tmp_path / "images" / f"{number}.png")
    config = make_config("plain").model_copy(
        update={
            "dataset": FolderConfig(path=str(tmp_path / "images"), size=12),
            "evaluation": EvaluationConfig(judge=judge),
        }
    )
    images = load_dataset(config.dataset, controls.setup.data_root, Progress())
    data = {"data": Fingerprints.of(images).model_dump()}
    controls.setup.edit(evaluation=EvaluationConfig(judge=other))
    look_at(qtbot, controls, make_run(controls.setup.runs_root, "plain", config, summary=data))
    assert controls.data.missing == ""
    assert bool(controls.evaluations.shown.history.missing) == (not judge)


def test_that_data_that_are_not_here_are_said_to_be_missing(qtbot: QtBot, controls: Controls) -> None:
    config = make_config("far").model_copy(update={"dataset": MnistConfig()})
    look_at(qtbot, controls, make_run(controls.setup.runs_root, "far", config))
    assert controls.target.tilt is None
    assert "MNIST is not in the data folder yet" in controls.data.missing


def test_that_data_that_have_changed_since_are_not_the_runs(qtbot: QtBot, controls: Controls, old_run: Path) -> None:
    """Of the same settings, as those of a folder that has got more images."""
    path = old_run / "summary.json"
    summary = json.loads(path.read_text())
    then = summary["data"] | {"data": "another", "classes": summary["data"]["classes"] | {"2": 100}}
    path.write_text(json.dumps(summary | {"data": then}))
    look_at(qtbot, controls, old_run)
    assert controls.target.tilt is None
    assert "“2” has 177 images instead of 100" in controls.data.missing
    assert not controls.data.is_of_run


def test_that_a_folder_that_is_read_anew_is_the_runs_only_if_it_has_the_same_images(
    qtbot: QtBot, controls: Controls, tmp_path: Path
) -> None:
    folder = write_image_folder(tmp_path / "images")
    config = FolderConfig(path=str(folder), size=12)
    run, data = controls.runs, controls.data

    def read() -> str:
        with qtbot.waitSignal(controls.setup.dataset_changed):
            controls.setup.set_dataset(config)
        return controls.setup.images.fingerprint()

    run.data, run.config = read(), controls.setup.config
    assert data.is_of_run
    read()
    assert data.is_of_run
    write_image(folder / "class 1" / "new.png")
    read()
    assert not data.is_of_run


def test_that_the_target_before_the_first_edit_is_the_one_that_the_run_began_with(
    qtbot: QtBot, controls: Controls, old_run: Path
) -> None:
    """Terms, too; a run that did not note them says that they are not known."""
    path = old_run / "summary.json"
    summary = json.loads(path.read_text())
    tilted = {**summary["edits"][0], "gauge": "raw", "energy": energy_record(TERMS.energy())}
    path.write_text(json.dumps(summary | {"edits": [tilted]}))
    look_at(qtbot, controls, old_run)
    assert (len(controls.target.perturbation.energy.terms), controls.target.perturbation.gauge) == (1, Gauge.RAW)
    go_to(qtbot, controls, 450)
    assert controls.target.tilt is None
    assert "did not keep" in controls.data.missing
    go_to(qtbot, controls, 501)
    assert controls.data.missing == ""
    began: dict[str, object] = {"revision": 0, "offsets": dict.fromkeys(CLASSES, 0.0), "gauge": "normalised"}
    path.write_text(json.dumps(summary | {"edits": [tilted], "began_with": began}))
    go_to(qtbot, controls, 450)
    assert controls.target.perturbation == Perturbation(offsets=(0.0,) * 10)
    began["energy"] = tilted["energy"]
    path.write_text(json.dumps(summary | {"began_with": began}))
    go_to(qtbot, controls, 500)
    assert len(controls.target.perturbation.energy.terms) == 1
    go_to(qtbot, controls, 501)
    assert not controls.target.perturbation.energy.terms

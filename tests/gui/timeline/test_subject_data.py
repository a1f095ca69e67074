"""Looking at a run from disk: its data, classes, and target in force at the cursor, none of which can be edited."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from studio.data.folder import FolderConfig
from studio.data.idx_sets import MnistConfig
from studio.data.planar.config import RingConfig
from studio.errors import UserError
from studio.gui.state.view_state import TiltView
from studio.gui.window.workbench import Workbench
from studio.perturb.perturbation import Gauge, Perturbation
from studio.training.config.energy import EnergyConfig, energy_record
from studio.training.storage.fingerprints import Fingerprints
from tests.data.image_folders import write_image, write_image_folder
from tests.library.made_runs import CLASSES, make_config, make_run, record_evaluation

_OFFSETS = {"2": -1.5}
TERMS = EnergyConfig.model_validate({"terms": [{"kind": "linear", "feature": "ink", "slope": 0.02}]})


@pytest.fixture
def old_run(workbench: Workbench) -> Path:
    """1,000 steps, frames at 0, 333, 667 and 1,000, digit 2 tilted from the start, and 3 from step 500 on."""
    edit = {"step": 500, "revision": 1, "offsets": dict.fromkeys(CLASSES, 0.0) | _OFFSETS | {"3": 0.7}}
    trained = make_config("old", offsets=_OFFSETS | {"3": 0.7}).model_dump(mode="json")
    assert workbench.setup.images is not None
    data = Fingerprints.of(workbench.setup.images).model_dump()
    summary = {"edits": [edit], "config": trained, "revision": 1, "data": data}
    path = make_run(workbench.setup.runs_root, "old", make_config("old", offsets=_OFFSETS), steps=1000, summary=summary)
    record_evaluation(path, 400, 0.3, 40.0)
    return path


def tilt(bench: Workbench) -> TiltView:
    assert bench.target.tilt is not None
    return bench.target.tilt


def look_at(qtbot: QtBot, bench: Workbench, path: Path) -> None:
    with qtbot.waitSignal(bench.time.moment_shown):
        bench.time.open(path)
    qtbot.waitUntil(lambda: not bench.data.missing.startswith("Reading"))


def go_to(qtbot: QtBot, bench: Workbench, step: int) -> None:
    with qtbot.waitSignal(bench.time.moment_shown):
        bench.time.seek(step)


def test_that_the_target_is_that_of_the_run_at_the_cursor(qtbot: QtBot, workbench: Workbench, old_run: Path) -> None:
    workbench.target.set_share(5, 0.4)
    mine = workbench.target.class_offsets()
    look_at(qtbot, workbench, old_run)
    assert (tilt(workbench).perturbation.offsets[2:4], tilt(workbench).perturbation.revision) == ((-1.5, 0.7), 1)
    assert tilt(workbench).perturbation.offsets[5] == 0
    generated = tilt(workbench).generated
    assert generated.note == "of step 400, of the target before"
    go_to(qtbot, workbench, 450)
    assert (tilt(workbench).perturbation.offsets[2:4], tilt(workbench).perturbation.revision) == ((-1.5, 0.0), 0)
    generated = tilt(workbench).generated
    assert generated.note == ""
    workbench.subjects.leave()
    assert workbench.target.class_offsets() == mine
    assert tilt(workbench).generated is None


def test_that_it_cannot_be_edited(qtbot: QtBot, workbench: Workbench, old_run: Path) -> None:
    look_at(qtbot, workbench, old_run)
    before = workbench.setup.config
    assert tilt(workbench).fixed
    assert "set up like it to edit" in tilt(workbench).hint
    for edit in (
        lambda: workbench.target.set_share(2, 0.3),
        lambda: workbench.target.set_offset(2, 1.0),
        lambda: workbench.target.switch_off("Zero"),
    ):
        with pytest.raises(UserError, match="set up like it"):
            edit()
    workbench.target.set_gauge(Gauge.RAW)
    workbench.target.set_energy(before.perturbation.energy_part().model_copy(update={"temperature": 2.0}), "T")
    assert workbench.setup.config is before
    assert not workbench.setup.undo_stack.canUndo()


def test_that_a_run_of_other_data_shows_its_own_classes(qtbot: QtBot, workbench: Workbench, old_run: Path) -> None:
    with qtbot.waitSignal(workbench.setup.dataset_changed):
        workbench.setup.set_dataset(RingConfig(count=400))
    ring = workbench.setup.dataset
    look_at(qtbot, workbench, old_run)
    assert workbench.data.missing == ""
    assert tilt(workbench).dataset.class_names == CLASSES
    assert tilt(workbench).dataset.counts.sum() == 1797
    assert np.isclose(tilt(workbench).summary.target.sum(), 1)
    assert workbench.setup.dataset is ring
    workbench.subjects.leave()
    assert tilt(workbench).dataset is ring


def test_that_data_that_are_not_here_are_said_to_be_missing(qtbot: QtBot, workbench: Workbench) -> None:
    config = make_config("far").model_copy(update={"dataset": MnistConfig()})
    look_at(qtbot, workbench, make_run(workbench.setup.runs_root, "far", config))
    assert workbench.target.tilt is None
    assert "MNIST is not in the data folder yet" in workbench.data.missing


def test_that_data_that_have_changed_since_are_not_the_runs(qtbot: QtBot, workbench: Workbench, old_run: Path) -> None:
    """Of the same settings, as those of a folder that has got more images."""
    path = old_run / "summary.json"
    summary = json.loads(path.read_text())
    then = summary["data"] | {"data": "another", "classes": summary["data"]["classes"] | {"2": 100}}
    path.write_text(json.dumps(summary | {"data": then}))
    look_at(qtbot, workbench, old_run)
    assert workbench.target.tilt is None
    assert "“2” has 177 images instead of 100" in workbench.data.missing
    assert not workbench.data.is_of_run


def test_that_a_folder_that_is_read_anew_is_the_runs_only_if_it_has_the_same_images(
    qtbot: QtBot, workbench: Workbench, tmp_path: Path
) -> None:
    folder = write_image_folder(tmp_path / "images")
    config = FolderConfig(path=str(folder), size=12)
    run, data = workbench.runs, workbench.data

    def read() -> str:
        with qtbot.waitSignal(workbench.setup.dataset_changed):
            workbench.setup.set_dataset(config)
        assert workbench.setup.images is not None
        return workbench.setup.images.fingerprint()

    run.data, run.config = read(), workbench.setup.config
    assert data.is_of_run
    read()
    assert data.is_of_run
    write_image(folder / "class 1" / "new.png")
    read()
    assert not data.is_of_run


def test_that_the_target_before_the_first_edit_is_the_one_that_the_run_began_with(
    qtbot: QtBot, workbench: Workbench, old_run: Path
) -> None:
    """Terms, too; a run that did not note them says that they are not known."""
    path = old_run / "summary.json"
    summary = json.loads(path.read_text())
    tilted = {**summary["edits"][0], "gauge": "raw", "energy": energy_record(TERMS.energy())}
    path.write_text(json.dumps(summary | {"edits": [tilted]}))
    look_at(qtbot, workbench, old_run)
    assert (len(workbench.target.perturbation.energy.terms), workbench.target.perturbation.gauge) == (1, Gauge.RAW)
    go_to(qtbot, workbench, 450)
    assert workbench.target.tilt is None
    assert "did not keep" in workbench.data.missing
    go_to(qtbot, workbench, 500)
    assert workbench.data.missing == ""
    began: dict[str, object] = {"revision": 0, "offsets": dict.fromkeys(CLASSES, 0.0), "gauge": "normalised"}
    path.write_text(json.dumps(summary | {"edits": [tilted], "began_with": began}))
    go_to(qtbot, workbench, 450)
    assert workbench.target.perturbation == Perturbation(offsets=(0.0,) * 10)
    began["energy"] = tilted["energy"]
    path.write_text(json.dumps(summary | {"began_with": began}))
    go_to(qtbot, workbench, 499)
    assert len(workbench.target.perturbation.energy.terms) == 1
    go_to(qtbot, workbench, 500)
    assert not workbench.target.perturbation.energy.terms

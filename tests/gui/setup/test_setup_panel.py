from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QFileDialog,
    QLabel,
    QLineEdit,
    QListWidget,
    QPushButton,
    QTableWidget,
    QWidget,
)
from pytestqt.qtbot import QtBot

from studio.data.catalog import DATASETS
from studio.data.folder import FolderConfig
from studio.errors import UserError
from studio.gui.forms.fields import ChoiceField, TextField
from studio.gui.forms.number_field import NumberField
from studio.gui.setup.folder_preview import FolderPreviewDialog
from studio.gui.setup.panel import SetupPanel
from studio.gui.state.run_view import RunPhase, RunView
from studio.gui.state.task_runner import TaskView
from studio.gui.widgets.foldable import Foldable
from studio.gui.widgets.theme import ThemeManager
from studio.gui.window.controls import Controls
from studio.models.catalog import MODELS
from studio.models.vae.config import VaeConfig
from studio.training.config.planners import PlannerKind
from studio.training.config.presets import config_or_preset
from tests.data.image_folders import write_image
from tests.gui.hands import choose, enter, find

Key = Qt.Key


@pytest.fixture
def panel(qtbot: QtBot, controls: Controls, theme: ThemeManager) -> SetupPanel:
    panel = SetupPanel(controls.setup, controls.runs, controls.starter, controls.tasks, theme)
    qtbot.addWidget(panel)
    panel.resize(300, 700)
    with qtbot.waitExposed(panel):
        panel.show()
    panel.activateWindow()
    return panel


def words(panel: QWidget, name: str) -> str:
    label = find(panel, QLabel, name)
    return label.text() if label.isVisible() else ""


def test_that_the_card_says_what_is_in_use_and_all_that_is_on_offer_says_what_it_costs(panel: SetupPanel) -> None:
    assert words(panel, "dataset_card") == "Digits · 8×8 grey\n1,797 images · 10 classes"
    dataset, model = find(panel, QComboBox, "dataset"), find(panel, QComboBox, "model")
    assert [dataset.itemData(place) for place in range(dataset.count())] == [spec.kind for spec in DATASETS]
    assert [model.itemText(place) for place in range(model.count())] == [spec.title for spec in MODELS]
    assert "MB to download" in dataset.itemText(dataset.findData("mnist"))
    assert all(dataset.itemData(place, Qt.ItemDataRole.ToolTipRole) for place in range(dataset.count()))
    content = panel.area.widget()
    assert content.minimumSizeHint().width() <= panel.area.viewport().width()
    fields = [
        field for field in panel.findChildren(QWidget) if isinstance(field, ChoiceField | NumberField | TextField)
    ]
    seen = [field.objectName() for field in fields if field.isVisible()]
    assert seen == ["dataset", "model", "average_size", "name"]
    assert panel.content.sizeHint().height() <= panel.area.viewport().height()


def test_that_a_model_is_told_classes_by_a_box_right_below_it_which_brings_what_belongs_to_it(
    qtbot: QtBot, panel: SetupPanel, controls: Controls
) -> None:
    box = next(box for box in panel.findChildren(QCheckBox, "conditional") if box.isVisible())
    panel.more.header.click()
    assert not find(panel, NumberField, "labels_dropped").isVisible()
    assert panel.model.changes == 0
    qtbot.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(8, box.height() // 2))
    assert controls.setup.config.model.variant == "conditional"
    assert find(panel, NumberField, "labels_dropped").isVisible()
    assert panel.model.changes == 0, "it is not folded away"
    choose(qtbot, find(panel, QComboBox, "model"), "ebm")
    assert not any(box.isVisible() for box in panel.findChildren(QCheckBox, "conditional")), "which cannot be told"
    choose(qtbot, find(panel, QComboBox, "model"), "wgan_gp")
    assert box.isVisible()
    assert box.isChecked()
    controls.setup.reject(UserError("It cannot be", field="model.conditional"))
    assert any(label.isVisible() and "It cannot be" in label.text() for label in panel.findChildren(QLabel))


def test_that_points_bring_the_models_settings_for_points_unless_it_was_set_otherwise(
    qtbot: QtBot, panel: SetupPanel, controls: Controls
) -> None:
    """A WGAN-GP as it is set for images has a third of its samples at the edge of the plane after 1,000 steps."""
    controls.setup.edit(model=config_or_preset("digits-wgan_gp").model)
    dataset, model = find(panel, QComboBox, "dataset"), find(panel, QComboBox, "model")
    of_points = config_or_preset("planar-wgan_gp").model
    choose(qtbot, dataset, "planar_ring")
    assert controls.setup.config.model == of_points
    choose(qtbot, model, "vae")
    assert controls.setup.config.model == config_or_preset("planar-vae").model
    qtbot.waitUntil(lambda: not controls.setup.reading_data)
    choose(qtbot, dataset, "digits")
    assert controls.setup.config.model == VaeConfig()
    choose(qtbot, model, "wgan_gp")
    assert controls.setup.config.model != of_points, "what was looked at for points is no draft for images"
    own = of_points.model_copy(update={"latent_size": 3})
    controls.setup.edit(model=own)
    qtbot.waitUntil(lambda: not controls.setup.reading_data)
    choose(qtbot, dataset, "planar_moons")
    assert controls.setup.config.model == own
    qtbot.waitUntil(lambda: not controls.setup.reading_data)


def test_that_a_choice_of_model_brings_its_form_and_keeps_what_was_set(
    qtbot: QtBot, panel: SetupPanel, controls: Controls
) -> None:
    model = find(panel, QComboBox, "model")
    choose(qtbot, model, "vae")
    assert controls.setup.config.model.kind == "vae"
    beta = find(panel, NumberField, "beta")
    enter(qtbot, beta.lineEdit(), "2.5")
    assert controls.setup.config.model.model_dump()["beta"] == 2.5
    choose(qtbot, model, "wgan_gp")
    assert not beta.isVisible()
    choose(qtbot, model, "vae")
    assert controls.setup.config.model.model_dump()["beta"] == 2.5


def test_that_nothing_is_downloaded_before_the_person_says_so_and_a_choice_survives_other_edits(
    qtbot: QtBot, panel: SetupPanel, controls: Controls, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(qtbot, find(panel, QComboBox, "dataset"), "mnist")
    controls.target.set_offset(2, 1.0)
    assert find(panel, QComboBox, "dataset").currentData() == "mnist"
    assert find(panel, QPushButton, "download").isVisible()
    asked: list[object] = []
    monkeypatch.setattr(controls.setup, "set_dataset", asked.append)
    assert not asked
    assert "Digits stays in use" in words(panel, "dataset_offer")
    button = find(panel, QPushButton, "download")
    assert button.text() == "Download 11.6 MB"
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert [getattr(config, "kind", "") for config in asked] == ["mnist"]
    controls.tasks.changed.emit(TaskView(text="Downloading", fraction=0.25))
    assert words(panel, "dataset_progress") == "Downloading"
    assert not button.isVisible()
    qtbot.mouseClick(find(panel, QPushButton, "cancel_loading"), Qt.MouseButton.LeftButton)
    assert words(panel, "dataset_progress") == ""
    assert button.isVisible()


@pytest.mark.parametrize("by_hand", [False, True])
def test_that_another_data_set_takes_the_place_of_an_entry_under_way(
    qtbot: QtBot, panel: SetupPanel, controls: Controls, by_hand: bool
) -> None:
    first, loaded = controls.setup.config, list[str]()
    dataset = find(panel, QComboBox, "dataset")
    choose(qtbot, dataset, "planar_ring")
    qtbot.waitUntil(lambda: not controls.setup.reading_data)
    controls.setup.dataset_changed.connect(lambda view: loaded.append(view.name))
    enter(qtbot, find(panel, NumberField, "count").lineEdit(), "500")
    if by_hand:
        choose(qtbot, dataset, "digits")
    else:
        controls.setup.set_config(first, "Open")
    qtbot.wait(60)  # longer than a form waits for the next keystroke
    qtbot.waitUntil(lambda: not controls.setup.reading_data)
    assert controls.setup.config.dataset == first.dataset
    assert dataset.currentData() == "digits"
    assert loaded[-1] == "Digits"
    assert loaded.count("Digits") == 1


def test_that_an_entry_that_comes_too_late_for_a_run_does_not_stay(
    qtbot: QtBot, panel: SetupPanel, controls: Controls, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(qtbot, find(panel, QComboBox, "dataset"), "planar_ring")
    qtbot.waitUntil(lambda: not controls.setup.reading_data)
    count = find(panel, NumberField, "count")
    before = count.text()
    enter(qtbot, count.lineEdit(), "500")
    asked: list[object] = []
    monkeypatch.setattr(controls.setup, "set_dataset", asked.append)
    controls.runs.run_changed.emit(RunView(phase=RunPhase.PREPARING))
    qtbot.wait(60)
    assert not asked
    assert count.text() == before


def test_that_a_run_locks_the_set_up_and_says_why_and_a_failure_is_told_beside_the_choice(
    panel: SetupPanel, controls: Controls
) -> None:
    controls.setup.dataset_failed.emit(UserError("It cannot be downloaded", "No network", "Try again later"))
    assert words(panel, "dataset_message") == "It cannot be downloaded. No network. Try again later."
    controls.runs.run_changed.emit(RunView(phase=RunPhase.RUNNING))
    assert not find(panel, QComboBox, "model").isEnabled()
    assert not find(panel, QComboBox, "dataset").isEnabled()
    assert words(panel, "setup_state") == "Stop the run to change the set-up."
    controls.runs.run_changed.emit(RunView(phase=RunPhase.FINISHED))
    assert find(panel, QComboBox, "model").isEnabled()


def test_that_batch_seed_and_planner_reach_the_configuration(
    qtbot: QtBot, panel: SetupPanel, controls: Controls
) -> None:
    panel.more.set_open(True)
    enter(qtbot, find(panel, NumberField, "average_size").lineEdit(), "32")
    enter(qtbot, find(panel, NumberField, "seed").lineEdit(), "7")
    choose(qtbot, find(panel, QComboBox, "planner"), PlannerKind.FIXED_SIZE)
    config = controls.setup.config
    assert (config.batch.average_size, config.batch.planner, config.seed) == (32, PlannerKind.FIXED_SIZE, 7)
    enter(qtbot, find(panel, NumberField, "average_size").lineEdit(), "0")
    assert controls.setup.config.batch.average_size == 32
    assert "from 1" in words(panel, "average_size_message")
    assert panel.more.header.text() == "More (3 changed)"  # the evaluation's budget, too


def test_that_devices_are_offered_once_the_engine_knows_them(
    qtbot: QtBot, panel: SetupPanel, controls: Controls
) -> None:
    panel.more.set_open(True)
    device = find(panel, QComboBox, "device")
    assert device.count() == 1
    controls.setup.engine_ready.emit((("auto", "Automatic"), ("cpu", "CPU")))
    choose(qtbot, device, "cpu")
    assert controls.setup.config.device == "cpu"


def test_that_a_refusal_is_shown_at_the_field_it_names(panel: SetupPanel, controls: Controls) -> None:
    controls.setup.edit_rejected.emit(UserError("Too small", field="batch.average_size"))
    assert words(panel, "average_size_message") == "Too small."
    assert not panel.more.is_open
    for name, field in (("width", "model.width"), ("log_every", "cadence.log_every"), ("planner", "batch.planner")):
        panel.more.set_open(False)
        controls.setup.edit_rejected.emit(UserError("Too wide", field=field))
        assert words(panel, f"{name}_message") == "Too wide."
        assert panel.more.is_open


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes of three images, a text file that claims to be one, and a loose file."""
    for place, name in enumerate(("cats", "dogs")):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for number in range(3):
            pixels = np.full((12, 10, 3), 40 * (place + number), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "pets" / name / f"{number}.png")
    (tmp_path / "pets" / "dogs" / "no.png").write_text("not an image")
    (tmp_path / "pets" / "readme.txt").write_text("pets")
    return tmp_path / "pets"


def open_preview(qtbot: QtBot, panel: SetupPanel, path: Path) -> FolderPreviewDialog:
    choose(qtbot, find(panel, QComboBox, "dataset"), "folder")
    enter(qtbot, find(find(panel, QWidget, "image_folder"), QLineEdit, "path"), str(path))
    dialog = find(panel, FolderPreviewDialog, "folder_preview")
    qtbot.waitUntil(lambda: not dialog.progress.isVisible())
    return dialog


def test_that_a_folder_is_shown_before_it_is_loaded(
    qtbot: QtBot, panel: SetupPanel, controls: Controls, folder: Path
) -> None:
    dialog = open_preview(qtbot, panel, folder)
    model = find(dialog, QTableWidget, "folder_classes").model()
    assert [(model.index(row, 0).data(), model.index(row, 1).data()) for row in range(2)] == [
        ("cats", "3"), ("dogs", "4"),
    ]  # fmt: skip
    assert not model.index(0, 2).data(Qt.ItemDataRole.DecorationRole).isNull()
    skipped = find(dialog, QListWidget, "folder_skipped")
    assert skipped.item(0).text().startswith("dogs/no.png: ")
    assert "1 cannot be read" in dialog.skipped_title.text()
    assert skipped.height() < 3 * skipped.fontMetrics().height(), "one line leaves the classes their room"
    assert controls.setup.config.dataset.kind == "digits"
    enter(qtbot, find(dialog, NumberField, "size").lineEdit(), "16")
    qtbot.waitUntil(dialog.load.isEnabled)
    with qtbot.waitSignal(controls.setup.dataset_changed):
        qtbot.mouseClick(dialog.load, Qt.MouseButton.LeftButton)
    assert controls.setup.config.dataset == FolderConfig(path=str(folder), size=16)
    assert words(panel, "dataset_card") == "pets · 16×16 grey\n6 images · 2 classes"


def test_that_a_folder_is_found_however_it_was_typed(
    qtbot: QtBot, panel: SetupPanel, controls: Controls, folder: Path
) -> None:
    dialog = open_preview(qtbot, panel, Path(f" '{folder.as_uri()}' "))
    qtbot.waitUntil(dialog.load.isEnabled)
    with qtbot.waitSignal(controls.setup.dataset_changed):
        qtbot.mouseClick(dialog.load, Qt.MouseButton.LeftButton)
    assert isinstance(controls.setup.config.dataset, FolderConfig)
    assert controls.setup.config.dataset.path == str(folder)
    assert find(find(panel, QWidget, "image_folder"), QLineEdit, "path").text() == str(folder)


def test_that_a_folder_is_looked_for_at_home(qtbot: QtBot, panel: SetupPanel, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def ask(_: QWidget, title: str, start: str) -> str:
        asked.append(start)
        return ""

    monkeypatch.setattr(QFileDialog, "getExistingDirectory", ask)
    choose(qtbot, find(panel, QComboBox, "dataset"), "folder")
    qtbot.keyClick(find(panel, QWidget, "image_folder").browse, Key.Key_Space)
    assert asked == [str(Path.home())]


def test_that_a_preview_that_is_cancelled_changes_nothing(
    qtbot: QtBot, panel: SetupPanel, controls: Controls, folder: Path
) -> None:
    dialog = open_preview(qtbot, panel, folder)
    qtbot.keyClick(dialog, Key.Key_Escape)
    assert controls.setup.config.dataset.kind == "digits"
    assert find(panel, QComboBox, "dataset").currentData() == "digits"
    assert controls.setup.lacking == "", "digits can be trained on"


def test_that_enter_loads_a_preview_but_first_takes_what_is_entered(
    qtbot: QtBot, panel: SetupPanel, controls: Controls, folder: Path
) -> None:
    dialog = open_preview(qtbot, panel, folder)
    size = find(dialog, NumberField, "size").lineEdit()
    enter(qtbot, size, "16")
    assert dialog.isVisible()
    qtbot.waitUntil(dialog.load.isEnabled)
    with qtbot.waitSignal(controls.setup.dataset_changed):
        qtbot.keyClick(size, Key.Key_Return)
    assert controls.setup.config.dataset == FolderConfig(path=str(folder), size=16)


@pytest.mark.parametrize(("make", "told"), [(False, "The folder does not exist"), (True, "The folder holds no images")])
def test_that_a_folder_without_images_is_refused_with_a_reason(
    qtbot: QtBot, panel: SetupPanel, tmp_path: Path, make: bool, told: str
) -> None:
    path = tmp_path / "nothing"
    if make:
        path.mkdir()
    dialog = open_preview(qtbot, panel, path)
    assert dialog.message.text().startswith(told)
    assert not dialog.load.isEnabled()
    qtbot.keyClick(dialog, Key.Key_Escape)


def test_that_a_folder_of_images_alone_is_loaded_without_classes(
    qtbot: QtBot, panel: SetupPanel, controls: Controls, folder: Path
) -> None:
    dialog = open_preview(qtbot, panel, folder / "cats")
    model = find(dialog, QTableWidget, "folder_classes").model()
    assert [model.index(0, column).data() for column in range(2)] == ["all images", "3"]
    assert model.rowCount() == 1
    assert "3 files, no classes" in dialog.total.text()
    with qtbot.waitSignal(controls.setup.dataset_changed):
        qtbot.mouseClick(dialog.load, Qt.MouseButton.LeftButton)
    assert words(panel, "dataset_card") == "cats · 32×32 grey\n3 images · no classes"


def test_that_a_folder_of_parts_offers_one_of_them_instead(
    qtbot: QtBot, panel: SetupPanel, controls: Controls, tmp_path: Path
) -> None:
    for place in ("train/cat", "train/dog", "val/cat", "val/dog"):
        write_image(tmp_path / "pets" / place / "1.png")
    dialog = open_preview(qtbot, panel, tmp_path / "pets")
    assert "“train” and “val” look like parts of a data set" in dialog.notes.text()
    offers = dialog.levels.findChildren(QPushButton)
    assert [button.text() for button in offers] == ["Use “train”", "Use “val”"]
    qtbot.mouseClick(offers[0], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(dialog.load.isEnabled)
    assert dialog.place.text() == str(tmp_path / "pets" / "train")
    assert not dialog.levels.isVisible()
    with qtbot.waitSignal(controls.setup.dataset_changed):
        qtbot.mouseClick(dialog.load, Qt.MouseButton.LeftButton)
    assert controls.setup.dataset.class_names == ("cat", "dog")


def test_that_the_data_folder_can_be_set(qtbot: QtBot, panel: SetupPanel, controls: Controls, tmp_path: Path) -> None:
    panel.more.set_open(True)
    line = find(find(panel, QWidget, "data_root"), QLineEdit, "path")
    file = tmp_path / "file"
    file.write_text("")
    enter(qtbot, line, str(file))
    assert "must be a folder" in words(panel, "dataset_message")
    enter(qtbot, line, str(tmp_path / "data"))
    assert controls.setup.data_root == tmp_path / "data"
    assert words(panel, "dataset_message") == ""


@pytest.mark.parametrize("kind", ["wgan_gp", "ebm"])
def test_that_tab_goes_from_top_to_bottom(qtbot: QtBot, panel: SetupPanel, kind: str) -> None:
    choose(qtbot, find(panel, QComboBox, "model"), kind)
    for fold in panel.findChildren(Foldable):
        fold.set_open(True)  # those of other models, too, which stay unseen
    content = panel.area.widget()
    assert content is not None
    content.adjustSize()
    places = []
    widget: QWidget = panel.data.choice
    while True:
        top = widget.mapTo(content, widget.rect().center())
        places.append((top.y(), widget.objectName()))
        qtbot.keyClick(widget, Key.Key_Tab)
        following = QApplication.focusWidget()
        if following is None or not content.isAncestorOf(following) or following is panel.data.choice:
            break
        widget = following
    assert len(places) > 10
    assert [place[1] for place in places] == [place[1] for place in sorted(places, key=lambda place: place[0])]

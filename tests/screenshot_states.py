"""What `tests.screenshots` shows beyond a run on digits: the plane, evaluations, terms, old runs, and other windows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from studio.gui.live.plane.lessons import LESSONS

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from studio.gui.evaluation.panel import SharesPanel
    from studio.gui.live.plane.panel import PlanePanel
    from studio.gui.live.planners import PlannersPanel
    from studio.gui.widgets.theme import ThemeManager
    from studio.gui.window.main_window import MainWindow
    from studio.training.config.run_config import RunConfig

Open = Callable[["RunConfig", str], "MainWindow"]
Shown = Iterator[tuple[str, "QWidget"]]
"""Names and what is to be grabbed, one after the other."""

_STEPS = 300
_TERMS = {
    "terms": [
        {"kind": "linear", "feature": "slant", "slope": -0.05},
        {"kind": "formula", "text": "where(ink > 30, 0.5, 0)"},
    ]
}


def take_states(open_window: Open, wait: Callable[[str, Callable[[], bool]], None], home: Path, folder: Path) -> None:
    """Pictures of all states, light and dark.

    Args:
        open_window: (configuration, name) → a window with it.
        wait: (what for, whether it is there) → when it is.
        home: for what is made on the way.
        folder: of the pictures.
    """
    from tests.screenshots import config_of

    for name, config, show in (
        ("lesson", config_of(str(LESSONS[0].path)), _lesson),
        ("plane", config_of("planar-wgan_gp"), _plane),
        ("tilted", config_of("digits-vae"), _tilted),
        ("library", config_of("digits-vae"), _library),
    ):
        window = open_window(config, name)
        try:
            _ready(window, wait)
            for part, widget in show(window, wait):
                _grab(widget, window.theme, folder, f"{name}-{{look}}-{part}.png")
        finally:
            _end(window, wait)
            window.close()
    for part, dialog in _dialogs(window.theme, wait, home):
        dialog.show()
        _grab(dialog, window.theme, folder, f"dialog-{{look}}-{part}.png")
        dialog.close()


def _grab(widget: QWidget, theme: ThemeManager, folder: Path, name: str) -> None:
    from studio.gui.widgets.theme import ThemeMode
    from tests.screenshots import settle

    for look in (ThemeMode.LIGHT, ThemeMode.DARK):
        theme.set_mode(look)
        settle()
        widget.grab().save(str(folder / name.format(look=look)))


def _ready(window: MainWindow, wait: Callable[..., None]) -> None:
    bench = window.controls
    wait("the data and torch", lambda: bench.setup.dataset is not None and bench.tasks.view is None)


def _train(window: MainWindow, wait: Callable[..., None]) -> None:
    window.controls.starter.start()
    wait("the first steps", lambda: window.controls.runs.run.step >= _STEPS)


def _end(window: MainWindow, wait: Callable[..., None]) -> None:
    window.controls.runs.stop()
    wait("the end of the run", lambda: not window.controls.runs.busy)


def _front(window: MainWindow, name: str) -> QWidget:
    window.docks[name].raise_()
    return window.docks[name]


def _lesson(window: MainWindow, wait: Callable[..., None]) -> Shown:
    """The first one, before it begins and under way."""
    window.controls.lessons.open(LESSONS[0], lambda: True)
    yield "before", window
    _train(window, wait)
    yield "during", window


def _plane(window: MainWindow, wait: Callable[..., None]) -> Shown:
    """A run, with every heat map."""
    plane = cast("PlanePanel", window.docks["plane"].widget())
    _train(window, wait)
    yield "window", window
    for place in range(plane.heat.box.count()):
        plane.heat.box.setCurrentIndex(place)
        yield f"heat-{plane.heat.box.currentData() or 'none'}", _front(window, "plane")


def _tilted(window: MainWindow, wait: Callable[..., None]) -> Shown:
    """A run with terms of the energy, evaluated, its planners compared."""
    from studio.training.config.energy import EnergyConfig

    bench = window.controls
    bench.target.set_energy(EnergyConfig.model_validate(_TERMS), "Terms")
    wait("the features", lambda: bench.target.tilt is not None and bench.target.tilt.energies is not None)
    _train(window, wait)
    bench.evaluations.evaluate()
    wait("the evaluation", lambda: bench.evaluations.view.latest is not None)
    planners = cast("PlannersPanel", window.docks["planners"].widget())
    _front(window, "planners")
    planners.compare.click()
    wait("the comparison", lambda: planners.use.isEnabled() or planners.compare.isVisible())
    shares = cast("SharesPanel", window.docks["shares"].widget())
    for name in ("energy", "theory", "planners", "offsets"):
        yield name, _front(window, name)
    shares.bars.choose(2)
    for button in shares._which.buttons():
        _front(window, "shares")
        button.click()
        yield button.objectName(), window.docks["shares"]


def _library(window: MainWindow, wait: Callable[..., None]) -> Shown:
    """Runs of other days in the table, one of them open at the time bar, jobs in the queue, two runs compared."""
    from PySide6.QtWidgets import QPushButton

    from studio.gui.library.compare_window import CompareWindow

    bench = window.controls
    folders = sorted(path.parent for path in bench.setup.runs_root.glob("*/config.json"))
    bench.library.refresh()
    wait("the runs", lambda: not bench.library.busy)
    bench.time.open(folders[0])
    wait("the old run", lambda: bool(bench.time.view.title) and not bench.time.view.live)
    _front(window, "samples")
    _front(window, "runs")
    yield "window", window
    yield "runs", window.docks["runs"]
    _front(window, "queue")
    add = window.findChild(QPushButton, "queue_add")
    assert isinstance(add, QPushButton)
    for name in ("a first job", "and a second one"):
        bench.setup.edit(name=name)
        add.click()
    yield "queue", window.docks["queue"]
    compared = CompareWindow(folders[:2], window.theme)
    compared.show()
    wait("both runs", lambda: len(compared.runs) == 2)
    for place in range(compared.tabs.count()):
        compared.tabs.setCurrentIndex(place)
        yield f"compare-{place}", compared
    compared.close()


def _dialogs(theme: ThemeManager, wait: Callable[..., None], home: Path) -> Iterator[tuple[str, Any]]:
    from studio.data.folder import FolderConfig
    from studio.data.planar.config import DrawnConfig
    from studio.gui.forms.drawing_field import DrawingDialog
    from studio.gui.setup.folder_preview import FolderPreviewDialog
    from tests.data.image_folders import write_image_folder

    yield "drawing", DrawingDialog(DrawnConfig().drawing)
    preview = FolderPreviewDialog(FolderConfig(path=str(write_image_folder(home / "images"))), theme)
    wait("the folder", preview.load.isEnabled)
    yield "folder", preview

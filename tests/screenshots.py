"""``python3 -m tests.screenshots [FOLDER]``: pictures of the window and of every panel, to be looked at.

Each look (light, dark) in four states: before a run, during a run on the built-in digits with the digit 2 tilted to
30 % and one edit on the way, with a folder that holds no images, and with images that have no classes, tilted by the
judge of the digits; and what `tests.screenshot_states` says beside: the plane, an evaluation, terms, old runs, a
comparison, dialogs; and the windows of a sweep. Needs no display; takes a minute or two and touches nothing of the
person's: settings and runs go to a temporary folder. The pictures go to FOLDER, by default ``build/screenshots``,
named STATE-LOOK-PANEL.png.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from studio import bootstrap
from tests.gui.hands import ask_share

if TYPE_CHECKING:
    from studio.gui.live.samples.panel import SamplesPanel
    from studio.gui.state.run_view import RunView
    from studio.gui.widgets.theme import ThemeManager
    from studio.gui.window.main_window import MainWindow
    from studio.training.config.run_config import RunConfig

WIDTH, HEIGHT = 1280, 800
PATIENCE_S = 300
PRESET = "digits-vae"
FIRST_STEPS, ALL_STEPS = 200, 400
TILTED, SHARE = 2, 0.3


def main() -> int:
    """Take the pictures; 0 when all are there."""
    bootstrap.start("tests.screenshots", sys.argv[1:])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("build/screenshots"), help="where they go")
    folder = parser.parse_args().folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    with tempfile.TemporaryDirectory(prefix="studio-screenshots-") as home:
        os.environ["XDG_STATE_HOME"] = os.environ["XDG_CACHE_HOME"] = home  # of the queue and the judge
        return _in(Path(home), folder)


def _in(home: Path, folder: Path) -> int:
    from PySide6.QtCore import QSettings
    from PySide6.QtWidgets import QApplication

    from studio.data.folder import FolderConfig
    from studio.gui.widgets.garbage import GarbageCollector
    from studio.gui.widgets.theme import ThemeManager, ThemeMode
    from studio.gui.window.controls import Controls
    from studio.gui.window.main_window import MainWindow
    from studio.training.config.run_config import EvaluationConfig, PerturbationConfig, RunConfig
    from tests import sweep_screenshots
    from tests.screenshot_states import take_states

    app = QApplication(sys.argv[:1])
    theme = ThemeManager(ThemeMode.LIGHT)
    theme.apply(app)
    GarbageCollector(app)

    def open_window(config: RunConfig, name: str) -> MainWindow:
        settings = QSettings(str(home / f"{name}.ini"), QSettings.Format.IniFormat)
        controls = Controls(config, data_root=home / "datasets", runs_root=home / "runs")
        window = MainWindow(controls, theme, settings)
        window.views.workbench_action.setChecked(True)  # where each panel has a place to be taken in
        window.showNormal()  # it would fill this platform's small screen
        window.resize(WIDTH, HEIGHT)
        window.views.make_panels()
        controls.begin()
        return window

    sweep_screenshots.take(theme, home / "sweep", folder, settle, _wait)
    window = open_window(config_of(PRESET).model_copy(update={"perturbation": PerturbationConfig()}), "digits")
    try:
        _take(_before(window), folder, "before")
        _take(_during(window), folder, "during")
        _take(_picked(window), folder, "picked", ("samples",))
        _take(_between(window), folder, "between", ("samples",))
    finally:
        window.close()
    ended = window.controls.runs.run
    window = open_window(config_of(PRESET), "resumed")
    try:
        _take(_resumed(window, ended), folder, "resumed", ("window", "samples", "examples", "diagnostics", "losses"))
    finally:
        window.close()
    _compare(home, folder, theme)
    empty = home / "holiday pictures"
    empty.mkdir()
    window = open_window(RunConfig(dataset=FolderConfig(path=str(empty))), "error")
    try:
        _take(_refused(window), folder, "error")
    finally:
        window.close()
    scans = FolderConfig(path=str(_write_scans(home / "scans")), size=8)
    window = open_window(RunConfig(dataset=scans, evaluation=EvaluationConfig(judge="digits")), "unlabelled")
    try:
        _take(_unlabelled(window), folder, "unlabelled")
    finally:
        window.close()
    take_states(open_window, _wait, home, folder)
    print(f"{len(list(folder.glob('*.png')))} pictures in {folder}")
    return 0


def config_of(preset: str) -> RunConfig:
    """A preset with one thread: more would wait for each other on a busy machine."""
    from studio.training.config.presets import config_or_preset

    return config_or_preset(preset).model_copy(update={"threads": 1})


def _before(window: MainWindow) -> MainWindow:
    """With the digits and torch loaded."""
    controls = window.controls
    ready: list[object] = []
    controls.setup.engine_ready.connect(ready.append)
    _wait(
        "the digits and torch",
        lambda: bool(ready) and controls.setup.dataset is not None and controls.tasks.view is None,
    )
    return window


def _during(window: MainWindow) -> MainWindow:
    """Under way, tilted, and edited once since."""
    controls = window.controls

    def wait(what: str, ready: Callable[[], bool]) -> None:
        _wait(what, lambda: ready() or not controls.runs.run.phase.active)
        assert controls.runs.run.phase.active, f"the run ended before {what}"

    ask_share(controls.target, TILTED, SHARE)
    controls.starter.start()
    wait("the first steps", lambda: controls.runs.run.step >= FIRST_STEPS)
    controls.target.set_offset(7, 0.7)
    wait("the edit", lambda: bool(controls.runs.history.marks))
    wait("more steps", lambda: controls.runs.run.step >= ALL_STEPS)
    return window


def _picked(window: MainWindow) -> MainWindow:
    """With four samples picked, and two of them pinned through a re-roll."""
    samples, latents = cast("SamplesPanel", window.docks["samples"].widget()), window.controls.latents
    view = samples.views["averaged"]
    for place in (3, 12):
        view.pick(place, more=True)
    latents.pin(samples.picks.points)
    latents.reroll()
    _wait("the re-roll", lambda: samples.picks.pinned == {3, 12})
    for place in (20, 29):
        view.pick(place, more=True)
    return window


def _between(window: MainWindow) -> MainWindow:
    """The square between the four."""
    samples = cast("SamplesPanel", window.docks["samples"].widget())
    samples.picks.between.click()
    _wait("the way between them", lambda: samples.way.step > 0)
    return window


def _resumed(window: MainWindow, ended: RunView) -> MainWindow:
    """The run of another window, gone on with, and looked at where its target was edited."""
    controls = window.controls
    assert ended.folder is not None
    _before(window)
    controls.starter.resume(ended.folder)
    _wait("the run to go on", lambda: controls.runs.run.step > ended.step + 50)
    shown: list[object] = []
    controls.time.frame_shown.connect(shown.append)
    controls.time.seek(controls.runs.history.marks[0].step + 30)
    _wait("the step", lambda: bool(shown))
    return window


def _compare(home: Path, folder: Path, theme: ThemeManager) -> None:
    """Two runs side by side whose samples are of different latents."""
    from studio.gui.library.compare_window import CompareWindow
    from studio.gui.widgets.theme import ThemeMode
    from tests.library.made_runs import make_config, make_run

    tilted = make_run(home, "tilted", make_config("tilted", offsets={"2": -1.36}))
    window = CompareWindow([tilted, make_run(home, "plain", make_config("plain"))], theme)
    window.show()
    _wait("the runs", lambda: len(window.runs) == 2)
    window.tabs.setCurrentIndex(1)
    _wait("their samples", lambda: bool(window.samples.note.text()))
    for look in (ThemeMode.LIGHT, ThemeMode.DARK):
        theme.set_mode(look)
        settle()
        window.grab().save(str(folder / f"compare-{look}-samples.png"))
    window.close()


def _refused(window: MainWindow) -> MainWindow:
    """With a folder of images that cannot be used."""
    refusals: list[object] = []
    window.controls.setup.dataset_failed.connect(refusals.append)
    _wait("the refusal", lambda: bool(refusals))
    return window


def _write_scans(folder: Path) -> Path:
    """Some of the digits, in no sub-folders."""
    from studio.data.digits import DigitsConfig, load_digits
    from studio.progress import Progress
    from tests.data.image_folders import write_loose_images

    return write_loose_images(folder, load_digits(DigitsConfig(), folder, Progress()).images[:600])


def _unlabelled(window: MainWindow) -> MainWindow:
    """With images without classes, and a target that favours what the judge of the digits takes for the tilted one."""
    from studio.training.config.energy import EnergyConfig, JudgeTermConfig

    controls = window.controls
    _wait("the scans and torch", lambda: controls.setup.dataset is not None and controls.tasks.view is None)
    term = JudgeTermConfig(of=str(TILTED), data="digits", slope=-0.05)
    controls.target.set_energy(EnergyConfig(terms=(term,)), "judge")
    _wait("the judge", lambda: bool(controls.setup.config.perturbation.terms) and controls.tasks.view is None)
    return window


def _take(window: MainWindow, folder: Path, state: str, names: Sequence[str] = ()) -> None:
    """Pictures of the window in both views and of each of its panels, or of those named, light and dark."""
    from studio.gui.widgets.theme import ThemeMode

    for look in (ThemeMode.LIGHT, ThemeMode.DARK):
        window.theme.set_mode(look)
        settle()
        if not names or "window" in names:
            for view in ("tilt", "window"):
                window.views.workbench_action.setChecked(view == "window")
                settle()
                window.grab().save(str(folder / f"{state}-{look}-{view}.png"))
        for name, dock in window.docks.items():
            if names and name not in names:
                continue
            if dock.visibleRegion().isEmpty():
                dock.raise_()
                settle()
            dock.grab().save(str(folder / f"{state}-{look}-{name}.png"))
        for name in ("samples", "batch"):
            window.docks[name].raise_()


def settle() -> None:
    """Let layouts and pending draws come to rest."""
    _turn(400)


def _wait(what: str, ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {PATIENCE_S} s for {what}")
        _turn(20)


def _turn(milliseconds: int) -> None:
    """Run the event loop. `QTest.qWait` will not do: it keeps Python's lock, and training would stand still."""
    from PySide6.QtCore import QEventLoop, QTimer

    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


if __name__ == "__main__":
    sys.exit(main())

"""Opening and saving run configurations, presets, and the list of recent files."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import groupby
from pathlib import Path

from PySide6.QtCore import QObject, QSettings, Signal
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from studio.errors import UserError
from studio.files import whole_file
from studio.gui.run.run_control import RunControl
from studio.gui.run.run_starter import RunStarter
from studio.gui.run.stop_question import when_free
from studio.gui.state.log import Log
from studio.gui.state.setup import Setup
from studio.gui.widgets.messages import error_box
from studio.gui.widgets.tooltip import tooltip
from studio.training.config.file import read_config
from studio.training.config.presets import config_or_preset, presets
from studio.training.config.run_config import RunConfig

_FILTER = "Run configuration (*.json);;All files (*)"
_MOST_RECENT = 8


class ConfigFiles(QObject):
    """The file menu's part that deals with configurations."""

    path_changed = Signal(object)  # Path | None: the file being edited

    def __init__(
        self, setup: Setup, runs: RunControl, starter: RunStarter, log: Log, settings: QSettings, window: QWidget
    ) -> None:
        super().__init__(window)
        self._setup, self._runs, self._starter, self._log, self._settings = setup, runs, starter, log, settings
        self._window = window
        self.path: Path | None = None

    def fill(self, menu: QMenu) -> None:
        for title, keys, slot in (
            ("&Open configuration…", QKeySequence.StandardKey.Open, self.ask_open),
            ("&Save configuration", QKeySequence.StandardKey.Save, self.save),
            ("Save configuration &as…", QKeySequence.StandardKey.SaveAs, self.ask_save),
        ):
            action = menu.addAction(title, slot)
            if keys is not QKeySequence.StandardKey.SaveAs:
                action.setShortcut(keys)
        menu.addSeparator()
        self._presets = menu.addMenu("&Presets")
        self._recent = menu.addMenu("Open &recent")
        menu.aboutToShow.connect(self._fill_recent)  # not the submenu's: one without entries is off and never shown
        menu.aboutToShow.connect(self._fill_presets)
        self._fill_recent()

    def ask_open(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self._window, "Open configuration", self._folder(), _FILTER)
        if name:
            self.when_free(partial(self.open, Path(name)))

    def open(self, path: Path, *, preset: bool = False) -> bool:
        """Take over the configuration in a file, and whether that went well; on a fault the one being edited stays.

        Args:
            preset: it is the studio's own, so that saving asks for another name.
        """
        if preset:
            return self._take(partial(read_config, path), path.stem)
        taken = self._take(partial(read_config, path), str(path), path=path)
        if not taken and not path.exists():
            self._forget(path)
        return taken

    def _take(self, read: Callable[[], RunConfig], name: str, *, path: Path | None = None) -> bool:
        try:
            config = read()
        except UserError as error:
            self._tell(error)
            return False
        self._set_path(path)
        self._setup.set_config(config, f"Open {path.name}" if path is not None else f"Preset {name}")
        self._log.add(f"Opened {name}")
        return True

    def open_preset(self, name: str) -> None:
        self._take(partial(config_or_preset, name), name)

    def when_free(self, act: Callable[[], object]) -> None:
        """Open something, once the run under way has been stopped if the person wants that."""
        when_free(self._runs, self._starter, "open it", act, self._window)

    def begin_with(self, path: Path) -> None:
        """The window was opened on this file."""
        self._set_path(path.resolve())

    def save(self) -> None:
        """Write the configuration to its file, or ask for one."""
        if self.path is None:
            self.ask_save()
        else:
            self._write(self.path)

    def ask_save(self) -> None:
        start = str(self.path or Path(self._folder()) / "configuration.json")
        name, _ = QFileDialog.getSaveFileName(self._window, "Save configuration", start, _FILTER)
        if name:
            path = Path(name)
            self._write(path if path.suffix else path.with_suffix(".json"))

    def _write(self, path: Path) -> None:
        try:
            with whole_file(path) as file:
                file.write(self._setup.config.to_json().encode())
        except UserError as error:
            self._tell(error)
            return
        self._set_path(path)
        self._log.add(f"Saved {path}")

    def _set_path(self, path: Path | None) -> None:
        self.path = path
        if path is not None:
            names = [str(path), *(name for name in self._recent_names() if name != str(path))]
            self._settings.setValue("recent", names[:_MOST_RECENT])
        self.path_changed.emit(path)

    def _forget(self, path: Path) -> None:
        self._settings.setValue("recent", [name for name in self._recent_names() if name != str(path)])

    def _recent_names(self) -> list[str]:
        value = self._settings.value("recent")  # a list of one comes back as text, an empty one as None
        return [str(name) for name in value] if isinstance(value, list) else [str(value)] if value else []

    def _fill_presets(self) -> None:
        """A menu for each sort of data, once: their names are in their files."""
        if not self._presets.isEmpty():
            return
        for group, found in groupby(presets(), lambda preset: preset.group):
            menu = self._presets.addMenu(group)
            menu.setToolTipsVisible(True)
            for preset in found:
                name = preset.read().name
                take = partial(self._take, preset.read, name)
                action = menu.addAction(name, partial(self.when_free, take))
                action.setObjectName(f"preset_{preset.name}")
                action.setToolTip(tooltip(f"“{preset.name}” on the command line."))

    def _fill_recent(self) -> None:
        self._recent.clear()
        names = self._recent_names()
        for name in names:
            self._recent.addAction(name.replace("&", "&&"), partial(self.when_free, partial(self.open, Path(name))))
        self._recent.setEnabled(bool(names))

    def _folder(self) -> str:
        names = self._recent_names()
        return str(Path(names[0]).parent) if names else str(Path.home())

    def _tell(self, error: UserError) -> None:
        error_box(error, self._window).exec()

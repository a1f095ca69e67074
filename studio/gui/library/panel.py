"""All runs of the workspace: searched, sorted, named, tagged, and looked at by Enter or a double click."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QPoint, Qt, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices, QShowEvent
from PySide6.QtWidgets import QDockWidget, QFileDialog, QLineEdit, QWidget

from studio.errors import UserError
from studio.gui.library.actions import RunAction, menu_of
from studio.gui.library.columns import Column
from studio.gui.library.compare_window import CompareWindow
from studio.gui.library.exports import RunExports
from studio.gui.library.library_control import LibraryControl
from studio.gui.library.notes import RunNotesEdit
from studio.gui.library.table import RunsView
from studio.gui.library.table_model import RunsModel
from studio.gui.queue.sweep_actions import SweepActions
from studio.gui.run.run_starter import RunStarter
from studio.gui.timeline.time_cursor import TimeCursor
from studio.gui.widgets.buttons import tool_button
from studio.gui.widgets.flow_layout import flow_bar
from studio.gui.widgets.labels import plain_label
from studio.gui.widgets.layouts import fill
from studio.gui.widgets.live_panel import LivePanel
from studio.gui.widgets.messages import agrees
from studio.gui.widgets.stylesheet import set_style_property
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import named
from studio.library.compare import MOST_RUNS
from studio.library.run_summary import RunSummary


class RunsPanel(LivePanel):
    """The library."""

    resume_asked = Signal(object)  # Path of the run to go on with
    like_asked = Signal(object)  # Path of the run to set up another like

    NAME, TITLE = "runs", "Runs"

    def __init__(
        self,
        library: LibraryControl,
        sweeps: SweepActions,
        time: TimeCursor,
        starter: RunStarter,
        theme: ThemeManager,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, parent)
        self.library, self._sweeps, self._time, self._starter = library, sweeps, time, starter
        self.model = RunsModel(self.library, theme, self)
        self.view = RunsView(self.model)
        self.notes = RunNotesEdit()
        self._selected: list[str] = []
        self._message = plain_label(name="runs_message", wraps=True)
        self._message.hide()
        self.exports = RunExports(library.tasks, self)
        fill(self.body, self._controls(), (self.view, 1), self.notes, self._message)
        self.exports.said.connect(lambda text: self._say(text, "small"))
        self.exports.failed.connect(self._tell)
        self.exports.imported.connect(self.library.refresh)
        self.actions_of_runs = self._actions()
        if isinstance(parent, QDockWidget):
            parent.visibilityChanged.connect(self._on_visible)
        self.view.chosen.connect(self._on_chosen)
        self.view.look_asked.connect(self._look_at_selected)
        self.view.editing_over.connect(self._on_library)
        self.view.trash_asked.connect(lambda: self.trash(self.view.folders()))
        self.view.compare_asked.connect(self._compare_selected)
        self.view.menu_asked.connect(self._open_menu)
        self.model.edited.connect(self._on_edited)
        self.notes.edited.connect(self.library.set_notes)
        self.library.changed.connect(self._on_library)
        for changed in (self.library.stepped, self.library.overlays.changed):
            changed.connect(self.model.show_progress)
        starter.changed.connect(self._show_resumable)
        self.library.failed.connect(self._tell)
        self._on_library()

    def _controls(self) -> QWidget:
        tip = "Shows the runs that have all these words in their name, data set, model, tilt, status, tags or notes."
        self.search = named(QLineEdit(), "runs_search", "Search the runs", tip)
        self.search.setPlaceholderText("Search")
        self.search.setClearButtonEnabled(True)
        self.search.setMinimumWidth(180)
        self.search.textChanged.connect(self._on_search)
        tip = "Read the folders of the workspace again."
        refresh = tool_button("runs_refresh", "Refresh", tip, self.library.refresh)
        tip = "Choose the folder that keeps the runs, each in its own folder."
        folder = tool_button("runs_workspace", "Workspace…", tip, self.ask_workspace)
        tip, act = "Import a run that was exported as a zip file, here or elsewhere.", self.exports.ask_import
        take_in = tool_button("runs_import", "Import…", tip, lambda: act(self.library.root))
        tip = "Resume the selected run in its own folder."
        self._resume = tool_button("runs_resume_chosen", "Resume", tip, lambda: self.resume(self._selected[0]))
        tip = "What else can be done to the selected runs: compare, rename, export, …; also by a right click."
        self._more = tool_button("runs_more", "More…", tip, self._open_more)
        self._resume.setEnabled(False)
        self._more.setEnabled(False)
        tip = "Runs that are shown, of all runs."
        self._count = plain_label(name="runs_count", role="muted", title="Number of runs", tip=tip)
        tools = (self.search, self._resume, self._more, refresh, folder, take_in, self._count)
        return flow_bar(*tools, spacing=self.theme.tokens.spacing // 2)

    def _actions(self) -> tuple[RunAction, ...]:
        """What can be done to runs, each given by its folder's name: for the menu, in its order."""

        def one(act: Callable[[str], None]) -> Callable[[list[str]], None]:
            return lambda runs: act(runs[0])

        show = "Show its curves, samples and shares in the panels, with the time cursor."
        resume = "Resume it from its last checkpoint, in its own folder."
        rename = "Change its name; the folder keeps its own."
        compare = "Show two to eight runs side by side: curves, samples, final numbers and what differs in them."
        sweep = "Show the results of all runs of its sweep, if it belongs to one."
        like = "Load its configuration into the set-up, to change and start it."
        folder = "Open the folder in the file manager."
        trash = "Move its folder to the system's trash, from where it can be restored."
        resumable, swept = (lambda runs: self.resumable(runs[0])), (lambda runs: bool(self._sweep_of(runs[0])))
        return (
            RunAction("show", "&Look at it", show, one(self.open), keys="Return"),
            RunAction("resume", "R&esume", resume, one(self.resume), able=resumable),
            RunAction("rename", "&Rename", rename, lambda _: self.view.rename(), keys="F2"),
            RunAction("compare", "&Compare…", compare, self.compare, keys="Ctrl+Shift+C", least=2, most=MOST_RUNS),
            RunAction("sweep", "Results of its s&weep…", sweep, one(self.show_sweep), able=swept),
            RunAction("duplicate", "Set up a run &like it", like, one(self.duplicate)),
            RunAction("open", "&Open its folder", folder, one(self.open_folder)),
            RunAction("trash", "Move to the &trash", trash, self.trash, keys="Del", most=10_000, divided=True),
        )

    # -- what is shown

    def showEvent(self, event: QShowEvent) -> None:
        """The first look at the folders is for the first time that the panel is seen."""
        super().showEvent(event)
        self.library.begin()

    @Slot(bool)
    def _on_visible(self, visible: bool) -> None:
        """Coming into sight behind another tab: runs may have come from elsewhere."""
        if visible:
            self.library.refresh()

    @Slot()
    def _on_library(self) -> None:
        if self.view.editing:
            return  # it would take what is being typed away; the view tells when that is over
        self.model.show_runs()
        self.view.select(self._selected)
        self._show_count()
        self._show_resumable()
        chosen = self._entries(self._selected)
        self.notes.show_run(chosen[0] if len(chosen) == 1 else None)
        if self.library.entries:
            self.show_body()
        else:
            self.show_empty(
                "All trained runs are listed here with their samples, and can be looked at again step by step.\n"
                f"Each that you start is kept in {self.library.root}, and listed once it has begun."
            )

    def _entries(self, folders: list[str]) -> list[RunSummary]:
        return [run for run in self.library.entries if run.folder in folders]

    def _show_count(self) -> None:
        shown, all_of_them = len(self.model.shown), len(self.library.entries)
        some = "" if shown == all_of_them else f"{shown:,} of "
        self._count.setText(f"{some}{all_of_them:,} run{'s' * (all_of_them != 1)}")

    @Slot(str)
    def _on_search(self, text: str) -> None:
        self.model.search(text)
        self.view.select(self._selected)
        self._show_count()

    @Slot()
    def _on_chosen(self) -> None:
        self._selected = self.view.folders()
        chosen = self._entries(self._selected)
        self.notes.show_run(chosen[0] if len(chosen) == 1 else None)
        self._say(chosen[0].fault if len(chosen) == 1 else "")
        self._show_resumable()

    @Slot()
    def _show_resumable(self) -> None:
        self._resume.setEnabled(len(self._selected) == 1 and self.resumable(self._selected[0]))
        self._more.setEnabled(bool(self._selected))

    @Slot()
    def _look_at_selected(self) -> None:
        chosen = self._entries(self._selected)
        if len(chosen) == 1 and not chosen[0].fault:
            self.open(chosen[0].folder)

    # -- what is done

    def open(self, folder: str) -> None:
        self._time.open(self.library.root / folder)

    @Slot()
    def _open_more(self) -> None:
        self._open_menu(self._more.mapToGlobal(self._more.rect().bottomLeft()))

    @Slot(object)
    def _open_menu(self, place: QPoint) -> None:
        menu = menu_of(self.actions_of_runs, self.exports, self.library.root, self.view.folders(), self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(place)

    @Slot(str, int, str)
    def _on_edited(self, folder: str, column: int, text: str) -> None:
        if column == Column.TAGS:
            self.library.set_tags(folder, text)
        else:
            self.library.rename(folder, text)

    @Slot()
    def _compare_selected(self) -> None:
        if 2 <= len(self.view.folders()) <= MOST_RUNS:
            self.compare(self.view.folders())

    def compare(self, folders: list[str]) -> None:
        window = CompareWindow([self.library.root / folder for folder in folders], self.theme, self.window())
        window.show()

    def resumable(self, folder: str) -> bool:
        damaged = any(e.fault for e in self._entries([folder]))
        return not damaged and not self._starter.trains(self.library.root / folder)

    def _sweep_of(self, folder: str) -> str:
        """The sweep that a run belongs to, by its unique name; empty if to none."""
        return next((run.sweep for run in self._entries([folder])), "")

    def show_sweep(self, folder: str) -> None:
        self._sweeps.show_results(self._sweep_of(folder), self.theme, self.window())

    def duplicate(self, folder: str) -> None:
        self.like_asked.emit(self.library.root / folder)

    def resume(self, folder: str) -> None:
        self.resume_asked.emit(self.library.root / folder)

    def trash(self, folders: list[str]) -> None:
        chosen = self._entries(folders)
        if not chosen:
            return
        what = f"“{chosen[0].name}”" if len(chosen) == 1 else f"{len(chosen)} runs"
        question = f"Move {what} to the trash?"
        if agrees(question, "They can be restored from there.", "Move to the trash", "Keep", self):
            self._say("")
            self.notes.show_run(None)
            if self._time.folder in [self.library.root / folder for folder in folders]:
                self._time.leave()
            self.library.trash(folders)

    @Slot()
    def ask_workspace(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Folder of the runs", str(self.library.root))
        if chosen:
            self.library.choose_root(Path(chosen))

    def open_folder(self, folder: str) -> None:
        path = self.library.root / folder
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(path))):
            self._tell(UserError("The folder could not be opened", f"{path}.", "Open it in your file manager."))

    @Slot(object)
    def _tell(self, error: UserError) -> None:
        self._say(str(error))

    def _say(self, text: str, role: str = "error") -> None:
        self._message.setText(text)
        set_style_property(self._message, "role", role)
        self._message.setVisible(bool(text))

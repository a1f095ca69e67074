"""Pictures of what is about sweeps: the dialog empty, filled and with a fault, and the results against settings."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QWidget

from studio.gui.queue.sweep_dialog import SweepDialog
from studio.gui.queue.sweep_window import SweepWindow
from studio.gui.widgets.theme import ThemeManager, ThemeMode
from studio.library.sweep_results import members_of
from studio.training.config.presets import config_or_preset
from tests.library.made_runs import CLASSES
from tests.library.swept_runs import NAME, make_sweep

Wait = Callable[[str, Callable[[], bool]], None]


def take(theme: ThemeManager, home: Path, folder: Path, settle: Callable[[], None], wait: Wait) -> None:
    """Take them, light and dark.

    Args:
        home: where the runs are made.
        folder: where the pictures go.
        settle: lets what is to be drawn be drawn.
        wait: for something, by its name.
    """

    def grab(widget: QWidget, state: str) -> None:
        for look in (ThemeMode.LIGHT, ThemeMode.DARK):
            theme.set_mode(look)
            settle()
            widget.grab().save(str(folder / f"sweep-{look}-{state}.png"))

    dialog = SweepDialog(config_or_preset("digits-vae"), CLASSES, lambda _, number: 310.0 * number, 0.0, theme)
    dialog.show()
    grab(dialog, "dialog-empty")
    fields = {row.label: row for row in dialog._fields.values()}
    dialog.rows[0].values.setText("-3, -2, -1, 0")
    dialog.vary(fields["Batch: Batch size B_avg"]).values.setText("16 to 256 in 5 log")
    planners = dialog.vary(fields["Batch: Planner"])
    planners.values.setText("error carry, fast")
    dialog.show_plan()
    grab(dialog, "dialog-fault")
    planners.values.setText("error carry, stratified")
    dialog.show_plan()
    grab(dialog, "dialog")
    dialog.close()
    make_sweep(home)
    window = SweepWindow(lambda progress: members_of(home, NAME, progress), theme)
    window.show()
    wait("the results", lambda: window.results is not None)
    window.table.selectRow(2)
    for setting, state in enumerate(("against", "against-names", "seeds", "across")):
        window.setting.setCurrentIndex(setting)
        grab(window, state)
    window.close()

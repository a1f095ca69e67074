"""Importing torch takes 8–13 s on two cores, so nothing may import it before the window is on screen."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# Refusing the import, rather than looking afterwards, has the traceback name who asked for it.
REFUSE = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "torchvision"):
            raise ImportError(f"{name} is imported while only the window should be")

sys.meta_path.insert(0, Refuse())
"""


_BEFORE_THE_WINDOW = (
    *("studio.models.catalog", "studio.data.catalog", "studio.training.config.run_config"),
    *("studio.cli.main", "studio.gui.application"),
    *("studio.gui.target.offsets.panel", "studio.gui.live.samples.panel"),  # all that is painted at first
)


@pytest.mark.slow
def test_that_nothing_before_the_window_nor_a_panel_loads_torch_and_panels_behind_others_are_not_waited_for() -> None:
    code = (
        f"{REFUSE}\nfrom importlib import import_module\nfor module in {_BEFORE_THE_WINDOW}:\n    import_module(module)"
    )
    code += "\nassert not {'torch', 'pyqtgraph'} & set(sys.modules), 'the plots come once the window is painted'"
    code += "\nfrom studio.gui.window.panels import PANELS"
    code += "\nassert 'studio.gui.target.theory.panel' not in sys.modules"
    code += "\nassert 'psutil' in sys.modules, 'it would wait for the libraries of torch, and the window for it'"
    code += "\nfor panel in PANELS:\n    import_module(panel.path.rpartition('.')[0])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_that_qt_does_not_read_the_source_of_all_that_is_imported_after_it() -> None:
    code = "import builtins; before = builtins.__import__; import studio.gui; assert builtins.__import__ is before"
    code += "; import studio.gui.plots.plot; assert builtins.__import__ is before"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

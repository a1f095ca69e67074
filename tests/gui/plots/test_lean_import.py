"""pyqtgraph is imported without its copies of Qt, and neither it nor Qt is missing anything for that."""

from __future__ import annotations

import subprocess
import sys

_LOOK = """
import studio.gui.plots, sys
import PySide6.QtCore, PySide6.QtGui, PySide6.QtWidgets
import pyqtgraph
from pyqtgraph.Qt import QtCore, QtGui, QtWidgets
for mirror, original in ((QtCore, PySide6.QtCore), (QtGui, PySide6.QtGui), (QtWidgets, PySide6.QtWidgets)):
    made = sum(isinstance(found, type) for found in vars(original).values())
    names = dir(original)
    print(original.__name__, len(names), made, len(vars(mirror)), dir(mirror) == names,
          all(getattr(mirror, name) is getattr(original, name) for name in names if not name.startswith("_")))
print(hasattr(QtCore, "QNothing"), "cuda" in sys.modules)
"""


def test_that_types_are_made_when_they_are_asked_for_and_all_are_there() -> None:
    told = subprocess.run([sys.executable, "-c", _LOOK], capture_output=True, text=True, check=True).stdout.splitlines()
    for line in told[:3]:
        _module, names, made, copied, listed, same = line.split()
        assert int(made) < int(names) // 2
        assert int(copied) < int(names) // 2
        assert listed == same == "True"
    assert told[3] == "False False"

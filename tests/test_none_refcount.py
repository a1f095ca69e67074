"""Guards the pin of PySide6: 6.12.0 on Python 3.11 drops a reference to None at every void Qt call.

A live plot then ends the process within seconds (``Fatal Python error: none_dealloc``). When this passes with a newer
PySide6, the pin in pyproject.toml can move.
"""

import gc
import sys

import numpy as np
import pyqtgraph as pg
import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

REPAINTS = 500
NOISE = 100  # the interpreter itself takes and gives a few references; the fault costs several at each repaint


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None is immortal from Python 3.12 on; its count says nothing")
@pytest.mark.slow
def test_that_repainting_a_live_plot_keeps_the_references_to_none(qtbot: QtBot) -> None:
    plot = pg.PlotWidget()
    qtbot.addWidget(plot)
    plot.resize(320, 200)
    curve = plot.plot(pen="w")
    with qtbot.waitExposed(plot):
        plot.show()
    values = np.sin(np.linspace(0.0, 20.0, 200))

    def repaint(times: int) -> None:
        for step in range(times):
            curve.setData(np.roll(values, step))
            plot.repaint()
            QApplication.processEvents()

    # What earlier tests left behind holds references to None, too. Nothing is collected from here on by itself.
    repaint(20)
    gc.collect()
    before = sys.getrefcount(None)
    repaint(REPAINTS)
    assert sys.getrefcount(None) - before > -NOISE

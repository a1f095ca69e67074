"""Plots that panels share: themed, drawn cheaply however long the run, and reachable by keyboard."""

from __future__ import annotations

from studio.gui.plots.lean_import import import_pyqtgraph

import_pyqtgraph()

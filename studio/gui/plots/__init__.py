"""Plots that panels share: themed, drawn cheaply however long the run, and reachable by keyboard."""

from __future__ import annotations

import sys

# pyqtgraph looks for CUDA as it is imported, for a widget that nobody uses here. Where torch has brought that package
# along, finding it takes a fifth of the time of the rest. Whoever wants it afterwards gets it.
if "cuda" not in sys.modules:
    sys.modules["cuda"] = None  # type: ignore[assignment]
    try:
        import pyqtgraph  # noqa: F401
    finally:
        del sys.modules["cuda"]

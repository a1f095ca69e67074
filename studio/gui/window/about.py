"""The help menu's two boxes."""

from __future__ import annotations

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMessageBox, QWidget

from studio import __version__

_ABOUT = """<h3>Perturbation Studio {version}</h3>
<p>Tilt the distribution that a generative model learns, and watch it happen.</p>
<p>Each example x is weighted by e<sup>−ΔH(x)</sup>, so the model learns p′(x) ∝ p(x)·e<sup>−ΔH(x)</sup> and not p(x).
Batches are filled until their weights add up to B_avg on average; what is left over is carried to the next.</p>
<p>MIT licence.</p>"""


def show_about(window: QWidget) -> None:
    """What this program is."""
    QMessageBox.about(window, "About Perturbation Studio", _ABOUT.format(version=__version__))


def show_shortcuts(window: QWidget) -> None:
    """Every keyboard shortcut of the window."""
    rows = [
        ("Nudge an offset or a share", "Alt+Up, Alt+Down"),
        ("Move in a plot, zoom, show everything", "arrows, + and −, Home"),
        ("Layers of the plane, and its heat map", "D, S, C, P, N, F, and H"),
    ]
    for action in window.findChildren(QAction):
        keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        title = action.whatsThis() or action.text()
        if keys and title:
            rows.append((title.replace("&", "").rstrip("…"), keys))
    table = "".join(
        f"<tr><td style='padding-right:2em'>{title}</td><td><b>{keys}</b></td></tr>" for title, keys in rows
    )
    QMessageBox.information(window, "Keyboard shortcuts", f"<table>{table}</table>")

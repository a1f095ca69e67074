"""What this program is, for the help menu."""

from __future__ import annotations

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

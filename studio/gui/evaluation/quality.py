"""The quality of generated samples: figures, each explained, and curves of two of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QWidget

from studio.evaluation.committee import TOTAL_VARIATION
from studio.evaluation.evaluation import Evaluation
from studio.evaluation.record import known
from studio.gui.evaluation.curves import QUALITY
from studio.gui.evaluation.evaluation_control import EvaluationControl
from studio.gui.plots.curves import CurvesPanel
from studio.gui.widgets.layouts import column_of
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import set_help
from studio.number_text import compact, fixed

_LEAST_HEIGHT = 260


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of an evaluation: how it is shown, what stands beside it, and what it means."""

    title: str
    value: Callable[[Evaluation], str]
    beside: Callable[[Evaluation], str]
    tip: str


def _says(text: str) -> Callable[[Evaluation], str]:
    return lambda _: text


_FRECHET = (
    "How far means and spreads of samples and tilted data are apart in the judge's features, beside what as many real "
    "examples score. |μ − μ′|² + tr(Σ + Σ′ − 2(Σ^½ Σ′ Σ^½)^½)."
)
_KERNEL = (
    "How far samples x and tilted data y are apart in all moments up to the third, beside what as many real examples "
    "score. MMD² = ⟨k(x, x̃)⟩ + ⟨k(y, ỹ)⟩ − 2⟨k(x, y)⟩, k = (x·y/d + 1)³ in the judge's features."
)
_TV = f"{TOTAL_VARIATION} Beside it: what chance and the judges’ disagreement give where the shares are right."
_KL = (
    "Relative entropy of the target's shares p′ from the generated ones q among the recognisable. "
    "KL = Σ p′ log(p′/q), in nats."
)
_PRECISION = (
    "Share of samples that look like the data: within a real example's distance to its fifth neighbour, in the judge's "
    "features and textures. What is not recognised counts as not like them."
)
_RECALL = "Share of the data that the model reaches: within a sample's distance to its fifth neighbour."
_DENSITY = (
    "How many real examples have a sample within the distance to their fifth neighbour, counted for each sample and "
    "divided by 5. Above 1 samples crowd where the data are dense."
)
_COVERAGE = (
    "Share of real examples that have a sample within the distance to their fifth neighbour. Low where modes are "
    "missed."
)
_NEARNESS = (
    "Whether samples are copies: median distance of a sample to its nearest training example, over that of a real "
    "example to the nearest other one."
)
_JUDGE = "How often the judge is right on examples that it was not trained on; shares are corrected for the rest."
_FIGURES = (
    Figure(
        "Fréchet distance",
        lambda found: compact(found.frechet, 3),
        lambda found: f"real: {compact(found.frechet_floor, 3)}",
        _FRECHET,
    ),
    Figure(
        "Kernel distance",
        lambda found: compact(found.mmd, 3),
        lambda found: f"real: {compact(found.mmd_floor, 3)}",
        _KERNEL,
    ),
    Figure(
        "Total variation", lambda found: fixed(found.tv, 3), lambda found: f"if right: {fixed(found.tv_floor, 3)}", _TV
    ),
    Figure("KL", lambda found: f"{fixed(found.kl, 3)} nats", _says("if right: 0"), _KL),
    Figure("Precision", lambda found: fixed(found.likeness.precision, 2), _says("look like the data"), _PRECISION),
    Figure("Recall", lambda found: fixed(found.likeness.recall, 2), _says("data reached"), _RECALL),
    Figure("Density", lambda found: fixed(found.likeness.density, 2), _says("about 1 is right"), _DENSITY),
    Figure("Coverage", lambda found: fixed(found.likeness.coverage, 2), _says("data with a sample"), _COVERAGE),
    Figure("Nearness", lambda found: fixed(found.nearness, 2), _says("0: copies, 1: as real ones"), _NEARNESS),
    Figure(
        "Judge",
        lambda found: f"{fixed(100 * found.accuracy, 1)} %",
        lambda found: f"right on {found.judge or 'data'} held out",
        _JUDGE,
    ),
)


class SharesQuality(QWidget):
    """A table of figures above a plot."""

    def __init__(self, evaluations: EvaluationControl, theme: ThemeManager) -> None:
        super().__init__()
        self.values: dict[str, QLabel] = {}
        self._beside: dict[str, QLabel] = {}
        grid = QGridLayout()
        grid.setColumnStretch(2, 1)
        grid.setVerticalSpacing(2)
        for row, figure in enumerate(_FIGURES):
            labels = QLabel(figure.title), QLabel(), QLabel()
            for place, label in enumerate(labels):
                set_help(label, figure.title, figure.tip)
                grid.addWidget(label, row, place)
            labels[1].setAlignment(Qt.AlignmentFlag.AlignRight)
            labels[1].setTextInteractionFlags(
                Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
            )
            labels[2].setProperty("role", "muted")
            labels[2].setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            self.values[figure.title], self._beside[figure.title] = labels[1], labels[2]
        self.curves = CurvesPanel(QUALITY, evaluations, theme)
        self.curves.setMinimumHeight(_LEAST_HEIGHT)
        self.curves.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        column_of(grid, (self.curves, 1), inside=self, margins=2)

    def show_evaluation(self, found: Evaluation) -> None:
        for figure in _FIGURES:
            self.values[figure.title].setText(known(figure.value(found)))
            self._beside[figure.title].setText(known(figure.beside(found)))

"""Which layers the plane shows: the menu of them, and the letter of each."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction

from studio.gui.live.plane.plane_canvas import PlaneCanvas
from studio.gui.widgets.buttons import menu_action, menu_button
from studio.gui.widgets.tooltip import tooltip

_LAYERS = (
    ("data", "Data", "d", "The training points, small and pale, in the colours of their classes."),
    ("samples", "Samples", "s", "Generated points, large, in the colour of the class that is most probable there."),
    ("contours", "Contours", "c", "Where the target's exact density p′ is 50, 10 and 2 % of its greatest."),
    (
        "arrows",
        "Pull",
        "p",
        "Where the model pulls its samples, none where the slope s has vanished: an arrow is L·s/(1 + s) long.",
    ),
    ("net", "Net", "n", "Where the generator takes a net of latents."),
    ("flow", "Flow", "f", "Particles on the way that the model takes them, three seconds a round, each with a tail."),
    (
        "descent",
        "Gradient flow",
        "g",
        (
            "Particles from anywhere on the way to p′ by the steepest descent of KL(q ‖ p′), whatever the model does: "
            "Langevin dynamics for a time of 0.6. dx = ∇log p′·dt + √2·dW."
        ),
    ),
)
_OF_MODELS = {"arrows": "p", "net": "n", "flow": "f"}
"""Keys of the layers that some models have and others lack."""


class PlaneLayers(QObject):
    """Actions that show and hide the layers of a canvas.

    Attributes:
        button: has the menu of them.
        actions: by their letters.
    """

    descent_toggled = Signal()  # whether the gradient flow is wanted, which the canvas does not find by itself

    def __init__(self, canvas: PlaneCanvas, parent: QObject) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self.button, menu = menu_button("plane_layers", "Layers", "What is drawn on the plane.")
        self.actions: dict[str, QAction] = {}
        for layer, title, key, tip in _LAYERS:
            letter = key.upper()
            tip = tooltip(f"{tip} {letter} in the plot.")
            self.actions[key] = action = menu_action(menu, f"plane_{layer}", f"{title}\t{letter}", tip)
            action.setCheckable(True)
            action.setChecked(layer != "descent")
            if layer == "descent":
                action.toggled.connect(self.descent_toggled)
            else:
                action.toggled.connect(lambda on, layer=layer: canvas.set_hidden(layer, not on))

    @property
    def descent(self) -> bool:
        """Whether the gradient flow is wanted."""
        return self.actions["g"].isChecked()

    def offer(self, *, all_of_them: bool) -> None:
        """Let those be switched that the model has, or all of them."""
        for layer, key in _OF_MODELS.items():
            self.actions[key].setEnabled(all_of_them or layer in self._canvas.shown_by_model)

"""A panel as small as one can be: what it takes to add one is this file and a line of the list."""

from PySide6.QtWidgets import QLabel, QWidget

from studio.gui.state.setup import Setup
from studio.gui.widgets.live_panel import LivePanel
from studio.gui.widgets.theme import ThemeManager


class ToyPanel(LivePanel):
    """Says which model is set up."""

    NAME = "toy"
    TITLE = "Toy"

    def __init__(self, setup: Setup, theme: ThemeManager, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.label = QLabel(setup.config.model.kind)
        self.body.addWidget(self.label)
        self.show_body()

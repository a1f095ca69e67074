"""The panels: one line each. Where it docks at first, what it is called, which class it is, and what it takes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

from PySide6.QtWidgets import QWidget

from studio.gui.widgets.live_panel import LivePanel
from studio.gui.widgets.theme import ThemeManager
from studio.gui.window.controls import Controls


@dataclass(frozen=True, slots=True)
class Panel:
    """What is known of a panel before it is made.

    Attributes:
        place: where it docks at first; panels of one place share it as tabs.
        path: module and class, which is imported when the panel is made.
        takes: what its constructor is given of the controls, before a theme and a parent.
        spec: what it is given before that: module and name of a declaration; none if empty.
        first: what in it gets the keyboard, by name; whatever Tab reaches first if empty.
    """

    place: str
    name: str
    title: str
    path: str
    takes: str
    spec: str = ""
    first: str = ""

    def make(self, controls: Controls, theme: ThemeManager, parent: QWidget | None = None) -> QWidget:
        kind, *spec = (_load(path) for path in (self.path, self.spec) if path)
        found = kind(*spec, *(getattr(controls, each) for each in self.takes.split()), theme, parent)
        assert isinstance(found, QWidget)
        if isinstance(found, LivePanel):
            controls.subjects.others_changed.connect(found.show_owner)
            found.show_owner(controls.subjects.others)
            found.what_next = partial(controls.subjects.what_next, of_step=found.OF_STEP, of_images=found.OF_IMAGES)
            controls.subjects.subject_changed.connect(found.tell_next)
            found.tell_next()
            found.caption = partial(controls.data.caption, of_run=found.OF_RUN)
        return found


def _load(path: str) -> Any:
    module, name = path.rsplit(".", 1)
    return getattr(import_module(module), name)


_CURVES = "studio.gui.plots.curves.CurvesPanel"
PANELS = (
    Panel("left", "setup", "Set-up", "studio.gui.setup.panel.SetupPanel", "setup runs starter tasks"),
    Panel("right_top", "samples", "Samples", "studio.gui.live.samples.panel.SamplesPanel", "time latents once stepped"),
    Panel("right_top", "diagnostics", "Inside", "studio.gui.live.diagnostics.DiagnosticsPanel", "time"),
    Panel("right_top", "examples", "Examples", "studio.gui.live.examples.ExamplesPanel", "time data"),
    Panel("right_top", "plane", "Plane", "studio.gui.live.plane.panel.PlanePanel", "target time lessons once stepped"),
    Panel(
        "middle",
        "offsets",
        "Offsets",
        "studio.gui.target.offsets.panel.OffsetsPanel",
        "setup target",
        first="offsets_table",
    ),
    Panel("middle", "energy", "Energy", "studio.gui.target.energy.panel.EnergyPanel", "setup target energies"),
    Panel("middle", "theory", "Theory", "studio.gui.target.theory.panel.TheoryPanel", "target energies means"),
    Panel("middle", "planners", "Planners", "studio.gui.live.planners.PlannersPanel", "setup runs time"),
    Panel("middle", "runs", "Runs", "studio.gui.library.panel.RunsPanel", "library sweeps time starter"),
    Panel("middle", "queue", "Queue", "studio.gui.queue.panel.QueuePanel", "setup queue sweeps log"),
    Panel("right_bottom", "batch", "Batch", _CURVES, "time", "studio.gui.live.curves.BATCH"),
    Panel("right_bottom", "weights", "Weights", "studio.gui.live.weights.WeightsPanel", "target time"),
    Panel("right_bottom", "shares", "Shares", "studio.gui.evaluation.panel.SharesPanel", "evaluations"),
    Panel("right_bottom", "losses", "Losses", _CURVES, "time", "studio.gui.live.curves.LOSSES"),
    Panel("right_bottom", "gradients", "Gradients", _CURVES, "time", "studio.gui.live.curves.GRADIENTS"),
    Panel("left_bottom", "log", "Log", "studio.gui.live.log.LogPanel", "log"),
    Panel(
        "right_bottom", "share_error", "Share error", _CURVES, "evaluations", "studio.gui.evaluation.curves.SHARE_ERROR"
    ),
    Panel("right_top", "corrections", "Held shares", _CURVES, "time", "studio.gui.live.curves.CORRECTIONS"),
)
"""In the order of their keys. A new panel is a line here."""

PLACES = {
    place: tuple(panel for panel in PANELS if panel.place == place)
    for place in dict.fromkeys(panel.place for panel in PANELS)
}
"""The panels of each place, the one that is in front at first before the others."""

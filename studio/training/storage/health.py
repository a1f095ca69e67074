"""Signs of training gone wrong, read from what is logged anyway, and what to try.

    dead        ‖g‖ < 10⁻⁷, or ‖Δθ‖/‖θ‖ < 10⁻⁷, at five log points in a row
    exploding   ‖g‖ or |loss| above 10³ times its median of late, or ‖Δθ‖/‖θ‖ > 0.3 at five log points in a row
    diverged    a number that is not finite

A sign is told of once, when it shows, and again only after it was gone for five log points. No torch.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median

from studio.errors import UserError
from studio.names import spoken

GRADIENT, UPDATE, LOSS = "gradient_", "update_", "loss_"
"""Beginnings of the logged columns of each network."""

_POINTS = 5
_REMEMBERED = 200
_LEAST_REMEMBERED = 10
_STILL = 1e-7
_LARGE_UPDATE = 0.3
_GROWTH = 1e3


def networks_in(columns: Iterable[str]) -> list[str]:
    """Networks whose gradient and update are among these columns, by name; ``gradient_penalty`` is no network's."""
    names = list(columns)
    updated = [name.removeprefix(UPDATE) for name in names if name.startswith(UPDATE)]
    return sorted(network for network in updated if GRADIENT + network in names)


def diverged(step: int, values: Mapping[str, float]) -> UserError | None:
    """The error of a run whose losses, gradients or updates are not all finite any more.

    Metrics do not count: one of a batch that weighs nothing has no value, and training is none the worse for it.
    """
    signs = [name for name in values if name.startswith(LOSS)]
    signs += [kind + network for network in networks_in(values) for kind in (GRADIENT, UPDATE)]
    if all(math.isfinite(values[name]) for name in signs):
        return None
    return UserError(
        "Training has diverged",
        f"A loss is no longer a finite number at step {step:,}.",
        "Go back to the last good state and lower the learning rate; or stop, weaken the tilt, and start again.",
    )


def nothing_to_keep(step: int, kept: int | None) -> UserError:
    """What to tell of weights that are not all finite; those that were saved last, at step `kept`, stay."""
    return UserError(
        f"The weights of step {step:,} are not kept",
        "Training has diverged: its state is no longer finite. "
        + ("Those saved before stay." if kept is None else f"Those of step {kept:,} stay."),
        "Resume from there with a lower learning rate, or with a weaker tilt.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sign:
    """One thing to watch for in one column.

    Attributes:
        shows: whether a value, given its median of late, is a sign.
        points: log points in a row that it takes.
        title, message, hint: of the error; ``{network}``, ``{value}`` and ``{usual}`` are filled in.
    """

    column: str
    shows: Callable[[float, float], bool]
    points: int
    title: str
    message: str
    hint: str


_SIGNS = (
    _Sign(
        column=GRADIENT,
        shows=lambda value, usual: value < _STILL,
        points=_POINTS,
        title="The {network} has stopped learning",
        message="The norm of its gradient is {value:.2g}, so its loss no longer tells it where to go.",
        hint="Weaken what it competes with, choose another loss, or start again with a smaller learning rate.",
    ),
    _Sign(
        column=UPDATE,
        shows=lambda value, usual: value < _STILL,
        points=_POINTS,
        title="The {network} hardly moves",
        message="A step changes its weights by {value:.2g} of their size; about 1e-3 is usual.",
        hint="Raise its learning rate, or shorten its gradient less.",
    ),
    _Sign(
        column=GRADIENT,
        shows=lambda value, usual: value > _GROWTH * max(usual, 1e-3),
        points=1,
        title="The gradient of the {network} explodes",
        message="Its norm is {value:.3g}; lately it was {usual:.3g}.",
        hint="Lower its learning rate, or clip its gradient (under Advanced).",
    ),
    _Sign(
        column=LOSS,
        shows=lambda value, usual: abs(value) > _GROWTH * max(usual, 1.0),
        points=1,
        title="The loss of the {network} explodes",
        message="It is {value:.3g}; lately its size was {usual:.3g}.",
        hint="Lower its learning rate, clip its gradient (under Advanced), or weaken the tilt.",
    ),
    _Sign(
        column=UPDATE,
        shows=lambda value, usual: value > _LARGE_UPDATE,
        points=_POINTS,
        title="The steps of the {network} are too large",
        message="Each changes its weights by {value:.2g} of their size; about 1e-3 is usual.",
        hint="Lower its learning rate.",
    ),
)


@dataclass(slots=True)
class _Episode:
    """How long a sign has shown or been gone, in log points."""

    shown: int = 0
    gone: int = 0
    told: bool = False

    def after(self, shows: bool, points: int) -> bool:
        """Take in one log point; whether the person should now be told."""
        self.shown, self.gone = (self.shown + 1, 0) if shows else (0, self.gone + 1)
        if self.gone >= _POINTS:
            self.told = False
        tell = self.shown >= points and not self.told
        self.told = self.told or tell
        return tell


@dataclass(slots=True)
class Health:
    """Watches one run; feed it every log point with `look`."""

    _episodes: dict[tuple[int, str], _Episode] = field(default_factory=dict)
    _lately: dict[str, deque[float]] = field(default_factory=dict)

    @property
    def well(self) -> bool:
        return not any(episode.shown or episode.told for episode in self._episodes.values())

    def look(self, values: Mapping[str, float]) -> list[UserError]:
        """What is new at this log point, by column name; the networks' own values are finite."""
        news = []
        for network in networks_in(values):
            for number, sign in enumerate(_SIGNS):
                column = sign.column + network
                if column not in values:
                    continue
                value, usual = values[column], self._usual(column)
                episode = self._episodes.setdefault((number, network), _Episode())
                if episode.after(sign.shows(value, usual), sign.points):
                    news.append(_error(sign, network, value, usual))
            self._remember(network, values)
        return news

    def _usual(self, column: str) -> float:
        """Median size of late; infinite while too little is known, so that nothing seems large."""
        known = self._lately.get(column, ())
        return median(known) if len(known) >= _LEAST_REMEMBERED else math.inf

    def _remember(self, network: str, values: Mapping[str, float]) -> None:
        for column in (GRADIENT + network, LOSS + network):
            if column in values:
                self._lately.setdefault(column, deque(maxlen=_REMEMBERED)).append(abs(values[column]))


def _error(sign: _Sign, network: str, value: float, usual: float) -> UserError:
    return UserError(
        sign.title.format(network=spoken(network)), sign.message.format(value=value, usual=usual), sign.hint
    )

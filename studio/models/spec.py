"""What the studio knows of a model before it is built. Free of torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from studio.errors import UserError
from studio.models.config import LabelSettings, ModelConfig
from studio.models.diagnostic import Reference

if TYPE_CHECKING:
    from studio.models.base import GenerativeModel


class Builder(Protocol):
    """(config, (C, H, W), number of classes) → the untrained model; draws its weights from torch's global stream."""

    def __call__(self, config: Any, shape: tuple[int, int, int], classes: int = 0) -> GenerativeModel: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """What the studio knows of a model before it is built.

    Attributes:
        summary: one or two sentences: what it learns by, and what it is good at.
        config: its settings; the class's ``kind`` default names the model.
        build: makes the untrained model.
        metrics: title and tooltip of each metric that its losses report, by snake_case name.
        references: values to compare metrics with, drawn as lines, by the metric's name.
        measured: how far it came on MNIST with 30 % twos, where that was measured, and what it falls short of.
        without_latents: why no latent stands behind each of its images; empty for a model that has them.
        fault_on_points: config → why it cannot learn points of the plane, whose coordinates are no grey levels; None if
            it can.
    """

    title: str
    summary: str
    config: type[ModelConfig]
    build: Builder
    metrics: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    references: Mapping[str, tuple[Reference, ...]] = field(default_factory=dict)
    measured: str = ""
    without_latents: str = ""
    fault_on_points: Callable[[Any], UserError | None] = lambda config: None

    @property
    def kind(self) -> str:
        return str(self.config.model_fields["kind"].default)


def built_by(model: str, *, views: str = "") -> Builder:
    """A builder of that class of this package, such as ``vae.model.Vae``, which that class of `views` shows.

    Both are imported, and torch with them, on first use.
    """

    def build(config: Any, shape: tuple[int, int, int], classes: int = 0) -> GenerativeModel:
        told = (classes,) if isinstance(config, LabelSettings) and config.conditional else ()
        built: GenerativeModel = _named(model)(config, shape, *told)
        if views:
            built.shown_by = _named(views)
        return built

    return build


def _named(place: str) -> Any:
    module, _, name = place.rpartition(".")
    return getattr(import_module(f"studio.models.{module}"), name)

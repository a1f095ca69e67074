"""The models on offer: an explicit tuple of `ModelSpec`. Adding one is a folder with its settings and its networks, and
a line here. Free of torch: a builder imports its model on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Union

from pydantic import Field

from studio.errors import UserError
from studio.models import (
    adversarial,
    autoencoder,
    autoregressive,
    boltzmann,
    diffusion,
    ebm,
    flow_matching,
    hierarchical_vae,
    normalising_flow,
    vae,
)
from studio.models.config import ModelConfig
from studio.models.spec import ModelSpec

__all__ = ["MODELS", "AnyModel", "ModelSpec", "misfit", "model_spec"]

MODELS: tuple[ModelSpec, ...] = (
    adversarial.WGAN_GP,
    adversarial.SN_GAN,
    adversarial.GAN,
    adversarial.WGAN,
    vae.SPEC,
    hierarchical_vae.SPEC,
    autoencoder.SPEC,
    diffusion.SPEC,
    flow_matching.SPEC,
    normalising_flow.SPEC,
    autoregressive.SPEC,
    boltzmann.RBM,
    boltzmann.GAUSSIAN_RBM,
    ebm.SPEC,
)

if TYPE_CHECKING:
    AnyModel = ModelConfig
else:
    AnyModel = Annotated[Union[tuple(spec.config for spec in MODELS)], Field(discriminator="kind")]  # noqa: UP007
    """Settings of any model, told apart by ``kind``; for fields of other configurations."""


def model_spec(kind: str) -> ModelSpec:
    """The model of that name; raises UserError if there is none."""
    for spec in MODELS:
        if spec.kind == kind:
            return spec
    known = ", ".join(spec.kind for spec in MODELS)
    raise UserError(f"There is no model called {kind!r}", f"On offer: {known}.", field="model.kind")


def model_title(model: ModelConfig) -> str:
    """What a model is called: "SN-GAN", or "SN-GAN, conditional"."""
    return ", ".join(filter(None, (model_spec(model.kind).title, model.variant)))


def misfit(model: ModelConfig, *, planar: bool) -> UserError | None:
    """Why this model cannot learn points of the plane, if that is what examples are, with the field at fault."""
    return model_spec(model.kind).fault_on_points(model) if planar else None

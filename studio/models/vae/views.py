"""What a variational autoencoder shows beside what any model with an encoder does: what numbers of a code mean."""

from __future__ import annotations

import torch

from studio.models.conditional import taking_labels
from studio.models.diagnostic import Diagnostic, Pictures
from studio.models.exportable import ExportableModel
from studio.models.gaussians import kl_to_standard_normal
from studio.models.latent_variable_views import LatentVariableViews
from studio.models.vae.model import Vae
from studio.models.views import Probe, to_pixels

_SWEPT = 8
_SWEEP = 9


class VaeViews(LatentVariableViews):
    """Of an encoder and a decoder."""

    _model: Vae

    def exportable(self) -> ExportableModel:
        return taking_labels(super().exportable(), self._model.classes)

    def diagnostics(self, probe: Probe, rng: torch.Generator) -> tuple[Diagnostic, ...]:
        return (*super().diagnostics(probe, rng), self._latent_sweep(probe))

    def _latent_sweep(self, probe: Probe) -> Pictures:
        """One image's code with one number at a time moved from −3 to 3, for the numbers that say most."""
        code = self._model.encode(probe.seen)
        information = kl_to_standard_normal(*code).mean(0)
        chosen = information.argsort(descending=True)[:_SWEPT].tolist()
        places = torch.linspace(-3, 3, _SWEEP, device=code.mean.device, dtype=code.mean.dtype)
        label = None
        if self._model.listens:
            labels, posterior = self._model.posterior(code.mean[:1], probe.seen[:1])
            label = labels[posterior.argmax(0)]
        codes = code.mean[:1].repeat(len(chosen) * _SWEEP, 1)
        for row, number in enumerate(chosen):
            codes[row * _SWEEP : (row + 1) * _SWEEP, number] = places
        return Pictures(
            name="latent_sweep",
            title="Latent sweep",
            tip="What single numbers of a code mean: a row moves one of them, those that say most first. "
            "Mean of p(x|z), z_i from −3 to 3, the others, and the class if it is told one, as in one training image.",
            images=to_pixels(self._model.autoencoder.likelihood.mean(self._model.output(codes, label))),
            columns=_SWEEP,
            rows=tuple(f"z_{number + 1}: {information[number]:.2f} nats on average" for number in chosen),
        )

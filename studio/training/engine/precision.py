"""Fewer digits where they are not missed: networks compute in bfloat16, weights, losses and updates stay in float32.

Source: P. Micikevicius et al., arXiv:1710.03740 (2017); bfloat16: D. Kalamkar et al., arXiv:1905.12322 (2019).
"""

from __future__ import annotations

import torch

from studio.models.base import GenerativeModel
from studio.models.nets import has_convolutions
from studio.training.config.run_config import Precision


def autocast(precision: Precision, device: torch.device, model: GenerativeModel) -> torch.autocast:
    """Under which a model's losses are computed, gradients outside. A model that needs all its digits gets them."""
    if precision is Precision.AUTO:
        # On a processor only convolutions gain: a small product takes less time than rounding what goes into it.
        wanted = native_bfloat16(device) and (device.type != "cpu" or has_convolutions(model))
    else:
        wanted = precision is Precision.BFLOAT16
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=wanted and model.takes_bfloat16)


def native_bfloat16(device: torch.device) -> bool:
    """Whether the device multiplies in bfloat16 itself, so that it is faster and not only shorter."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type != "cpu" or not hasattr(torch.cpu, "get_capabilities"):  # older releases of torch do not tell
        return False
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name) for name in ("amx_bf16", "avx512_bf16", "bf16"))

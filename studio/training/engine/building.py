"""Building a model, whose first weights come from torch's one global stream: one model at a time, from a seed."""

from __future__ import annotations

import threading

import torch

from studio.models.base import GenerativeModel
from studio.models.catalog import model_spec
from studio.models.config import ModelConfig

_ONE_AT_A_TIME = threading.Lock()
"""A run may begin while another's model is built from its folder: neither may draw from what the other has seeded."""


def build_model(config: ModelConfig, shape: tuple[int, int, int], seed: int, classes: int = 0) -> GenerativeModel:
    """An untrained model of examples (C, H, W) of so many classes, its weights by a seed, on the CPU; the global stream
    stays as it is.
    """
    with _ONE_AT_A_TIME, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return model_spec(config.kind).build(config, shape, classes)

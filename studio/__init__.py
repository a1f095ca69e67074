"""Perturbation Studio: tilt the distribution a generative model learns, and watch it happen."""

__version__ = "0.1.0"

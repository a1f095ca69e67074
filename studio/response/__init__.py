"""Perturbation theory of the model: how what was learned follows the tilt."""

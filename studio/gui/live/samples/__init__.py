"""Grids of samples, and what is done with picked ones."""

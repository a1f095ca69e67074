"""Weighted training of a model on a data set: configuration, trainer, the one thread, run folders."""

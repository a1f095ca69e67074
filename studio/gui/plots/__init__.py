"""Plots that panels share: themed, drawn cheaply however long the run, and reachable by keyboard."""

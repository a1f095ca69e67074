"""Runs that wait for their turn: a queue that outlives the window, and sweeps over settings."""

"""Runs that wait for their turn, and sweeps."""

"""Data in memory: labelled image sets and where they come from."""

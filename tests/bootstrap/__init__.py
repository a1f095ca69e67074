"""Tests of the set-up on first start; none uses the network."""

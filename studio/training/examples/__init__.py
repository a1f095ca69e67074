"""The examples a run trains on, with the values that enter their weights."""

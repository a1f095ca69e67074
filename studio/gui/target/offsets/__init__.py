"""The table of classes: shares, offsets, weights."""

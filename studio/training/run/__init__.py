"""A run from its first step to its last: the loop and what it reports."""

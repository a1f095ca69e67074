"""Energy terms beyond class offsets."""

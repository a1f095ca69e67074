"""One training step and what it needs: trainer, optimisers, devices."""

"""What the model should make: offsets, energy terms and theory."""

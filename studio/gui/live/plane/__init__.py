"""Points of the plane: data, samples, densities and particles, and the lessons drawn on it."""

"""Sets of points of the plane, whose densities are known exactly."""

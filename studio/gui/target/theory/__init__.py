"""What perturbation theory says of the tilt."""

"""What is worked out beside training: evaluations, latents, comparisons of planners."""

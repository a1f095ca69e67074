"""What the next start takes: data set, model, training."""

"""What a trained model gives of another target without training: one interface, a file for each method."""

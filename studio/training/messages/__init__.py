"""What the window and the training thread say to each other."""

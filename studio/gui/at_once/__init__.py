"""A trained model asked for another target at once, from the window's side."""

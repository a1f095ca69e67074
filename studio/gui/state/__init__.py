"""What the window knows: set-up, history and views, frozen once made. Nothing here draws."""

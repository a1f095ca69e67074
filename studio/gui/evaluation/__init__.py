"""Did the tilt arrive? The panel, its bars and quality figures, and the control that asks for evaluations."""

"""How far what a model generates is from what it should."""

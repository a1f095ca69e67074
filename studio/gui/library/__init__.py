"""The runs of a workspace: their table, notes and exports, and the window that compares them."""

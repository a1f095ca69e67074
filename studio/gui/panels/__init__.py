"""The window's docks. A panel takes state from the workbench's signals and gives intent to its slots; none imports another."""

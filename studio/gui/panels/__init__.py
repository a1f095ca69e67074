"""The window's docks. A panel takes state from the workbench's signals, gives intent to its slots, knows no other."""

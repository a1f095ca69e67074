"""The run configuration: its fields, its file, and presets."""

"""The window's docks. A panel takes the few objects that it shows and steers, and knows no other panel."""

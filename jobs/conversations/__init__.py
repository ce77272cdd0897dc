"""Jobs about conversations."""

"""Jobs about recordings."""

"""Jobs about leads."""

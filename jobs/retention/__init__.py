"""Jobs about retention."""

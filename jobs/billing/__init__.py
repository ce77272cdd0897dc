"""Jobs about billing."""

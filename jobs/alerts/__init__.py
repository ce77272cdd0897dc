"""Jobs about alerts."""

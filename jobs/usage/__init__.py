"""Jobs about usage."""

"""Jobs about operations on many jobs."""

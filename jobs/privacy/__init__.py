"""Jobs about whose data is to go."""

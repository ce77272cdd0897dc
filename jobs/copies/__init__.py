"""Jobs about copies that lie elsewhere and have to go."""

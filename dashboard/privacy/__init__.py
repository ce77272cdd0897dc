"""The privacy officer's pages: erasures, what goes on which day, and the data map."""

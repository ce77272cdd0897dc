"""The data's life, read off the data map; no table is named here."""

"""How fast data ends, beside the bare statement, and what the web tier feels of it."""

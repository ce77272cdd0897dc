"""The tables, and on each table and column what it holds, whom it concerns and what becomes of it."""

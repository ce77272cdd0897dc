"""The database's history: alembic revisions, and the SQL functions as files."""

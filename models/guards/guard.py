"""One thing in the database that the data map asks for, and the statements that make it so."""

import hashlib

from models.data_map import once


@once
class Guard:
    """A policy, view, trigger or right; `entry` is the name under which the catalog's own wording is kept."""

    entry: str
    make: str
    drop: str | None = None

    @property
    def sha(self) -> str:
        """The digest of the statements: they run again only when it moves, or when the catalog has drifted."""
        return hashlib.sha256(self.make.encode()).hexdigest()

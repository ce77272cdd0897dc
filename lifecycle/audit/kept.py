"""Where an audit may find something and nothing is wrong: what the data map keeps, with its reason and its end."""

from collections.abc import Iterator

from lifecycle.journal import PREFIX
from models.data_map import About, Keep, Matching
from models.entries import rows, table_of

JOURNAL = f"body of version */{PREFIX}*"
"""The journal names rows by opaque ids, for as long as there are backups that have them."""


def kept() -> list[str]:
    """Return the patterns of the places, as the probes call them."""
    return [JOURNAL, *sorted(set(_columns()))]


def _columns() -> Iterator[str]:
    for row in rows():
        endings = [*row.__life__.after_cancellation]
        for link in row.__life__.links:
            if isinstance(link, About | Matching):
                endings.extend(link.then)
        for ending in endings:
            if isinstance(ending, Keep):
                yield from (f"{table_of(row).fullname}.{column}" for column in ending.only)

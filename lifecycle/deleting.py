"""How many copies a day each store lets us delete: what the end of a business reckons with. Assumptions, in one place.

No vendor documents a rate for deleting. These are slow on purpose: one call a second, which is far below what any of
them is known to refuse, and for our bucket what single calls reach over a busy line. A test compares them with what
`providers/limits.py` holds a vendor to.
"""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

USUAL = 1.0
"""Copies a second at a store that is not named here."""
A_SECOND: Mapping[str, float] = MappingProxyType({"objects": 10.0})


def time_for(copies: Mapping[str, int]) -> timedelta:
    """Return how long it takes until every store has deleted so many of its copies; they do so side by side."""
    seconds = [count / A_SECOND.get(store, USUAL) for store, count in copies.items()]
    return timedelta(seconds=max(seconds, default=0.0))

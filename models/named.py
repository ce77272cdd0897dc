"""Whether a key of the bucket or of Redis has a place in the data map: what has none, nobody classified."""

import re
from functools import cache

from models.elsewhere import PLACES

ID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
BUCKET = ("store objects", "prefix journal/", "prefix receipts/", "planted by an audit")
REDIS = ("redis queue:*", "planted by an audit")


def of_bucket(key: str) -> bool:
    """Say whether an object's key lies in a place of the map."""
    return bool(_pattern(BUCKET, "").fullmatch(key))


def of_redis(key: str, prefix: str) -> bool:
    """Say whether a key of Redis lies in a place of the map; `prefix` is the engine's own."""
    return bool(_pattern(REDIS, prefix).fullmatch(key))


@cache
def _pattern(names: tuple[str, ...], prefix: str) -> re.Pattern[str]:
    told = [
        key.format(id=ID, prefix=re.escape(prefix)) for place in PLACES if place.name in names for key in place.keys
    ]
    return re.compile("|".join(f"(?:{each})" for each in told), re.DOTALL)

"""What a test left in the bucket or in Redis under a name of which the data map says nothing fails that test."""

from collections.abc import Iterable

from models.named import of_bucket, of_redis


def all_of_bucket(keys: Iterable[str]) -> None:
    """Refuse an object's key that has no place in the map."""
    strange = sorted({key for key in keys if not of_bucket(key)})
    assert strange == [], "say in models/elsewhere.py what lies there and when it ends"


def all_of_redis(keys: Iterable[bytes], prefix: str) -> None:
    """Refuse a key of Redis that has no place in the map."""
    strange = sorted({key.decode() for key in keys if not of_redis(key.decode(), prefix)})
    assert strange == [], "say in models/elsewhere.py what lies there and when it ends"

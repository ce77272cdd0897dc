"""`python -m workers.health`: whether this container reaches what it needs; its image asks every half minute.

That its process lives the container itself knows; whether the ledger moves, `nexara doctor` and the dashboard tell.
"""

import sys
from collections.abc import Iterator

import psycopg
import redis
from sqlalchemy import make_url

from settings import Settings, read
from workers.bell import connect

PATIENCE = 3
"""Seconds for each answer."""


def unreachable(settings: Settings) -> Iterator[str]:
    """Yield the setting whose server does not answer."""
    for name in ("database_url", "dashboard_database_url"):
        if url := getattr(settings, name):
            plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
            try:
                with psycopg.connect(plain, connect_timeout=PATIENCE) as connection:
                    connection.execute("SELECT 1")
            except psycopg.Error:
                yield name.upper()
    if settings.redis_url:
        try:
            with connect(settings.redis_url) as client:
                client.ping()
        except (redis.RedisError, OSError):
            yield "REDIS_URL"


def main() -> int:
    """Name what does not answer; returns 0 if all does."""
    silent = list(unreachable(read()))
    if silent:
        sys.stderr.write(f"no answer from {', '.join(silent)}\n")
    return 1 if silent else 0


if __name__ == "__main__":
    sys.exit(main())

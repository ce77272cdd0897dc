"""Settings into things: engines, the bell, vendors."""

from sqlalchemy import Engine, create_engine

from settings import Settings
from workers.bell import Bell, connect


class NotConfigured(Exception):
    """A setting is missing; the message names it."""


def require(**named: str) -> None:
    """Raise NotConfigured for the settings that are empty."""
    if empty := [name.upper() for name, value in named.items() if not value]:
        raise NotConfigured(f"set {', '.join(empty)} (`nexara doctor` shows what is missing)")


def engine(url: str, connections: int) -> Engine:
    """Return an engine that reads and writes the tables through their views in `live`, as the role that logs in.

    Prepared statements stay off: a transaction pooler may hand each transaction to another server connection.
    """
    return create_engine(
        url,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=30,
        execution_options={"schema_translate_map": {"nexara": "live"}},
        connect_args={
            "prepare_threshold": None,
            "connect_timeout": 5,
            "application_name": "nexara",
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "tcp_user_timeout": 10_000,
        },
    )


def bell(settings: Settings) -> Bell:
    """Return the bell of this engine."""
    return Bell(connect(settings.redis_url), settings.redis_prefix)

"""Count what ended, for the charts of on-call."""

from sqlalchemy import Connection, text

COUNT = text("SELECT ledger.count_pace_v1()")


def count_pace(db: Connection) -> bool:
    """Count a minute of what ended at least a minute ago; returns whether there is more to count."""
    more: bool = db.execute(COUNT).scalar_one()
    return more

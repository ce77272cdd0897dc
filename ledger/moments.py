"""Times as people and machines write them."""

from datetime import UTC, datetime


def read(written: str) -> datetime:
    """Return a time in UTC; one that says no zone is in UTC already. Raises ValueError for what is none."""
    moment = datetime.fromisoformat(written)
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("before the first year, or after the last") from None


def write(moment: datetime) -> str:
    """Return a time as an address has it: exact, in UTC, with the Z that says so."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")

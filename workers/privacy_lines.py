"""An erasure in a line, as `nexara privacy` prints it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ledger import clock
from lifecycle.alarms import SLOW
from models.erasures import ErasureState
from models.traces import RemainsState

UNDER_WAY = set(ErasureState) - {ErasureState.COMPLETED, ErasureState.WITHDRAWN}


def line(each: Mapping[str, Any]) -> str:
    """Return an erasure in one line: which, how far, and what it waits for."""
    by_hand = sum(copy["copies"] for copy in each["copies"] if copy["state"] == RemainsState.MANUAL)
    late = (clock.now() - each["asked_at"]).days if each["state"] in UNDER_WAY else 0
    waits = [
        *([f"{each['to_decide']} to decide"] if each["to_decide"] else []),
        *([f"{each['open_reviews']} texts to look at"] if each["open_reviews"] else []),
        *([f"{by_hand} copies to see to by hand"] if by_hand else []),
        *([f"asked for {late} days ago"] if late >= SLOW.days else []),
    ]
    told = f"; {', '.join(waits)}" if waits else ""
    named = "  ".join(str(each[key]) for key in ("id", "business_id", "scope", "state"))
    return f"{named}  {each['asked_at']:%Y-%m-%d %H:%M}{told}"


def minute(moment: str) -> str:
    """Return a moment of the database's JSON, to the minute."""
    return datetime.fromisoformat(moment).strftime("%Y-%m-%d %H:%M")

"""What is left of a business at vendors, planted as a trigger would leave it, and what its jobs make of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from jobs.copies.payloads import FOLLOWS, SweepCopies, following
from ledger import clock
from ledger.claimed import Ended
from tests.jobs.house import HTTP, House, Wire

TO_DO = "('planned', 'sent', 'accepted', 'blocked')"
KEYS = {
    "twilio_account_sid": "AC1",
    "twilio_api_key": "sandbox-twilio",
    "twilio_api_secret": "secret",
    "telnyx_api_key": "sandbox-telnyx",
    "vapi_api_key": "sandbox-vapi",
    "elevenlabs_api_key": "sandbox-elevenlabs",
    "meta_access_token": "sandbox-meta",
    "dialog360_api_key": "sandbox-dialog360",
    "google_client_id": "nexara",
    "google_client_secret": "sandbox-google",
    "supabase_secret_key": "sandbox-supabase",
    "lemon_squeezy_api_key": "sandbox-lemon-squeezy",
}


@dataclass
class Remaining:
    """The remains of one business, and the vendors' servers in which its copies lie."""

    house: House
    business: UUID
    wires: Mapping[str, Wire]
    planted: int = field(default=0)

    # What lies there.

    def put(self, store: str, what: str, ref: str, **says: Any) -> None:
        """Put a copy at a vendor that holds calls and what belongs to them."""
        told = [{"what": what, "ref": ref, **says}]
        HTTP.post(f"{self.wires[store].url}/_sandbox/copies", json=told).raise_for_status()

    def fill(self, store: str, lingers: int = 0, **things: Any) -> None:
        """Put things at a vendor of messages, calendars or sign-in."""
        told = {"things": things, "lingers": lingers}
        HTTP.post(f"{self.wires[store].url}/_sandbox/held", json=told).raise_for_status()

    def at(self, store: str) -> set[str]:
        """Return the ids of the copies that a vendor of calls has."""
        return {copy["ref"] for copy in HTTP.get(f"{self.wires[store].url}/_sandbox/copies").json()}

    def held(self, store: str) -> Any:
        """Return what a vendor of messages, calendars or sign-in has."""
        return HTTP.get(f"{self.wires[store].url}/_sandbox/held").json()

    def asked(self, store: str, method: str = "") -> list[str]:
        """Return the paths that a vendor was asked, in their order, by one method or by any."""
        return [each["path"] for each in self.wires[store].asked() if each["method"].startswith(method)]

    # What is left to do.

    def leave(self, store: str, what: str, ref: str | None, *, business: UUID | None = None, **more: Any) -> UUID:
        """Leave a row as a trigger would; those that were left first are due first."""
        self.planted += 1
        row = {"id": uuid4(), "business": business or self.business, "store": store, "what": what, "ref": ref}
        row |= {"state": "planned", "tries": 0, "age": timedelta(hours=1) - timedelta(seconds=self.planted)} | more
        self.house.sql(
            "INSERT INTO nexara.remains (id, business_id, store, what, ref, state, tries, retry_at) "
            "VALUES (:id, :business, :store, :what, :ref, :state, :tries, now() - CAST(:age AS interval))",
            **row,
        )
        return UUID(str(row["id"]))

    def row(self, copy: UUID) -> Any:
        """Return a row of remains."""
        (row,) = self.house.rows("SELECT * FROM nexara.remains WHERE id = :id", id=copy)
        return row

    def states(self) -> list[tuple[str, str | None]]:
        """Return state and reason of each row, the first left first."""
        return [
            (row.state, row.reason)
            for row in self.house.rows("SELECT state, reason FROM nexara.remains ORDER BY made_at, ctid")
        ]

    def follow(self, store: str, business: UUID | None = None) -> list[Ended]:
        """Have the copies in a store followed up as far as that is due."""
        whose = business or self.business
        self.house.enqueue(following(store, whose), whose)
        return self.house.drain()

    def later(self) -> list[Ended]:
        """Let the time pass for which copies and jobs wait, and let the sweep find what nobody has taken up."""
        self.house.sql(f"UPDATE nexara.remains SET retry_at = now() - interval '1 s' WHERE state IN {TO_DO}")
        self.house.later()
        self.house.house_enqueue(SweepCopies(as_of=clock.now()))
        return self.house.drain()


STORES = tuple(FOLLOWS)

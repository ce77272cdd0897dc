"""A business's desk: the web tier that lets in what vendors send, and a job of the business that erases."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, Engine, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session
from sqlalchemy.sql.expression import bindparam

from tests.models.conftest import become_job
from tests.rows import AT

ARRIVAL = text("SELECT * FROM nexara.arrival_v1(:provider, :id, :at, :identifiers)").bindparams(
    bindparam("identifiers", type_=JSONB(none_as_null=True))
)
NUMBER = "+447700900123"


def phone(number: str = NUMBER) -> list[dict[str, str]]:
    return [{"kind": "phone", "value": number}]


@dataclass
class Desk:
    admin: Engine
    web: Engine
    business: UUID = field(default_factory=uuid4)

    def open(self) -> "Desk":
        with self.acting() as db:
            self.put(db, "businesses", id=self.business, name="A shop", country="IE")
        return self

    @contextmanager
    def acting(self) -> Iterator[Connection]:
        """Give a transaction of the web tier that acts for this business."""
        with self.web.begin() as db:
            db.execute(text("SELECT nexara.act_for(:b)"), {"b": self.business})
            yield db

    @contextmanager
    def job(self) -> Iterator[Session]:
        """Give a job's transaction, which reaches the tables through their views."""
        live = self.admin.execution_options(schema_translate_map={"nexara": "live"})
        with live.connect() as db, db.begin():
            become_job(db, self.business)
            with Session(db) as session:
                yield session
                session.flush()
            db.execute(text("RESET ROLE"))
            db.execute(text("DELETE FROM ledger.jobs WHERE kind = 'tests.look'"))

    def put(self, db: Connection, table: str, **values: Any) -> UUID:
        told = {"id": uuid4()} | ({} if table == "businesses" else {"business_id": self.business}) | values
        columns, marks = ", ".join(told), ", ".join(f":{name}" for name in told)
        db.execute(text(f"INSERT INTO live.{table} ({columns}) VALUES ({marks})"), told)
        return told["id"]

    def ask(self, db: Connection, ref: str, identifiers: Any, *, provider: str = "twilio", at: datetime = AT) -> Any:
        return db.execute(ARRIVAL, {"provider": provider, "id": ref, "at": at, "identifiers": identifiers}).one()

    def arrives(self, ref: str, identifiers: Any, **told: Any) -> Any:
        """Ask of one arrival in a transaction of its own."""
        with self.acting() as db:
            return self.ask(db, ref, identifiers, **told)

    def called(self, ref: str, identifiers: Any = (), *, at: datetime = AT) -> Any:
        """Handle the webhook of a call as the web tier does: ask, and write what is accepted. Returns the answer."""
        with self.acting() as db:
            told = self.ask(db, ref, list(identifiers), at=at)
            if told.answer == "accepted":
                known = {"event_key": told.event_key}
                conversation = self.put(
                    db, "conversations", person_id=told.person_id, channel="call", started_at=at, **known
                )
                call = self.put(db, "calls", conversation_id=conversation, twilio_ref=ref, recorded=True, **known)
                leg = self.put(db, "call_legs", call_id=call, carrier="twilio", child_ref=f"{ref}-leg")
                self.put(db, "recordings", leg_id=leg, state="pending", twilio_ref=f"{ref}-sound")
                db.execute(
                    text("UPDATE live.conversations SET ended_at = :at WHERE id = :id"),
                    {"id": conversation, "at": at + timedelta(minutes=1)},
                )
            return told

    def rows(self, statement: str, **values: Any) -> list[Any]:
        """Return the rows of a query, as superuser."""
        with self.admin.begin() as db:
            return list(db.execute(text(statement), values))

    def sql(self, statement: str, **values: Any) -> Any:
        """Run a statement as superuser, and return its only value if it has one."""
        with self.admin.begin() as db:
            result = db.execute(text(statement), values)
            return result.scalar() if result.returns_rows else None

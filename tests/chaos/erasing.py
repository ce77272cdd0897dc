"""Whoever is to be erased while workers die: who they are, where their data lies, and what must be left of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, NullPool, create_engine, text

from ledger.clock import now
from models.accounts import Business
from models.calls import Call, CallLeg
from models.conversations import Channel, Conversation, Direction, Message
from models.people import Contact, Identifier, IdentifierKind, Person
from models.recordings import Recording, RecordingState
from tests import rows
from tests.chaos.facts import Web, add, digest
from tests.chaos.world import World

MESSAGES = 700
"""More than one batch has, and fewer than two."""
OF_BUSINESS = """
SELECT c.table_name FROM information_schema.columns c
JOIN pg_tables t ON t.schemaname = c.table_schema AND t.tablename = c.table_name
WHERE c.table_schema = 'nexara' AND c.column_name = 'business_id' ORDER BY 1
"""
ROWS = "SELECT t::text FROM nexara.{} t WHERE business_id = :b ORDER BY 1"
EVERY_TABLE = "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('nexara', 'ledger', 'public')"
OF_BYSTANDER = ("people t WHERE id", "identifiers t WHERE person_id", "contacts t WHERE person_id")
OF_BYSTANDER += ("conversations t WHERE person_id", "messages t WHERE author_id")


@dataclass
class Doomed:
    """A person with a call, its recording, and more messages than a batch has; and a bystander who names them."""

    web: Web
    number: str
    token: str
    """A word that only they say."""
    ref: str
    """What the carrier calls their call."""
    bystanders_number: str
    person: UUID = field(default_factory=uuid4)
    bystander: UUID = field(default_factory=uuid4)
    call: UUID = field(default_factory=uuid4)
    chat: UUID = field(default_factory=uuid4)
    theirs: UUID = field(default_factory=uuid4)
    """The bystander's conversation, and the message in it that names them."""

    @property
    def business(self) -> UUID:
        return self.web.business

    @property
    def object(self) -> str:
        return f"{self.business}/recordings/{self.call}.wav"

    @property
    def tokens(self) -> tuple[str, ...]:
        """What nothing may hold when they are erased: the number however it is spelled."""
        return self.number[3:], self.token, self.ref

    def write(self) -> None:
        """Write them, as the web tier does."""
        self.web.store(self.object, self.token.encode())
        with self.web.acting() as db:
            self._people(db)
            self._call(db)
            self._messages(db)

    def _people(self, db: Connection) -> None:
        own = {"business_id": self.business}
        for person, number, name in (
            (self.person, self.number, self.token),
            (self.bystander, self.bystanders_number, "Another"),
        ):
            add(db, Person, **own, id=person)
            add(db, Identifier, **own, person_id=person, kind=IdentifierKind.PHONE, value=number)
            add(db, Contact, **own, person_id=person, name=name)
        for conversation, person, channel in (
            (self.call, self.person, Channel.CALL),
            (self.chat, self.person, Channel.SMS),
            (self.theirs, self.bystander, Channel.SMS),
        ):
            key = digest(conversation, "conversation")
            add(db, Conversation, **own, id=conversation, person_id=person, channel=channel, event_key=key)

    def _call(self, db: Connection) -> None:
        own = {"business_id": self.business, "id": self.call}
        add(db, Call, **own, conversation_id=self.call, twilio_ref=self.ref, event_key=digest(self.call, "call"))
        add(db, CallLeg, **own, call_id=self.call)
        # Of no use, so that nobody transcribes it meanwhile.
        add(db, Recording, **own, leg_id=self.call, object=self.object, state=RecordingState.UNUSABLE)

    def _messages(self, db: Connection) -> None:
        said = [(uuid4(), self.chat, self.person, f"{self.token} writes {each}") for each in range(MESSAGES)]
        said.append((self.theirs, self.theirs, self.bystander, f"ring {self.number} instead"))
        for message, conversation, author, body in said:
            about: dict[str, Any] = {"conversation_id": conversation, "author_id": author, "body": body}
            about |= {"direction": Direction.INBOUND, "sent_at": now(), "event_key": digest(message, "message")}
            add(db, Message, business_id=self.business, id=message, **about)

    def calls_again(self, ref: str, number: str) -> None:
        """Have them call once more, from another number; the carrier has a copy of it under this id."""
        own, call = {"business_id": self.business}, uuid4()
        with self.web.acting() as db:
            add(db, Identifier, **own, person_id=self.person, kind=IdentifierKind.PHONE, value=number)
            key = digest(call, "conversation")
            add(db, Conversation, **own, id=call, person_id=self.person, channel=Channel.CALL, event_key=key)
            key = digest(call, "call")
            add(db, Call, **own, id=call, conversation_id=call, twilio_ref=ref, event_key=key)

    def erase(self) -> UUID:
        """Ask for the person's erasure, as "delete" in a business's dashboard does."""
        with self.web.acting() as db:
            return UUID(str(db.scalar(text("SELECT nexara.erase_v1('person', :p)"), {"p": self.person})))

    def bystanders_rows(self, world: World) -> list[str]:
        return [
            row[0]
            for of in OF_BYSTANDER
            for row in world.sql(f"SELECT t::text FROM nexara.{of} = :q ORDER BY 1", q=self.bystander)
        ]


def planted(world: World) -> UUID:
    """Plant a business with a row in every table, without waking anybody."""
    business, admin = uuid4(), create_engine(world.admin_url, poolclass=NullPool)
    with admin.begin() as db:
        db.execute(text("SET LOCAL session_replication_role = replica"))
        rows.plant(db, business)
    return business


def town(world: World, businesses: int, people: int, ago: timedelta) -> None:
    """Write businesses of one industry, each with so many people who wrote to it once, so long ago."""
    admin = create_engine(world.admin_url, poolclass=NullPool)
    with admin.begin() as db:
        db.execute(text("SET LOCAL session_replication_role = replica"))
        for _ in range(businesses):
            business, at = uuid4(), now() - ago
            add(db, Business, id=business, name="A bakery", industry="bakery", country="GB", zone="UTC")
            for person in (uuid4() for _ in range(people)):
                add(db, Person, business_id=business, id=person)
                about = {"person_id": person, "channel": Channel.SMS, "event_key": digest(person, "conversation")}
                add(db, Conversation, business_id=business, **about, started_at=at, ended_at=at)


def everything(world: World, business: UUID) -> dict[str, list[str]]:
    """Return every row of a business, by table."""
    tables = [row[0] for row in world.sql(OF_BUSINESS)]
    return {table: [row[0] for row in world.sql(ROWS.format(table), b=business)] for table in tables}


def named(world: World, tokens: Sequence[str]) -> list[str]:
    """Return the tables that hold one of these words anywhere."""
    told = {f"t{place}": token for place, token in enumerate(tokens)}
    holds = " OR ".join(f"strpos(t::text, :{name}) > 0" for name in told)
    return [
        f"{schema}.{table}"
        for schema, table in world.sql(EVERY_TABLE)
        if world.value(f"SELECT count(*) FROM {schema}.{table} t WHERE {holds}", **told)
    ]

"""A business and a bystander business, driven through every feature, with a token in every column besides."""

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from cryptography.fernet import Fernet
from sqlalchemy import select, text

from jobs.usage.facts import meter
from ledger import clock
from lifecycle.audit.needles import Kind
from models.base import Row as Mapped
from models.conversations import Channel, Conversation
from tests.canary import catalog
from tests.canary.planting import CannotPlant, Planter
from tests.canary.seeking import Hit, Sought
from tests.canary.speakers import Speaker
from tests.canary.stores import Stores
from tests.canary.tokens import Tokens
from tests.canary.ways import BUSINESSES, BY_ITSELF, OF_ENGINE, OF_NOBODY, PEOPLE, USERS, forms, is_free
from tests.jobs.conftest import TOKEN_KEY
from tests.jobs.house import House
from tests.jobs.remaining import Remaining
from tests.jobs.shop import Shop, Told
from tests.lifecycle.desk import Desk

VOICES = ("twilio", "telnyx", "vapi", "elevenlabs")
CURSORS = {f"ledger.{name}" for name in ("attempts", "batch_ends", "kept_answers", "pace", "pace_until", "turns")}
"""What every job moves on, or hangs on a job."""
NAMED_THERE = "'{number}' said it is {spaced}, or {bare}; mail {email}, not {own}"


@dataclass
class World:
    """The house, who is in it, and where anything of them may lie."""

    house: House
    shop: Shop
    other: Shop
    remaining: Remaining
    s3: Any
    bucket: str
    stores: Stores
    grants: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        with self.house.admin.begin() as db:
            self.tables = catalog.tables(db)
        self.of_people = catalog.leading_to(self.tables, PEOPLE) - {PEOPLE} - OF_ENGINE

    # What is planted.

    def calls(self, shop: Shop, who: Speaker, *, number: str | None = None) -> Told:
        """Have somebody call, be heard, summed up, metered and told of."""
        told = shop.call(who.spoken.audio, number=number or who.number)
        self.house.drain()
        for table in ("transcripts", "summaries", "leads"):
            counted = f"SELECT count(*) FROM nexara.{table} WHERE business_id = :b"
            assert self.house.sql(counted, b=shop.business), f"the call left no row in {table}"
        return told

    def writes(self, shop: Shop, who: Speaker, known_as: UUID) -> Told:
        """Have somebody write, whom the business takes for the same as one that it knows; its summary fails."""
        told = shop.chat(Channel.WEB_CHAT, [("inbound", who.written), ("outbound", who.written)])
        who.tokens.known("session", Kind.TEXT, "7f3c9a52-d1e4-4b0a-9c35-62a8f01d7be3")
        quoting = {"status": 500, "body": {"error": {"type": "x", "message": who.written}}}
        self.house.wires.anthropic.goes_wrong(quoting)
        (ended,) = self.house.step()
        assert ended.state == "retryable"
        self.house.sql("UPDATE ledger.jobs SET run_at = now() + interval '1 hour' WHERE state = 'retryable'")
        self.house.sql(
            "INSERT INTO nexara.people_merged (business_id, from_id, into_id) VALUES (:b, :f, :i)",
            b=shop.business, f=told.person, i=known_as,
        )  # fmt: skip
        return told

    def plant_person(self, within: Planter, who: Tokens, person: UUID) -> Planter:
        """Plant a row in every table that leads to people, in each of its forms, within what a business has."""
        with self.house.admin.begin() as db:
            planter = Planter(db, who, within.business, within.base | {PEOPLE: {"id": str(person)}})
            for table in self._to_plant(self.of_people, planter):
                for told in forms(table, who):
                    planter.plant(table, told)
        return planter

    def plant_business(self, shop: Shop, who: Tokens, *, stays: bool = False) -> Planter:
        """Plant a row in every other table that is of a business; fill its own row. It has left, or `stays`."""
        with self.house.admin.begin() as db:
            planter = Planter(db, who, str(shop.business), {BUSINESSES: {"id": str(shop.business)}})
            business = self.tables[BUSINESSES]
            fixed = [column.name for column in business.columns if not is_free(column)]
            planter.fill(business, str(shop.business), fixed)
            grant = who.word("nexara.integrations.token")
            left = {"status": "expired", "ends_at": (clock.now() - timedelta(days=50)).isoformat()}
            own: dict[str, dict[str, Any]] = {
                "nexara.subscriptions": {"status": "active"} if stays else left,
                "nexara.integrations": {"token": Fernet(TOKEN_KEY).encrypt(grant.encode()).decode()},
            }
            planter.base[USERS] = planter.plant(self.tables[USERS], {})
            for table in self._to_plant(self.of_businesses(), planter):
                for told in forms(table, who):
                    planter.plant(table, told | own.get(table.name, {}))
        self.grants[planter.business] = grant
        self.remaining.fill("google", grants={grant: {}})
        return planter

    def of_businesses(self) -> set[str]:
        """Return the tables that are planted with a business; fails for one of which nobody knows whose it is."""
        known = set(BY_ITSELF) | set(OF_NOBODY) | self.of_people | {USERS}
        left = set(self.tables) - known - set(ways_by_hand())
        if strange := {name for name in left if "business_id" not in self.tables[name]}:
            raise CannotPlant(f"nobody knows whose the rows of {sorted(strange)} are: say it in tests/canary/ways.py")
        return left

    def _to_plant(self, names: set[str], planter: Planter) -> Iterator[catalog.Table]:
        for table in catalog.parents_first(self.tables):
            if table.name in names and table.name not in BY_ITSELF:
                yield table

    def is_reached_by(self, shop: Shop, person: UUID, who: Speaker) -> None:
        """Know the address of somebody, too."""
        with self.house.acting_for(shop.business) as db:
            known = {"b": shop.business, "p": person, "v": who.email}
            put = "INSERT INTO live.identifiers (business_id, person_id, kind, value) VALUES (:b, :p, 'email', :v)"
            db.execute(text(put), known)

    def hears_again(self, told: Told, who: Speaker) -> None:
        """Leave another version of a recording, with a token in what is said of it."""
        for key in told.objects:
            self.s3.put_object(
                Bucket=self.bucket, Key=key, Body=who.spoken.audio, Metadata={"by": who.tokens.word("sound")}
            )

    def name(self, planter: Planter, who: Speaker) -> str:
        """Have the business name somebody in what it notes about somebody else; return the row."""
        row = str(planter.base["nexara.contacts"]["id"])
        self.house.sql("UPDATE nexara.contacts SET notes = :t WHERE id = :id", t=naming(planter.tokens, who), id=row)
        return row

    def name_in_knowledge(self, planter: Planter, who: Speaker) -> str:
        """Have the business name somebody in what its assistant knows; return the row."""
        row = str(planter.base["nexara.knowledge"]["id"])
        self.house.sql("UPDATE nexara.knowledge SET body = :t WHERE id = :id", t=naming(planter.tokens, who), id=row)
        return row

    def books_for(self, planter: Planter, by: UUID) -> str:
        """Have somebody book for somebody else; return the row."""
        with self.house.admin.begin() as db:
            planter.db = db
            return str(planter.plant(self.tables["nexara.bookings"], {"booked_by_id": str(by)})["id"])

    def leave_traces(self, shop: Shop, who: Speaker, told: Told, *, unclaimed: bool = True) -> set[str]:
        """Leave what jobs leave that name somebody, with answers and errors, and what vendors sent; return those rows.

        `unclaimed` is what they sent and nobody has parsed yet: it names a number, and no business.
        """
        with self.house.admin.begin() as db:
            planter = Planter(db, who.tokens, str(shop.business))
            waits = self.house.jobs("conversations.summarize")[-1]
            assert waits.state == "retryable"
            said = {"kind": "usage.meter", "queue": "usage", "state": "dead", "until_done": False}
            payload = json.dumps({"conversation_id": str(told.conversation)})
            planter.plant(self.tables["ledger.jobs"], said | {"payload": payload})
            for job in (waits.id, db.scalar(text("SELECT max(id) FROM ledger.jobs"))):
                for table in ("ledger.kept_answers", "ledger.attempts"):
                    planter.plant(self.tables[table], {"job_id": job})
            for about in (shop.business, None) if unclaimed else (shop.business,):
                payload = json.dumps({"From": who.number, "body": who.tokens.text("nexara.provider_events.payload")})
                sent = {"business_id": about, "parsed_at": None, "payload": payload}
                planter.plant(self.tables["nexara.provider_events"], sent)
        return {row["id"] for name, row in planter.planted if name == "nexara.provider_events"}

    # What lies elsewhere.

    def hold(self, planter: Planter) -> None:
        """Put what the planted rows name into the bucket and at the vendors."""
        for name, row in planter.planted:
            table = Mapped.metadata.tables.get(name)
            for column in table.columns if table is not None else ():
                if row.get(column.name) and {"at", "at_in"} & set(column.info):
                    store = column.info.get("at") or row[column.info["at_in"]]
                    self._put(planter, store, column.info["what"], str(row[column.name]))

    def _put(self, planter: Planter, store: str, what: str, ref: str) -> None:
        who, place = planter.tokens, f"{store} {what}"
        if store == "objects":
            self.store(who, ref)
        elif store in VOICES:
            what = (
                "call" if (store, what) == ("vapi", "recording") else what
            )  # whatever it keeps, it keeps with the call
            audio = base64.b64encode(who.word(place).encode()).decode()
            self.remaining.put(store, what, ref, text=who.word(place), caller=who.phone(place), audio=audio)
        elif store in ("meta", "360dialog") and what == "media":
            data = base64.b64encode(who.word(place).encode()).decode()
            self.remaining.fill(store, media={ref: {"base64": data, "mime_type": "text/plain"}})
        elif store == "google" and what == "event":
            self.remaining.fill(
                "google", events={f"{self.grants[planter.business]}/primary/{ref}": {"summary": who.text(place)}}
            )
        elif store == "supabase":
            email = self.house.sql("SELECT email FROM nexara.users WHERE id = :id", id=ref)
            self.remaining.fill("supabase", users={ref: {"email": email}})
            self.remaining.fill("resend", contacts={str(uuid4()): {"email": email}})

    def store(self, who: Tokens, key: str) -> None:
        """Store an object twice, with a token in each version and its metadata; and begin an upload that never ends."""
        for _ in range(2):
            about, tag = {"said": who.word("objects metadata")}, f"who={who.word('objects tags')}"
            body = who.text("objects body").encode()
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, Metadata=about, Tagging=tag)
        self.s3.create_multipart_upload(Bucket=self.bucket, Key=key)

    # What is seen.

    def digests(self, mine: dict[str, set[str]], but: UUID | None = None) -> dict[tuple[str, str], str]:
        """Return the digests of all rows but these, the jobs that name them, and what erasures and jobs write.

        Left out are the rows of one business, too.
        """
        ids = {row_id for found in mine.values() for row_id in found}
        with self.house.admin.connect() as db:
            return {
                (name, str(row.get("id") or row)): digest
                for name, row, digest in catalog.rows_of(db, self.tables)
                if name not in OF_ENGINE | CURSORS
                and str(row.get("id")) not in mine.get(name, ())
                and row.get("business_id") != str(but)
                and not ids & set(map(str, (row.get("payload") or {}).values()))
            }

    def mine(self, roots: dict[str, list[str]]) -> dict[str, set[str]]:
        """Return the rows that hang on these."""
        with self.house.admin.connect() as db:
            return catalog.hanging_on(db, self.tables, roots)

    def know(self, tokens: Tokens, mine: dict[str, set[str]]) -> None:
        """Take the ids of these rows, the keys of their events and their objects for tokens, too."""
        with self.house.admin.connect() as db:
            for name, row, _ in catalog.rows_of(db, self.tables):
                if str(row.get("id")) in mine.get(name, ()):
                    tokens.known(f"{name}.id", Kind.ID, str(row["id"]))
                    for column in ("event_key", "object", "session"):
                        if row.get(column):
                            tokens.known(f"{name}.{column}", Kind.TEXT, str(row[column]))

    def sought(self, tokens: Tokens) -> tuple[Sought, Sought]:
        """Return what is looked for: all but ids, and ids alone, which may stand where nobody's data may."""
        salts = self.salts()
        ids = {subject: place for subject, place in tokens.made.items() if subject.kind is Kind.ID}
        return Sought(tokens.made, salts, but={Kind.ID}), Sought(ids)

    def missing(self, tokens: Tokens, found: dict[str, set[Hit]]) -> set[str]:
        """Return the columns for which tokens were made that are found nowhere."""
        seen = {hit.made_for for hits in found.values() for hit in hits}
        return {place for subject, place in tokens.made.items() if subject.kind is not Kind.ID} - seen

    def held_of(self, planters: Sequence[Planter]) -> set[Hit]:
        """Return what the bucket and the vendors have of those who stay."""
        made = {subject: place for planter in planters for subject, place in planter.tokens.made.items()}
        found = self.stores.elsewhere(Sought(made))
        assert found
        return found

    def waits(self, erasure: UUID) -> list[Any]:
        """Return what an erasure still waits for."""
        done = "('confirmed', 'lapses')"
        asked = f"SELECT store, what, ref, state, reason, tries FROM nexara.remains WHERE state NOT IN {done}"
        jobs = "SELECT kind, state, reason FROM ledger.jobs WHERE state NOT IN ('succeeded', 'cancelled')"
        failed = (
            "SELECT kind, error_code, message, place FROM ledger.attempts WHERE ended_at > now() - interval '5 minutes'"
        )
        return [
            *self.house.rows(failed),
            *self.house.rows(asked),
            *self.house.rows(jobs),
            *self.house.rows("SELECT * FROM nexara.unmapped()"),
        ]

    def of_business(self, shop: Shop, planter: Planter) -> dict[str, set[str]]:
        """Return all rows of a business, and who signs in for it."""
        found: dict[str, set[str]] = {BUSINESSES: {str(shop.business)}}
        with self.house.admin.connect() as db:
            for name, row, _ in catalog.rows_of(db, self.tables):
                if row.get("business_id") == str(shop.business) and "id" in row:
                    found.setdefault(name, set()).add(str(row["id"]))
                if name == "nexara.members" and row["business_id"] == str(shop.business):
                    found.setdefault(USERS, set()).add(str(row["user_id"]))
        unclaimed = {str(row["id"]) for name, row in planter.planted if name == "nexara.provider_events"}
        found.setdefault("nexara.provider_events", set()).update(unclaimed)
        return found

    def to_members(self) -> set[str]:
        """Return the mails that went to members alone: they are the members' own."""
        return {str(row.id) for row in self.house.rows("SELECT id FROM nexara.emails_sent WHERE to_identifier IS NULL")}

    def meter(self, *shops: Shop) -> None:
        """Have all that was planted metered, as the nightly reconciliation does: else its erasure would."""
        for shop in shops:
            with Desk(self.house.admin, self.house.web, shop.business).job() as db:
                meter(db, db.scalars(select(Conversation.id)).all())

    def metered(self) -> Any:
        """Return the sums of what was used."""
        sums = "SELECT business_id, unit, sum(quantity), count(*) FROM nexara.meter GROUP BY 1, 2 ORDER BY 1, 2"
        return self.house.rows(sums)

    def salts(self) -> list[bytes]:
        """Return the salts of all digests of ours."""
        return [bytes.fromhex(row.secret) for row in self.house.rows("SELECT secret FROM nexara.salts")]


def ways_by_hand() -> tuple[str, ...]:
    """Return the tables of the ledger in which a test plants what its jobs would leave."""
    return ("ledger.jobs", "ledger.attempts", "ledger.kept_answers", "ledger.batch_members", "ledger.batch_follow_ups")


def naming(tokens: Tokens, person: Speaker) -> str:
    """Return a text of somebody else's that names somebody in several spellings, and its own writer."""
    digits = person.number[3:]
    return NAMED_THERE.format(
        number=person.number,
        spaced=f"0{digits[:4]} {digits[4:7]} {digits[7:]}",
        bare=f"0044 {digits}",
        email=person.email.upper(),
        own=tokens.word("naming"),
    )


__all__ = ["World", "naming", "text"]

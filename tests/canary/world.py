"""A business and a bystander business, driven through every feature, with a token in every column besides."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from cryptography.fernet import Fernet
from sqlalchemy import text

from lifecycle.audit.needles import Kind
from models.base import Row as Mapped
from models.conversations import Channel
from tests.canary import catalog
from tests.canary.planting import CannotPlant, Planter, Row
from tests.canary.speakers import Speaker
from tests.canary.stores import Stores
from tests.canary.tokens import Tokens
from tests.canary.ways import BUSINESSES, BY_ITSELF, OF_ENGINE, OF_NOBODY, PEOPLE, USERS, forms, is_free
from tests.jobs.conftest import TOKEN_KEY
from tests.jobs.house import House
from tests.jobs.remaining import Remaining
from tests.jobs.shop import Shop, Told

VOICES = ("twilio", "telnyx", "vapi", "elevenlabs")
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

    def plant_person(self, shop: Shop, who: Tokens, person: UUID) -> Planter:
        """Plant a row in every table that leads to people, in each of its forms."""
        known = {str(row.id): row for row in self.house.rows("SELECT * FROM nexara.members")}
        member = next(key for key, row in known.items() if row.business_id == shop.business)
        with self.house.admin.begin() as db:
            planter = Planter(db, who, str(shop.business), {PEOPLE: {"id": str(person)}, "nexara.members": {"id": member}})
            for table in self._to_plant(self.of_people, planter):
                for told in forms(table, who):
                    planter.plant(table, told)
        return planter

    def plant_business(self, shop: Shop, who: Tokens) -> Planter:
        """Plant a row in every other table that is of a business; fill the business's own row."""
        with self.house.admin.begin() as db:
            planter = Planter(db, who, str(shop.business), {BUSINESSES: {"id": str(shop.business)}})
            business = self.tables[BUSINESSES]
            fixed = [column.name for column in business.columns if not is_free(column)]
            planter.fill(business, str(shop.business), fixed)
            grant = who.word("nexara.integrations.token")
            planter.base[USERS] = planter.plant(self.tables[USERS], {})
            for table in self._to_plant(self.of_businesses(), planter):
                for told in forms(table, who):
                    if table.name == "nexara.integrations":
                        told["token"] = Fernet(TOKEN_KEY).encrypt(grant.encode()).decode()
                    planter.plant(table, told)
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

    # What lies elsewhere.

    def hold(self, planter: Planter, grant: str) -> None:
        """Put what the planted rows name into the bucket and at the vendors."""
        for name, row in planter.planted:
            table = Mapped.metadata.tables.get(name)
            for column in table.columns if table is not None else ():
                if row.get(column.name) and {"at", "at_in"} & set(column.info):
                    store = column.info.get("at") or row[column.info["at_in"]]
                    self._put(planter.tokens, store, column.info["what"], str(row[column.name]), name, row, grant)

    def _put(self, who: Tokens, store: str, what: str, ref: str, name: str, row: Row, grant: str) -> None:
        place = f"{store} {what}"
        if store == "objects":
            self.store(who, ref)
        elif store in VOICES:
            audio = base64.b64encode(who.word(place).encode()).decode()
            self.remaining.put(store, what, ref, text=who.word(place), caller=who.phone(place), audio=audio)
        elif store in ("meta", "360dialog") and what == "media":
            data = base64.b64encode(who.word(place).encode()).decode()
            self.remaining.fill(store, media={ref: {"base64": data, "mime_type": "text/plain"}})
        elif store == "google" and what == "event":
            self.remaining.fill("google", events={f"{grant}/primary/{ref}": {"summary": who.text(place)}})
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

    def digests(self, mine: dict[str, set[str]], business: UUID | None = None) -> dict[tuple[str, str], str]:
        """Return the digests of all rows but these, and of what an erasure writes; of all, or of one business."""
        with self.house.admin.connect() as db:
            return {
                (name, str(row.get("id") or row)): digest
                for name, row, digest in catalog.rows_of(db, self.tables)
                if not (name in OF_ENGINE or name.startswith("ledger.") and name != "ledger.jobs")
                and str(row.get("id")) not in mine.get(name, ())
                and (business is None or row.get("business_id") == str(business))
            }

    def mine(self, roots: dict[str, list[str]]) -> dict[str, set[str]]:
        """Return the rows that hang on these."""
        with self.house.admin.connect() as db:
            return catalog.hanging_on(db, self.tables, roots)

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

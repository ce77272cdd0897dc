"""A fact enqueues its job in the transaction that makes it true, whoever writes it and in whatever order."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, Engine, create_engine, text


class Desk:
    """The web tier, for one business: it tells facts, and looks what became of them."""

    def __init__(self, admin: Engine, web: Engine) -> None:
        self.admin, self.web, self.business, self.person = admin, web, uuid4(), uuid4()
        with self.begin() as db:
            self.put(db, "businesses", id=self.business, name="A shop", country="IE")
            self.put(db, "people", id=self.person)
            db.commit()

    def begin(self) -> Connection:
        db = self.web.connect()
        db.execute(text("SELECT nexara.act_for(:b)"), {"b": self.business})
        return db

    def put(self, db: Connection, table: str, schema: str = "live", **values: Any) -> UUID:
        told = {"id": uuid4()} | ({} if table == "businesses" else {"business_id": self.business}) | values
        columns, marks = ", ".join(told), ", ".join(f":{name}" for name in told)
        db.execute(text(f"INSERT INTO {schema}.{table} ({columns}) VALUES ({marks})"), told)
        return told["id"]

    def conversation(self, db: Connection, channel: str, *, ended: bool = True, schema: str = "live") -> UUID:
        at = "2026-06-01T12:00:00Z" if ended else None
        told = {"person_id": self.person, "channel": channel, "ended_at": at, "event_key": uuid4().hex * 2}
        return self.put(db, "conversations", schema, **told)

    def call(self, db: Connection, conversation: UUID, *, recorded: bool, schema: str = "live") -> UUID:
        told = {"conversation_id": conversation, "recorded": recorded, "event_key": uuid4().hex * 2, "seconds": 60}
        return self.put(db, "calls", schema, **told)

    def recording(self, db: Connection, call: UUID, state: str) -> UUID:
        leg = self.put(db, "call_legs", call_id=call)
        return self.put(db, "recordings", leg_id=leg, state=state, object="a.wav" if state == "stored" else None)

    def jobs(self) -> list[tuple[str, dict[str, str], UUID]]:
        with self.admin.connect() as db:
            return list(db.execute(text("SELECT kind, payload, business_id FROM ledger.jobs ORDER BY id")))


@pytest.fixture
def desk(database: Any, admin: Engine) -> Iterator[Desk]:
    web = create_engine(database.web_url)
    yield Desk(admin, web)
    web.dispose()


def test_a_stored_recording_is_to_be_heard(desk):
    with desk.begin() as db:
        call = desk.call(db, desk.conversation(db, "call"), recorded=True)
        recording = desk.recording(db, call, "stored")
        db.commit()
    assert desk.jobs() == [("recordings.transcribe", {"recording_id": str(recording)}, desk.business)]


def test_a_recording_that_comes_later_is_heard_then_and_once(desk):
    with desk.begin() as db:
        recording = desk.recording(db, desk.call(db, desk.conversation(db, "call"), recorded=True), "pending")
        db.commit()
    assert desk.jobs() == []
    for change in ("state = 'stored', object = 'a.wav'", "state = 'stored'", "seconds = 12"):
        with desk.begin() as db:
            db.execute(text(f"UPDATE live.recordings SET {change} WHERE id = :id"), {"id": recording})
            db.commit()
    assert desk.jobs() == [("recordings.transcribe", {"recording_id": str(recording)}, desk.business)]


def test_a_fact_that_is_rolled_back_never_was(desk):
    with desk.begin() as db:
        desk.recording(db, desk.call(db, desk.conversation(db, "call"), recorded=True), "stored")
        desk.conversation(db, "sms")
        db.rollback()
    assert desk.jobs() == []


@pytest.mark.parametrize("channel", ["web_chat", "whatsapp", "sms"])
def test_a_written_conversation_is_summed_up_when_it_ends(desk, channel):
    with desk.begin() as db:
        conversation = desk.conversation(db, channel, ended=False)
        db.commit()
    assert desk.jobs() == []
    end = text("UPDATE live.conversations SET ended_at = now() WHERE id = :id")
    for _ in range(2):
        with desk.begin() as db:
            db.execute(end, {"id": conversation})
            db.commit()
    assert desk.jobs() == [("conversations.summarize", {"conversation_id": str(conversation)}, desk.business)]


def test_a_written_conversation_that_comes_ended_is_summed_up(desk):
    with desk.begin() as db:
        conversation = desk.conversation(db, "sms")
        db.commit()
    assert desk.jobs() == [("conversations.summarize", {"conversation_id": str(conversation)}, desk.business)]


def test_a_call_that_was_not_recorded_counts_when_both_its_rows_are_there(desk):
    with desk.begin() as db:
        conversation = desk.conversation(db, "call")
        desk.call(db, conversation, recorded=False)
        db.commit()
    assert desk.jobs() == [("usage.meter", {"conversation_id": str(conversation)}, desk.business)]


def test_a_call_that_was_not_recorded_counts_when_it_ends(desk):
    with desk.begin() as db:
        conversation = desk.conversation(db, "call", ended=False)
        desk.call(db, conversation, recorded=False)
        db.commit()
    assert desk.jobs() == []
    with desk.begin() as db:
        db.execute(text("UPDATE live.conversations SET ended_at = now() WHERE id = :id"), {"id": conversation})
        db.commit()
    assert desk.jobs() == [("usage.meter", {"conversation_id": str(conversation)}, desk.business)]


def test_a_call_s_row_that_comes_after_its_end_counts_then(desk):
    with desk.begin() as db:
        conversation = desk.conversation(db, "call")
        db.commit()
    assert desk.jobs() == []
    with desk.begin() as db:
        desk.call(db, conversation, recorded=False)
        db.commit()
    assert desk.jobs() == [("usage.meter", {"conversation_id": str(conversation)}, desk.business)]


def test_a_recorded_call_waits_for_its_recording(desk):
    with desk.begin() as db:
        desk.call(db, desk.conversation(db, "call"), recorded=True)
        db.commit()
    assert desk.jobs() == []


def test_what_an_administrator_loads_is_a_fact_too(desk):
    with desk.admin.begin() as db:
        conversation = desk.conversation(db, "call", schema="nexara")
        desk.call(db, conversation, recorded=False, schema="nexara")
    assert desk.jobs() == [("usage.meter", {"conversation_id": str(conversation)}, desk.business)]


def test_nobody_calls_what_the_facts_call(desk):
    with desk.begin() as db:
        for function in ("recording_stored", "thread_ended", "call_ended", "leave_remains", "leave_mentions"):
            ask = text(f"SELECT has_function_privilege('nexara.{function}()', 'EXECUTE')")
            assert db.scalar(ask) is False, function

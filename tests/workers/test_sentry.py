"""What leaves for Sentry, byte by byte: one event a dead job, check-ins, and nothing that anybody said."""

import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest
import sentry_sdk
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from ledger.claim import claim
from ledger.claimed import Ended
from ledger.contract import publish
from ledger.dispatch import dispatch
from ledger.enqueue import enqueue
from ledger.errors import GiveUp, Misconfigured
from ledger.failure import describe
from ledger.job import Registry
from ledger.payload import Payload, Terms
from ledger.run import Runner
from schedules.table import TIMETABLE
from workers import sentry
from workers.wiring import engine as live_engine

DSN = "http://public@127.0.0.1:9/1"
NAME, NUMBER, EMAIL = "Dagmar Quist", "+49 170 5550199", "dagmar@example.org"
WORDS = f"{NAME} on {NUMBER} or {EMAIL} wants a burst pipe mended"
SECRET = "secret-argument"
CANARIES = (NAME, "Dagmar", NUMBER, "5550199", "555 0199", EMAIL, "example.org", "burst pipe", SECRET)


class Caught(Transport):
    """Keeps what would leave."""

    def __init__(self) -> None:
        super().__init__()
        self.envelopes: list[Envelope] = []
        self.logged: list[str] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.envelopes.append(envelope)

    @property
    def raw(self) -> str:
        return "\n".join(envelope.serialize().decode() for envelope in self.envelopes)

    def items(self, kind: str) -> list[dict[str, Any]]:
        found = [item for envelope in self.envelopes for item in envelope.items if item.type == kind]
        return [json.loads(item.get_bytes()) for item in found]

    @property
    def events(self) -> list[dict[str, Any]]:
        return self.items("event")

    @property
    def check_ins(self) -> list[dict[str, Any]]:
        return self.items("check_in")


@pytest.fixture
def caught() -> Iterator[Caught]:
    hooks = sys.excepthook, threading.excepthook
    transport = Caught()
    sys.excepthook = lambda kind, *_: transport.logged.append(kind.__name__)
    threading.excepthook = lambda args: transport.logged.append(args.exc_type.__name__)
    sentry.start(DSN, "test", "abc123", transport=transport)
    yield transport
    sys.excepthook, threading.excepthook = hooks
    for canary in CANARIES:
        assert canary not in transport.raw
    assert set(sys.argv) & set(transport.raw.split('"')) <= {""}
    sentry_sdk.get_client().close(timeout=0)
    sentry_sdk.get_global_scope().set_client(None)


def failed(error: Exception) -> Ended:
    """Return what a runner tells of a job that died of this error."""

    def handler(argument: str) -> None:
        number = NUMBER
        raise error from ValueError(f"{argument} {number}")

    try:
        handler(SECRET)
    except Exception as raised:  # noqa: BLE001 - any
        return Ended(12_345_678, "leads.extract", 8, "dead", "attempts_exhausted", describe("leads.extract", raised))
    raise AssertionError


def test_without_a_dsn_nothing_is_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTRY_DSN", DSN)
    hook = sys.excepthook
    sentry.start("", "test")
    assert not sentry_sdk.get_client().is_active()
    assert sys.excepthook is hook
    sentry.tell(failed(ValueError(WORDS)))
    sentry.fired("retention", 1)
    sentry.flush()


def test_a_dead_job_is_one_event_of_ids_codes_and_places(caught: Caught) -> None:
    ended = failed(ValueError(WORDS))
    sentry.tell(ended)
    (event,) = caught.events
    assert ended.failure is not None
    assert event["tags"] == {
        "job_id": "12345678",
        "kind": "leads.extract",
        "state": "dead",
        "reason": "attempts_exhausted",
        "code": "unexpected",
        "attempt": "8",
    }
    assert event["exception"]["values"] == [
        {"type": "ValueError", "value": "unexpected", "mechanism": {"type": "nexara", "handled": True}}
    ]
    assert event["fingerprint"] == [ended.failure.fingerprint]
    assert event["transaction"] == "leads.extract"
    assert (event["environment"], event["release"]) == ("test", "abc123")
    assert "test_sentry.py" in event["contexts"]["failure"]["frames"]
    assert set(event) == {
        "event_id",
        "timestamp",
        "level",
        "platform",
        "environment",
        "release",
        "sdk",
        "exception",
        "transaction",
        "fingerprint",
        "tags",
        "contexts",
    }


def test_only_an_end_without_success_is_an_event(caught: Caught) -> None:
    failure = describe("leads.extract", ValueError(WORDS))
    for state in ("succeeded", "available", "retryable", "cancelled", "discarded", "moved_on"):
        sentry.tell(Ended(1, "leads.extract", 1, state, "bug", failure))
    assert caught.envelopes == []


def test_a_job_that_killed_its_workers_is_an_event_too(caught: Caught) -> None:
    sentry.tell(Ended(5, "recordings.transcribe", 3, "dead", "poison"))
    (event,) = caught.events
    assert event["tags"]["reason"] == "poison"
    assert event["fingerprint"] == ["recordings.transcribe", "poison"]
    assert event["exception"]["values"][0]["type"] == "Lost"


def test_a_missing_key_that_parks_a_thousand_jobs_is_told_once(caught: Caught) -> None:
    failure = describe("leads.extract", Misconfigured("no_key", setting="ANTHROPIC_API_KEY"))
    for job_id in range(1000):
        sentry.tell(Ended(job_id, "leads.extract", 1, "parked", "no_key", failure))
    sentry.tell(Ended(7, "alerts.send", 1, "parked", "no_key", failure))
    assert [event["tags"]["kind"] for event in caught.events] == ["leads.extract", "alerts.send"]


def test_our_own_words_of_a_failure_stay_here_too(caught: Caught) -> None:
    sentry.tell(failed(GiveUp("unreadable", f"Said {WORDS}.")))
    assert caught.events[0]["exception"]["values"][0]["value"] == "unreadable"


@dataclass
class Vendor:
    """A vendor that quotes what it was given."""

    def ask(self, said: str) -> str:
        caller = {"name": NAME, "number": NUMBER}
        raise ConnectionError(f"400 Bad Request: {said} {caller}")


class Ask(Payload):
    """Ask a vendor that quotes."""

    kind: ClassVar[str] = "walls.ask"
    terms: ClassVar[Terms] = Terms(queue="walls", max_attempts=3)

    wall_id: UUID


def registry() -> Registry:
    made = Registry()

    @made.vendor_job(Ask)
    class AskVendor:
        def load(self, db: Session, payload: Ask) -> str:
            return WORDS

        def call(self, given: str, vendors: Vendor) -> str:
            logging.getLogger("httpx").warning("POST /v1?to=%s", given)
            return vendors.ask(given)

        def save(self, db: Session, payload: Ask, answer: str) -> None:
            raise AssertionError

    return made


def test_a_real_job_that_fails_three_times_is_one_event(caught: Caught, database: Any) -> None:
    kinds, wall, business = registry(), uuid4(), uuid4()
    admin, worker = create_engine(database.admin_url), live_engine(database.worker_url, 2)
    with admin.begin() as db:
        publish(db, kinds)
    with Session(worker) as session, session.begin():
        job_id = enqueue(session, Ask(wall_id=wall), business_id=business)
    runner = Runner(kinds, worker, Vendor(), tell=sentry.tell)
    states = []
    for _ in range(3):
        with admin.begin() as db:
            db.execute(text("UPDATE ledger.jobs SET run_at = now()"))
            db.execute(text("SELECT ledger.promote_v1()"))
        with worker.begin() as db:
            tokens = [(job.id, job.fence) for job in dispatch(db, "walls", [9] * 4)]
            (claimed,) = claim(db, uuid4(), kinds.kinds, [], tokens)
        states.append(runner.run(claimed).state)
    admin.dispose()
    worker.dispose()
    assert states == ["retryable", "retryable", "dead"]
    (event,) = caught.events
    assert event["tags"]["job_id"] == str(job_id)
    assert event["exception"]["values"][0]["type"] == "ConnectionError"
    assert "in ask" in event["contexts"]["failure"]["frames"]
    assert str(wall) not in caught.raw
    assert str(business) not in caught.raw


@pytest.mark.parametrize("schedule", [schedule for schedule in TIMETABLE if schedule.daily], ids=lambda s: s.name)
def test_a_daily_schedule_checks_in_when_fired_and_when_its_job_ends(caught: Caught, schedule: Any) -> None:
    kind = next(kind for kind, known in sentry._monitored().items() if known is schedule)
    for job_id, state in ((31, "succeeded"), (32, "dead")):
        sentry.fired(schedule.name, job_id)  # by the scheduler
        sentry.tell(Ended(job_id, kind, 1, "available"))  # by a worker: a batch of it is done
        sentry.tell(Ended(job_id, kind, 1, "retryable", "down"))
        sentry.tell(Ended(job_id, kind, 2, state))
    assert [said["status"] for said in caught.check_ins] == ["in_progress", "ok", "in_progress", "error"]
    ids = [said["check_in_id"] for said in caught.check_ins]
    assert ids[0] == ids[1] != ids[2] == ids[3]
    assert all(UUID(hex=known).hex == known for known in ids)
    assert {said["monitor_slug"] for said in caught.check_ins} == {schedule.name}
    config = caught.check_ins[0]["monitor_config"]
    assert config["schedule"] == {"type": "crontab", "value": schedule.cron}
    assert config["timezone"] == schedule.zone


def test_both_daily_schedules_are_monitored_and_the_others_are_not(caught: Caught) -> None:
    assert {schedule.name for schedule in sentry._monitored().values()} == {"retention", "reconciliation"}
    sentry.fired("recovery", 1)
    sentry.tell(Ended(1, "conversations.recover", 1, "succeeded"))
    assert caught.envelopes == []


def test_two_environments_do_not_answer_for_each_other() -> None:
    assert sentry.check_in_id("staging", "retention", 1) != sentry.check_in_id("production", "retention", 1)


def leak_exception() -> None:
    try:
        failed_locally(NUMBER)
    except RuntimeError:
        sentry_sdk.capture_exception()


def failed_locally(number: str) -> None:
    caller = NAME  # noqa: F841 - a local that must not leave
    raise RuntimeError(f"for {number}")


def leak_message() -> None:
    sentry_sdk.capture_message(WORDS)


def leak_scope() -> None:
    with sentry_sdk.new_scope() as scope:
        scope.set_user({"email": EMAIL, "username": NAME})
        scope.set_tag("caller", NUMBER)
        scope.set_extra("said", WORDS)
        scope.set_context("failure", {"frames": WORDS})
        scope.set_transaction_name(f"/calls/{NUMBER}")
        scope.add_breadcrumb(message=WORDS)
        scope.add_attachment(bytes=WORDS.encode(), filename="call.txt")
        scope.capture_message("x")
        leak_exception()


def leak_everything_at_once() -> None:
    event: Any = {
        "message": WORDS,
        "request": {"url": f"https://app/{NUMBER}", "data": WORDS},
        "user": {"email": EMAIL},
        "extra": {"sys.argv": sys.argv},
        "server_name": NAME,
        "fingerprint": [WORDS],
        "exception": {"values": [{"type": "X", "value": "dagmar", "stacktrace": {"frames": [{"vars": {"a": WORDS}}]}}]},
        "threads": {"values": [{"name": NAME}]},
        "modules": {NAME: "1"},
    }
    sentry_sdk.capture_event(event)


def leak_log() -> None:
    logging.getLogger("dramatiq.worker").error("Failed to process message ask(%r)", WORDS)
    logging.getLogger("workers").error(WORDS)


def leak_other_sorts() -> None:
    with sentry_sdk.start_transaction(name=WORDS, sampled=True) as transaction:
        transaction.set_data("said", WORDS)
    sentry_sdk.metrics.count("calls", 1, attributes={"caller": NAME})


@pytest.mark.parametrize(
    "leak", [leak_exception, leak_message, leak_scope, leak_everything_at_once, leak_log, leak_other_sorts]
)
def test_what_somebody_adds_later_does_not_leave_either(caught: Caught, leak: Callable[[], None]) -> None:
    leak()
    sentry_sdk.flush(timeout=1)
    for event in caught.events:
        assert "tags" not in event
        for value in event.get("exception", {}).get("values", []):
            assert value["value"] == "withheld"
        assert event.get("logentry", {"message": "withheld"}) == {"message": "withheld"}
    assert {item.type for envelope in caught.envelopes for item in envelope.items} <= {"event"}


def test_the_wall_masks_even_our_own_events(caught: Caught) -> None:
    sentry._send(f"for {NUMBER}", None, {"job_id": NUMBER, "kind": EMAIL, "reason": "sql_23505"}, "gone")
    (event,) = caught.events
    assert event["tags"] == {"job_id": "#", "kind": "#", "reason": "sql_23505", "code": "gone"}
    assert event["transaction"] == "for #"


def test_a_crash_of_the_process_or_a_thread_is_an_event_and_still_reaches_the_log(caught: Caught) -> None:
    thread = threading.Thread(target=failed_locally, args=(NUMBER,))
    thread.start()
    thread.join()
    try:
        failed_locally(NUMBER)
    except RuntimeError as error:
        sys.excepthook(RuntimeError, error, error.__traceback__)
    assert [event["transaction"] for event in caught.events] == ["thread", "process"]
    assert {event["exception"]["values"][0]["type"] for event in caught.events} == {"RuntimeError"}
    assert caught.logged == ["RuntimeError", "RuntimeError"]

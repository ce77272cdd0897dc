"""kill -9 of the worker between every two steps of the sweep and of erasures: each fresh one goes on where it died.

Two go at once, so that each death is one of both: a person whom the business deletes, and a business that left.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from lifecycle.journal import key_of
from sandbox.storage import Storage
from tests.chaos.dying import Mortal, mortal
from tests.chaos.erasing import MESSAGES, Doomed, everything, named, planted, town
from tests.chaos.facts import Web
from tests.chaos.held import frozen
from tests.chaos.world import World

SWEEP = """SELECT ledger.enqueue_job_v1('retention.sweep', '{"as_of": "2999-01-01T00\\:00\\:00Z"}', :house)"""
LONG_AGO = "INSERT INTO nexara.waitlist (email, created_at) VALUES ('a@example.com', now() - interval '9 years')"
LEFT = "UPDATE nexara.businesses SET ended_at = now() - interval '46 days' WHERE id = :b"
MANY = "SELECT count(*) FROM nexara.messages WHERE conversation_id = :c"
ANY_ERASURE = "SELECT FROM nexara.erasures FOR NO KEY UPDATE"
ERASURE = "SELECT FROM nexara.erasures WHERE business_id = %s FOR NO KEY UPDATE"
UNWELL = "SELECT kind, state, reason FROM ledger.jobs WHERE state NOT IN ('succeeded', 'cancelled')"
CELLS = "SELECT industry, channel, outcome, people, businesses, conversations FROM nexara.activity"
UNNOTED = """
SELECT count(*) FROM nexara.remains WHERE store = 'twilio' AND state = 'planned' AND business_id = ANY (:of)
"""
BOTH = 2


@pytest.fixture
def dying(world: World) -> Iterator[Mortal]:
    with mortal(world, world.web.objects) as dying:
        yield dying


@pytest.fixture
def person(world: World, dying: Mortal) -> Doomed:
    return _written(dying, Doomed(world.web, "+447700900123", "Quillfeather", f"CA{1:032x}", "+447700900456"))


@pytest.fixture
def leaver(world: World, dying: Mortal) -> Doomed:
    web = Web(world.web.engine, world.web.objects)
    return _written(dying, Doomed(web, "+447700900789", "Marrowbone", f"CA{2:032x}", "+447700900321"))


def _written(dying: Mortal, doomed: Doomed) -> Doomed:
    doomed.write()
    dying.puts(doomed.ref)
    dying.of.append(doomed.business)
    return doomed


def test_a_person_and_a_business_are_erased_though_the_worker_dies_between_every_two_steps(
    world: World, storage: Storage, dying: Mortal, person: Doomed, leaver: Doomed
) -> None:
    other = planted(world)
    town(world, businesses=5, people=3, ago=timedelta(days=65))
    world.dispatcher()
    _die_sweeping(world, dying, leaver)
    asked = person.erase()
    _die_beginning(world, dying)
    with frozen(storage.pid), dying.killed():
        dying.asks("privacy.record", BOTH)
        dying.until(lambda: _are_over(world, "retention.%"), "what was due of others has ended")
        before, about = everything(world, other), person.bystanders_rows(world)
    assert _states(dying) == {"confirmed"}
    assert list(dying.objects.held("journal/")) == []
    ended = world.value("SELECT id FROM nexara.erasures WHERE business_id = :b", b=leaver.business)
    both = ((person, asked), (leaver, ended))
    _die_recording(world, dying, both)
    _die_erasing(world, dying, person, leaver)
    _die_copying(world, dying, BOTH)
    _die_completing(world, storage, dying)
    dying.worker()
    dying.until(lambda: not world.open_jobs(), "every job has ended")
    assert world.sql(UNWELL) == []
    for doomed, erasure in both:
        receipt = dying.has_one_receipt(doomed.business, erasure)
        assert receipt.body["rows"]["messages"] >= MESSAGES
        assert list(dying.objects.held(doomed.object)) == []
    assert named(world, (*person.tokens, *leaver.tokens)) == []
    assert dying.at_carrier() == set()
    assert everything(world, other) == before
    assert person.bystanders_rows(world) == [row.replace(person.number, "[erased]") for row in about]
    assert world.sql(CELLS) == [("bakery", "sms", "none", 15, 5, 15)]


def _die_sweeping(world: World, dying: Mortal, leaver: Doomed) -> None:
    world.sql(LEFT, b=leaver.business)
    world.sql(LONG_AGO)
    world.sql(SWEEP, house=UUID(int=0))
    with dying.killed(world.hold("SELECT FROM nexara.waitlist FOR UPDATE")):
        dying.waits("DELETE")
    assert world.value("SELECT count(*) FROM ledger.jobs WHERE kind = 'retention.end'") == 0


def _die_beginning(world: World, dying: Mortal) -> None:
    """Die while a month is counted, while the business is ended, and while it is found out whom the person means."""
    months, ends = "LOCK TABLE nexara.activity IN SHARE MODE", "LOCK TABLE nexara.erasures IN SHARE MODE"
    with dying.killed(world.hold(months), world.hold(ends)):
        dying.waits("count_month_v1")
        dying.waits("INSERT INTO")
        dying.waits("UPDATE")
        # It waits for the bucket, as what dies next does: a job that is lost three times is not tried again.
        dying.until(lambda: _are_over(world, "privacy.prune"), "the journal was looked through")
    assert _states(dying) == {"resolving"}
    assert world.value("SELECT count(*) FROM nexara.activity_months") == 0


def _die_recording(world: World, dying: Mortal, both: Any) -> None:
    """Die with the journal's entry in the bucket, and nobody who knows that."""
    with dying.killed(world.hold(ANY_ERASURE)):
        dying.waits("UPDATE", BOTH)
    assert _states(dying) == {"confirmed"}
    assert not any(dying.objects.gone(key_of(doomed.business, erasure)) for doomed, erasure in both)


def _die_erasing(world: World, dying: Mortal, person: Doomed, leaver: Doomed) -> None:
    """Die after the fence, between two batches of rows, and over the texts."""
    with dying.killed(world.hold("SELECT FROM nexara.messages FOR UPDATE")):
        dying.waits("DELETE", BOTH)
    assert [world.value(MANY, c=each.chat) for each in (person, leaver)] == [MESSAGES, MESSAGES]
    stones = "SELECT count(*) FROM nexara.tombstones WHERE business_id = :b AND sort = 'identifier'"
    assert world.value(stones, b=person.business) == 1
    with dying.killed(world.hold("SELECT FROM nexara.conversations FOR UPDATE")):
        dying.waits("DELETE", BOTH)
    # Some batches are committed, the last may be: what a transaction does ends with the time it may take.
    left = [world.value(MANY, c=each.chat) for each in (person, leaver)]
    assert max(left) < MESSAGES, left
    texts = world.hold("SELECT FROM nexara.messages WHERE id = %s FOR UPDATE", person.theirs)
    # Of a whole business there are no texts of others: its last batch of rows cannot be noted instead.
    with dying.killed(texts, world.hold(ERASURE, leaver.business)):
        dying.waits("UPDATE", BOTH)
    assert _states(dying) == {"erasing"}
    assert world.value("SELECT count(*) FROM nexara.people WHERE id = :p", p=person.person) == 0


def _die_copying(world: World, dying: Mortal, many: int) -> None:
    """Die when the carrier has deleted, and nothing says so."""
    dying.late(many)
    with dying.killed() as worker, dying.unnoted(many):
        dying.dies(worker)
    assert dying.at_carrier() == set()
    assert world.value(UNNOTED, of=dying.of) == many
    assert _states(dying) == {"pending"}


def _die_completing(world: World, storage: Storage, dying: Mortal) -> None:
    """Die with all read back and no receipt, and with a receipt that lies nowhere else."""
    with dying.killed(world.hold("LOCK TABLE nexara.receipts IN SHARE MODE")):
        dying.waits("receipts", BOTH)
    assert _states(dying) == {"pending"}
    with frozen(storage.pid), dying.killed():
        dying.asks("privacy.deposit", BOTH)
    assert _states(dying) == {"completed"}
    assert list(dying.objects.held("receipts/")) == []


def _states(dying: Mortal) -> set[str]:
    found = dying.world.sql("SELECT state FROM nexara.erasures WHERE business_id = ANY (:of)", of=dying.of)
    return {row[0] for row in found}


def _are_over(world: World, kinds: str) -> bool:
    open_jobs = "SELECT count(*) FROM ledger.jobs WHERE kind LIKE :kinds AND finished_at IS NULL"
    return not world.value(open_jobs, kinds=kinds)

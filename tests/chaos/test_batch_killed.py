"""kill -9 in the middle of a batch of some hundred jobs: it completes once, with every job counted as it ended."""

import time
from uuid import UUID, uuid4

import pytest
from sqlalchemy.orm import Session

from jobs.usage.payloads import MeterConversation
from ledger.batch import batch
from models.conversations import Channel
from tests.chaos.facts import MESSAGES, Talk, write
from tests.chaos.test_storm import Storm
from tests.chaos.world import World

ENDED = "SELECT count(*) FROM ledger.jobs WHERE in_batch AND finished_at IS NOT NULL"
COMPLETE = "SELECT * FROM ledger.batches WHERE completed_at IS NOT NULL"
MEMBERS = "SELECT j.* FROM ledger.batch_members m JOIN ledger.jobs j ON j.id = m.job_id"


def filled(world: World, count: int) -> UUID:
    """Commit chats and one batch that meters them; return the chat that is metered after all of them.

    Nothing else is enqueued for these, so that the batch alone is at work.
    """
    world.sql("ALTER TABLE nexara.conversations DISABLE TRIGGER thread_ended")
    world.sql("UPDATE nexara.members SET alerts = false")
    talks = [Talk(world.web.business, Channel.WEB_CHAT, f"CHAT{uuid4().hex[:12]}") for _ in range(count + 1)]
    with world.web.acting() as db:
        for talk in talks:
            write(db, talk)
        last, *rest = (MeterConversation(conversation_id=talk.id) for talk in talks)
        with batch(Session(db), then=last) as opened:
            opened.enqueue_many(rest)
    return talks[0].id


def prove(world: World, last: UUID, count: int) -> None:
    """Check that the batch completed once, after all of its jobs and with each of them, and was followed once."""
    (row,) = world.sql(COMPLETE)
    members = world.sql(MEMBERS)
    assert len(members) == count
    states = ("succeeded", "dead", "cancelled", "discarded")
    assert {state: getattr(row, state) for state in states} == {
        state: sum(member.state == state for member in members) for state in states
    }
    ended_at = max(member.finished_at for member in members)
    print(f"{row.succeeded} succeeded, {row.dead} died; complete {row.completed_at - ended_at} after the last end")
    followed = world.sql("SELECT * FROM ledger.jobs WHERE payload ->> 'conversation_id' = :id", id=str(last))
    assert len(followed) == 1
    assert followed[0].enqueued_at >= ended_at
    assert world.value("SELECT job_id FROM ledger.batch_follow_ups") == followed[0].id
    metered = world.value("SELECT count(*) FROM nexara.meter")
    assert metered == MESSAGES * (row.succeeded + 1)
    assert world.value("SELECT count(*) FROM ledger.batch_ends") == 0


def test_workers_and_a_dispatcher_killed_in_the_middle_of_a_batch_change_nothing_of_its_completion(
    world: World,
) -> None:
    count = 300
    last = filled(world, count)
    world.dispatcher().up()
    for part in (1, 2):
        worker = world.worker(threads=4).up()
        world.until(lambda part=part: world.value(ENDED) >= part * count // 4, "some of it is done")
        with world.hold("LOCK TABLE nexara.meter IN SHARE MODE") as meter:
            meter.waited_for()  # jobs are in the middle of the transaction that ends them
            worker.kill()
    assert not world.sql(COMPLETE)
    for process in world.processes:
        process.kill()
    dispatcher = world.dispatcher()
    world.worker(threads=4)
    with world.hold("LOCK TABLE ledger.batch_members IN EXCLUSIVE MODE") as members:
        members.waited_for("settle_batches_v1")  # it has taken notes up, and written none of them down
        dispatcher.kill()
    world.dispatcher()
    world.until(lambda: world.sql(COMPLETE), "the batch is complete")
    world.until(lambda: not world.open_jobs(), "what follows is done")
    assert world.value("SELECT count(*) FROM ledger.attempts WHERE outcome = 'lost'") > 0
    prove(world, last, count)


@pytest.mark.chaos
@pytest.mark.timeout(600)
def test_a_batch_of_thousands_completes_once_in_a_storm(world: World) -> None:
    count = 5000
    last = filled(world, count)
    storm = Storm(world)
    for start in (world.worker, world.worker, world.dispatcher, world.dispatcher):
        start()
    until = time.monotonic() + 60
    while time.monotonic() < until and not world.sql(COMPLETE):
        storm.strike()
        time.sleep(1)
    for start in (world.worker, world.dispatcher):  # one may have been started while the database was down
        start()
    world.until(lambda: world.sql(COMPLETE) and not world.open_jobs(), "all is done", within=180)
    prove(world, last, count)

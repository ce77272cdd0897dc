"""kill -9 of the dispatcher: what it had taken and not rung for is rung for, and another takes over."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.chaos.conftest import Worlds
from tests.chaos.proof import prove
from tests.chaos.vendors import requests
from tests.chaos.world import World

SUMMARIZE = "conversations.summarize"
TURN = "SELECT pg_advisory_xact_lock(hashtext('nexara.queue'), hashtext('language'))"


@pytest.fixture(scope="module")
def world(worlds: Worlds) -> Iterator[World]:
    """A worker that is there all the time; each test brings the dispatchers."""
    with worlds() as world:
        world.worker()
        yield world


@pytest.fixture(autouse=True)
def _alone(world: World) -> Iterator[None]:
    yield
    for process in world.processes[1:]:
        process.kill()


@contextmanager
def frozen_worker(world: World) -> Iterator[None]:
    """Stop the clock of the worker that is always there; it is heard again before anybody gives it up."""
    world.processes[0].freeze()
    yield
    world.processes[0].thaw()


def test_killed_between_its_commit_and_its_push_it_leaves_jobs_that_are_rung_for_again(world: World) -> None:
    dispatcher = world.dispatcher().up()
    with world.hold("LOCK TABLE ledger.turns IN EXCLUSIVE MODE") as turns:
        talk = world.web.chat()
        turns.waited_for("dispatch_v1")  # it has asked Redis how full the lists are, and picked
        with world.frozen_redis():
            turns.release()
            world.until(lambda: world.job(SUMMARIZE, talk.id).state == "dispatched", "its pick is committed")
            dispatcher.kill()
            world.redis_server.kill()  # with what its socket holds of the push
    world.redis_server.start()
    world.dispatcher()
    print(f"finished {world.finish():.1f} s after the next dispatcher was started")
    prove(world)


def test_killed_while_it_promotes_it_leaves_jobs_that_the_next_one_picks(world: World) -> None:
    talk = world.web.chat()
    world.sql("UPDATE ledger.jobs SET state = 'scheduled' WHERE id = :id", id=world.job(SUMMARIZE, talk.id).id)
    with world.hold("LOCK TABLE ledger.jobs IN SHARE MODE") as jobs:
        dispatcher = world.dispatcher()
        jobs.waited_for("promote_v1")
        dispatcher.kill()
    world.until(lambda: not world.sql("SELECT FROM pg_locks WHERE NOT granted"), "its statement ran to its end")
    assert world.job(SUMMARIZE, talk.id).state in ("scheduled", "available")
    world.dispatcher()
    print(f"finished {world.finish():.1f} s after the next dispatcher was started")
    prove(world)


def test_killed_between_what_it_promoted_and_its_pick_it_leaves_jobs_that_the_next_one_picks(world: World) -> None:
    with world.hold(TURN):  # it finds another one at the queue, and picks nothing
        talk = world.web.chat()
        job = world.job(SUMMARIZE, talk.id)
        world.sql("UPDATE ledger.jobs SET state = 'scheduled' WHERE id = :id", id=job.id)
        dispatcher = world.dispatcher()
        world.until(lambda: world.job(SUMMARIZE, talk.id).state == "available", "what it promoted is committed")
        dispatcher.kill()
    assert world.job(SUMMARIZE, talk.id).state == "available"
    world.dispatcher()
    print(f"finished {world.finish():.1f} s after the next dispatcher was started")
    prove(world)


def test_killed_between_what_it_parked_or_freed_and_its_pick_it_leaves_jobs_where_they_belong(world: World) -> None:
    with world.hold(TURN):
        paused = world.value("SELECT ledger.pause_v1('a test', 'it tests', p_kind => :kind)", kind=SUMMARIZE)
        talk = world.web.chat()
        dispatcher = world.dispatcher()
        world.until(lambda: world.job(SUMMARIZE, talk.id).state == "parked", "what it parked is committed")
        dispatcher.kill()
        world.sql("SELECT ledger.resume_v1(:id, 'a test')", id=paused)
        assert world.job(SUMMARIZE, talk.id).state == "parked"
        dispatcher = world.dispatcher()
        world.until(lambda: world.job(SUMMARIZE, talk.id).state == "available", "what it freed is committed")
        dispatcher.kill()
    world.dispatcher()
    print(f"finished {world.finish():.1f} s after the next dispatcher was started")
    prove(world)


def test_of_two_dispatchers_the_other_goes_on_at_once(world: World) -> None:
    first, second = world.dispatcher(), world.dispatcher()
    first.up(), second.up()
    world.web.chat()
    world.finish()
    first.kill()
    world.web.chat()
    print(f"the other finished a conversation in {world.finish():.1f} s")
    prove(world)


def test_killed_in_the_middle_of_a_rescue_it_leaves_jobs_that_the_next_one_rescues(world: World) -> None:
    with frozen_worker(world):
        dispatcher, victim = world.dispatcher().up(), world.worker().up()
        world.vendors.slow("anthropic", seconds=60)
        before = len(requests(world.vendors.anthropic))
        talk = world.web.chat()
        world.until(lambda: len(requests(world.vendors.anthropic)) > before, "the vendor was asked")
        victim.kill()
    with world.hold("LOCK TABLE ledger.attempts IN ACCESS EXCLUSIVE MODE") as attempts:
        attempts.waited_for("rescue_v1")
        dispatcher.kill()
    held = world.job(SUMMARIZE, talk.id)
    assert (held.state, held.worker_id, held.rescues) == ("running", victim.worker_id, 0)
    world.dispatcher()
    print(f"finished {world.finish():.1f} s after the next dispatcher was started")
    prove(world, asked_again={("summarize", talk.mark): 1}, lost=1)

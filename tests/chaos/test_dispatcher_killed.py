"""kill -9 of the dispatcher: what it had taken and not rung for is rung for, and another takes over."""

from collections.abc import Iterator

import pytest

from tests.chaos.conftest import Worlds
from tests.chaos.proof import prove
from tests.chaos.world import World

SUMMARIZE = "conversations.summarize"


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


def test_of_two_dispatchers_the_other_goes_on_at_once(world: World) -> None:
    first, second = world.dispatcher(), world.dispatcher()
    first.up(), second.up()
    world.web.chat()
    world.finish()
    first.kill()
    world.web.chat()
    print(f"the other finished a conversation in {world.finish():.1f} s")
    prove(world)

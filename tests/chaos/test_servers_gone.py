"""Redis stopped, hung and emptied, PostgreSQL restarted and hung, all under the same two living processes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ledger.watch import STALE_AFTER, UNHEARD_AFTER
from sandbox.postgres import Mode
from tests.chaos.conftest import Worlds
from tests.chaos.proof import prove
from tests.chaos.world import Process, World

THREADS = 4
STALE = STALE_AFTER.total_seconds() + 0.5
SILENCE = "SELECT max(extract(epoch FROM clock_timestamp() - heartbeat_at)) FROM ledger.workers"
RUNNING = "SELECT count(*) FROM ledger.jobs WHERE state = 'running'"
ROUNDS = "SELECT max(fence) / 3 FROM ledger.jobs"  # a job that succeeds at once has been dispatched, claimed and saved
TRIED = "SELECT kind, outcome, error_class, error_code, place FROM ledger.attempts"


@pytest.fixture(scope="module")
def world(worlds: Worlds) -> Iterator[World]:
    """A worker and a dispatcher that live through all of these tests, and have worked before."""
    with worlds() as world:
        world.worker(threads=THREADS), world.dispatcher()
        world.web.call()
        world.finish()
        yield world


@pytest.fixture(autouse=True)
def _proved(world: World) -> Iterator[None]:
    yield
    assert world.sql(TRIED) == [], "no attempt failed, none was lost"
    assert world.value(ROUNDS) <= 2, "nothing was claimed and given back again and again"
    assert all(process.alive() for process in world.processes)
    prove(world)


def test_what_was_rolled_back_never_runs_and_what_was_committed_always_does(world: World) -> None:
    talks = [world.web.chat(), world.web.call()]
    world.finish()
    assert {talk.id for talk in world.web.talks} >= {talk.id for talk in talks}
    assert len(world.web.withdrawn) == len(world.web.talks)  # `prove` looks for traces of them


def test_while_redis_is_down_the_worker_goes_straight_to_the_ledger(world: World) -> None:
    world.redis_server.kill()
    world.web.chat(), world.web.call()
    print(f"finished without Redis in {world.finish():.1f} s")
    world.redis_server.start()
    world.web.chat()
    print(f"and with it again in {world.finish():.1f} s")


def test_while_redis_hangs_the_worker_goes_straight_to_the_ledger_and_its_heart_goes_on_beating(world: World) -> None:
    silences = []
    with world.frozen_redis():
        world.web.chat(), world.web.call()

        def finished() -> bool:
            silences.append(world.value(SILENCE))
            return not world.open_jobs()

        print(f"finished while Redis hung in {world.until(finished, 'finished without Redis'):.1f} s")
    assert max(silences) < UNHEARD_AFTER.total_seconds()
    world.web.chat()
    print(f"and after it in {world.finish():.1f} s")


def test_a_restart_that_empties_redis_loses_no_job(world: World) -> None:
    for _ in range(3):
        world.web.chat()
        world.redis_server.restart()
        world.web.chat()
    print(f"finished {world.finish():.1f} s after the last restart")


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_restart_of_postgres_in_the_middle_of_work_costs_no_attempt(world: World, mode: Mode) -> None:
    _busy(world)
    world.postgres.restart(mode)
    world.web.chat()
    print(f"finished {world.finish():.1f} s after the restart")


def test_a_stop_of_postgres_longer_than_the_stale_window_rescues_nobody_alive(world: World) -> None:
    _busy(world)
    world.postgres.stop("immediate")
    time.sleep(STALE)
    with _slow(world.processes[0]):
        world.postgres.start()
        time.sleep(1.5)
    print(f"finished {world.finish():.1f} s after the start")


def test_a_hang_of_postgres_longer_than_the_stale_window_rescues_nobody_alive(world: World) -> None:
    _busy(world)
    with _slow(world.processes[0]):
        with world.frozen_postgres():
            time.sleep(STALE)
        time.sleep(1.5)
    print(f"finished {world.finish():.1f} s after the hang")


@contextmanager
def _slow(worker: Process) -> Iterator[None]:
    """Let a worker get no time at all: it lives, and comes last to say so."""
    worker.freeze()
    yield
    worker.thaw()


def _busy(world: World) -> None:
    """Have jobs in calls, and others before and after them."""
    world.vendors.slow("anthropic", seconds=1, times=2)
    world.vendors.slow("deepgram", seconds=1)
    world.web.call()
    for _ in range(4):
        world.web.chat()
    world.until(lambda: world.value(RUNNING) >= THREADS * 3 // 4, "its threads are in calls")

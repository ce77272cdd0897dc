"""PostgreSQL restarted under living workers: nobody alive is rescued, and nothing is lost or done twice."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ledger.watch import STALE_AFTER
from sandbox.postgres import Mode
from tests.chaos.proof import prove
from tests.chaos.world import Process, World

STALE = STALE_AFTER.total_seconds() + 0.5
NOW_WORKING = "SELECT count(*) FROM ledger.jobs WHERE state = 'running'"
TROUBLE = "SELECT kind, outcome, error_class, error_code, place FROM ledger.attempts"


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_restart_in_the_middle_of_work_costs_no_job_an_attempt(world: World, mode: Mode) -> None:
    world.dispatcher(), world.worker().up()
    _busy(world)
    world.postgres.restart(mode)
    world.web.chat()
    print(f"finished {world.finish():.1f} s after the restart")
    assert world.sql(TROUBLE) == []
    prove(world)


def test_a_stop_longer_than_the_stale_window_rescues_nobody_alive(world: World) -> None:
    world.dispatcher().up()
    worker = world.worker().up()
    _busy(world)
    world.postgres.stop("immediate")
    time.sleep(STALE)
    with _slow(worker):
        world.postgres.start()
        time.sleep(2)
    print(f"finished {world.finish():.1f} s after the start")
    assert world.sql(TROUBLE) == []
    prove(world)


def test_a_server_that_hangs_longer_than_the_stale_window_rescues_nobody_alive(world: World) -> None:
    world.dispatcher().up()
    worker = world.worker().up()
    _busy(world)
    with _slow(worker):
        with world.frozen_postgres():
            time.sleep(STALE)
        time.sleep(2)
    print(f"finished {world.finish():.1f} s after the hang")
    assert world.sql(TROUBLE) == []
    prove(world)


@contextmanager
def _slow(worker: Process) -> Iterator[None]:
    """Let a worker get no time at all: it lives, and comes last to say so."""
    worker.freeze()
    yield
    worker.thaw()


def _busy(world: World) -> None:
    """Have jobs in calls, and others before and after them."""
    world.web.call()
    world.finish()
    world.vendors.slow("anthropic", seconds=1.0, times=4)
    world.vendors.slow("deepgram", seconds=1.5)
    world.web.call()
    for _ in range(4):
        world.web.chat()
    world.until(lambda: world.value(NOW_WORKING) >= 4, "jobs are in their calls")

"""SIGTERM of a worker: what it runs is finished or given back, and it is gone in time."""

import time

from tests.chaos.facts import Talk
from tests.chaos.proof import prove
from tests.chaos.vendors import requests
from tests.chaos.world import World

SUMMARIZE = "conversations.summarize"
PATIENCE = 3  # seconds that the worker gives its jobs
OVERHEAD = 7  # seconds for its last words to the database and the end of the process


def test_a_stopping_worker_finishes_what_it_can_and_gives_back_the_rest_unspent(world: World) -> None:
    world.dispatcher()
    worker = world.worker(threads=2, SHUTDOWN_SECONDS=str(PATIENCE)).up()
    world.web.chat()
    world.finish()
    nearly_done = _asked(world, 1.5)
    stuck = _asked(world, 60)
    waiting = world.web.chat()
    since = time.monotonic()
    assert worker.terminate(within=PATIENCE + OVERHEAD) == 0
    print(f"gone after {time.monotonic() - since:.1f} s")

    assert world.job(SUMMARIZE, nearly_done.id).state == "succeeded"
    for talk in (stuck, waiting):
        job = world.job(SUMMARIZE, talk.id)
        assert job.state in ("available", "dispatched")
        assert (job.attempt, job.worker_id) == (0, None)
    assert world.value("SELECT count(*) FROM ledger.workers") == 0
    assert world.value("SELECT count(*) FROM ledger.attempts") == 0

    world.worker()
    world.finish()
    # The answer to what was given back in the call went to a process that was no more.
    prove(world, asked_again={("summarize", stuck.mark): 1})


def test_a_worker_killed_while_it_gives_back_loses_nothing(world: World) -> None:
    world.dispatcher()
    worker = world.worker(threads=2, SHUTDOWN_SECONDS="1").up()
    stuck = _asked(world, 60)
    job = world.job(SUMMARIZE, stuck.id).id
    with world.hold(f"SELECT FROM ledger.jobs WHERE id = {job} FOR UPDATE") as row:
        worker.terminate(within=0)
        row.waited_for("give_back_v1")
        worker.kill()
    world.worker()
    world.finish()
    # What it had asked the server for may be done after its death: then no attempt was lost.
    lost = world.value("SELECT count(*) FROM ledger.attempts")
    assert lost <= 1
    prove(world, asked_again={("summarize", stuck.mark): 1}, lost=lost)


def _asked(world: World, late: float) -> Talk:
    world.vendors.slow("anthropic", seconds=late)
    before = len(requests(world.vendors.anthropic))
    talk = world.web.chat()
    world.until(lambda: len(requests(world.vendors.anthropic)) > before, "the vendor was asked")
    return talk

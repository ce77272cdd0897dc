"""Connections that are ended again and again, and a Redis that hangs: each process goes on, nothing is done twice."""

import random
import time

import pytest
from sqlalchemy import NullPool, create_engine

from tests.chaos.small.crowd import Crowd
from tests.chaos.small.outcome import Outcome, prepare, worker
from tests.chaos.strikes import LONG_HANG, Strikes
from tests.chaos.vendors import requests
from tests.chaos.world import World

STORM, EVERY = 5.0, 0.2  # seconds
PATIENCE = 25.0
"""Seconds: less than the thirty after which a claim whose answer was lost is taken back by force."""
LOST = "SELECT count(*) FROM ledger.attempts WHERE outcome = 'lost'"
ENGINE = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'nexara_worker'"
TOLD = "dispatcher.waiting  error=TimeoutError"


@pytest.mark.timeout(180)
def test_backends_that_are_all_terminated_five_times_a_second_cost_nothing_but_time(world: World) -> None:
    prepare(world)
    dispatchers = [world.dispatcher() for _ in range(2)]
    workers = [worker(world) for _ in range(2)]
    for process in (*dispatchers, *workers):
        process.up()
    strikes = Strikes(world, random.Random(1), lambda: workers[0])
    admin = create_engine(world.admin_url, poolclass=NullPool)
    crowd = Crowd(world.web.engine, admin, random.Random(1), pace=80)
    began = time.monotonic()
    with crowd:
        time.sleep(1)
        for _ in range(int(STORM / EVERY)):
            strikes.terminate_backends()
            time.sleep(EVERY)
    took = world.until(lambda: not world.open_jobs(), "all jobs ended", within=PATIENCE)
    print(f"{len(crowd.sure)} jobs; all ended {took:.1f} s after a storm of {time.monotonic() - began - took:.1f} s")
    Outcome(world, crowd).prove()
    assert world.value(LOST) == 0, "a living worker was given up"
    assert all(process.alive() for process in world.processes)
    assert world.value(ENGINE) > 0


def test_a_dispatcher_whose_redis_hangs_longer_than_its_time_outs_rescues_meanwhile_and_then_goes_on(
    world: World,
) -> None:
    dispatcher, victim = world.dispatcher().up(), world.worker().up()
    world.vendors.slow("anthropic", seconds=60)
    talk = world.web.chat()
    world.until(lambda: requests(world.vendors.anthropic), "the vendor was asked")
    with world.frozen_redis():
        victim.kill()
        time.sleep(LONG_HANG)
        world.until(lambda: world.value(LOST) == 1, "the dead worker's job is taken back while Redis hangs", within=10)
        world.until(lambda: TOLD in dispatcher.said, "the dispatcher has noticed")
    later = world.web.chat()
    world.until(lambda: world.redis.llen(_list(world)) == 2, "both are in Redis, and no worker is there to pick them")
    assert {world.job("conversations.summarize", each.id).state for each in (talk, later)} == {"dispatched"}
    assert dispatcher.said.count("dispatcher.waiting") < 5, "it waits for Redis and does not spin"


def _list(world: World) -> str:
    return next((key.decode() for key in world.redis.keys("*:language:2")), "none")

"""The long proofs, run by `make chaos`: whatever is killed, however often and whenever, everything comes out once."""

import os
import random
import time

import pytest

from tests.chaos.proof import prove
from tests.chaos.strikes import Strikes
from tests.chaos.world import World

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

SEED = int(os.environ.get("CHAOS_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
MINUTE = 60.0
TALKS = 30
RUNNING = "SELECT FROM ledger.jobs WHERE state = 'running' AND started_at IS NOT NULL"
TROUBLE = "SELECT kind, outcome, error_code FROM ledger.attempts WHERE outcome <> 'lost'"
RETRY_POISONED = "SELECT ledger.retry_job_v1(id) FROM ledger.jobs WHERE state = 'dead' AND reason = 'poison'"


def test_thirty_conversations_come_out_once_of_a_minute_of_kills(world: World) -> None:
    storm = Storm(world)
    for _ in range(3):
        world.worker()
    for _ in range(2):
        world.dispatcher()
    until = time.monotonic() + MINUTE
    for second in range(int(MINUTE)):
        if second % 2 == 0:
            storm.talks(1)
        storm.strike()
        time.sleep(max(0.0, until - MINUTE + second + 1 - time.monotonic()))
    storm.calm()
    assert len(world.web.talks) == TALKS


def test_a_worker_killed_at_random_moments_pays_again_only_what_it_lost(world: World) -> None:
    storm = Storm(world)
    world.dispatcher()
    worker = world.worker().up()
    for _ in range(10):
        storm.talks(2)
        time.sleep(storm.random.uniform(0, 5))  # half of it goes by until the worker has loaded the vendors' SDKs
        worker.kill()
        worker = world.worker().up()
    storm.calm()


def test_a_database_whose_backends_crash_rescues_nobody_alive(world: World) -> None:
    storm = Storm(world)
    world.dispatcher(), world.worker().up()
    for _ in range(8):
        storm.talks(2)
        world.until(lambda: world.sql(RUNNING), "a job runs")
        world.until(storm.strikes.crash_a_backend, "a backend was there to crash")
    storm.calm()
    assert world.value("SELECT count(*) FROM ledger.attempts") == 0


def test_workers_stopped_one_after_another_in_the_middle_of_work_spend_no_attempt(world: World) -> None:
    storm = Storm(world)
    world.dispatcher()
    leaving = world.worker().up()
    for _ in range(6):
        storm.talks(2)
        staying = world.worker().up()
        assert leaving.terminate(within=30) == 0
        leaving = staying
    storm.calm()
    assert world.value("SELECT count(*) FROM ledger.attempts") == 0


class Storm:
    """Strikes at random, by a seed that it prints."""

    def __init__(self, world: World) -> None:
        print(f"CHAOS_SEED={SEED}")
        self.random = random.Random(SEED)
        self.strikes = Strikes(world, self.random, world.worker)
        self._world = world
        self._weighed = {
            self.strikes.kill_a_worker: 8,
            self.strikes.stop_a_worker: 3,
            self.strikes.kill_a_dispatcher: 4,
            self.strikes.flush_redis: 3,
            self.strikes.restart_redis: 2,
            self.strikes.hang_redis: 2,
            self.strikes.restart_postgres: 1,
            self.strikes.crash_a_backend: 1,
        }

    def talks(self, count: int) -> None:
        """Commit conversations, whose vendors may be slow."""
        for _ in range(count):
            self._talk()

    def _talk(self) -> None:
        vendors = self._world.vendors
        for vendor in ("deepgram", "anthropic", "resend"):
            if self.random.random() < 0.5:
                vendors.slow(vendor, seconds=self.random.uniform(0, 1.5))
        if self.random.random() < 0.4:
            self._world.web.call()
        else:
            self._world.web.chat()

    def strike(self) -> None:
        [strike] = self.random.choices(list(self._weighed), list(self._weighed.values()))
        strike()

    def calm(self) -> None:
        """Let everything come to its end, as on-call would, and check what came out."""
        world = self._world
        for command, start in (("worker", world.worker), ("dispatcher", world.dispatcher)):
            if not self.strikes.alive(command):  # it was started while the database was down
                start()

        def ended() -> bool:
            poisoned = len(world.sql(RETRY_POISONED))
            if poisoned:
                print(f"{poisoned} jobs had died with three workers")
            return not world.open_jobs()

        print(f"calm: all ended {world.until(ended, 'all jobs ended', within=180):.1f} s after the last strike")
        print("lost attempts:", world.value("SELECT count(*) FROM ledger.attempts WHERE outcome = 'lost'"))
        assert world.sql(TROUBLE) == []
        prove(world, lost=None)

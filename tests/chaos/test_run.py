"""The chaos run: thousands of small jobs, everything killed and stopped in between, and a count of what came out.

`make test` has a short one; `make chaos` one of CHAOS_SECONDS, three minutes unless said.
"""

import os
import random
import time
from collections.abc import Callable, Mapping
from typing import Self
from uuid import UUID

import pytest
from sqlalchemy import NullPool, create_engine

from tests.chaos.small.crowd import Crowd
from tests.chaos.small.outcome import Outcome, prepare, worker
from tests.chaos.small.recovery import Watch, share
from tests.chaos.strikes import Strikes
from tests.chaos.world import Process, World

SEED = int(os.environ.get("CHAOS_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
SECONDS = float(os.environ.get("CHAOS_SECONDS", "180"))
WORKERS, PACE = 4, 80.0
ROUND, OF_IT_THE_SERVER = 45.0, 6.0
"""Seconds: at the end of each round, PostgreSQL is struck and Redis hangs; before, all else."""
APART = (0.8, 2.5)  # seconds between two strikes
HUNG = 8.0  # seconds: longer than until a worker is given up
REST = 10.0  # seconds between two dispatchers that are killed: one that has just started rescues nobody yet
RECOVERED_WITHIN = 10.0
A_FEW = 10
LOST = "SELECT worker_id, count(*) FROM ledger.attempts WHERE outcome = 'lost' GROUP BY worker_id"
RETRY_POISONED = "SELECT ledger.retry_job_v1(id) FROM ledger.jobs WHERE state = 'dead' AND reason = 'poison'"


@pytest.mark.parametrize(
    "seconds", [20.0, pytest.param(SECONDS, marks=[pytest.mark.chaos, pytest.mark.timeout(SECONDS + 300)])]
)
def test_thousands_of_jobs_come_out_once_whatever_is_killed(
    world: World, seconds: float, record_property: Callable[[str, object], None]
) -> None:
    prepare(world)
    with Run(world) as run:
        run.start()
        run.last(seconds)
        calm = run.calm()
    report = "\n".join(run.report(calm))
    print(report)
    record_property("report", report)
    run.prove()


class Run:
    """One run, by a seed that it prints."""

    def __init__(self, world: World) -> None:
        draw = random.Random(SEED)
        self._world = world
        self._random = draw
        admin = create_engine(world.admin_url, poolclass=NullPool)
        self._crowd = Crowd(world.web.engine, admin, random.Random(SEED), PACE)
        self._outcome = Outcome(world, self._crowd)
        self._watch = Watch(admin)
        self._strikes = Strikes(world, draw, self._worker)
        self._given_up: set[UUID | None] = set()
        self._hung: list[tuple[float, Process]] = []
        self._dispatcher_killed = 0.0
        self._poisoned = 0
        self._of_processes = {
            self._kill_a_worker: 10,
            self._stop_a_worker: 2,
            self._hang_a_worker: 1,
            self._kill_a_dispatcher: 4,
            self._strikes.flush_redis: 3,
            self._strikes.restart_redis: 2,
            self._strikes.hang_redis: 2,
        }
        self._of_the_server: dict[Callable[[], object], int] = {
            self._strikes.restart_postgres: 2,
            self._strikes.crash_a_backend: 1,
            self._strikes.terminate_backends: 2,
            self._strikes.hang_redis_for_long: 1,
            self._kill_a_worker: 3,
        }

    def __enter__(self) -> Self:
        self._watch.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._watch.__exit__()

    def start(self) -> None:
        for _ in range(2):
            self._world.dispatcher()
        for process in [self._worker() for _ in range(WORKERS)]:
            process.up()

    def last(self, seconds: float) -> None:
        """Enqueue and strike for so long; the first round is cut so that PostgreSQL is struck in the shortest run."""
        began = time.monotonic()
        offset = max(0.0, ROUND - seconds)
        with self._crowd:
            for _ in range(2):  # at least these are not disturbed by what comes at the end of a round
                time.sleep(1)
                self._kill_a_worker()
            while (now := time.monotonic() - began) < seconds:
                server = (now + offset) % ROUND > ROUND - OF_IT_THE_SERVER
                self._strike(self._of_the_server if server else self._of_processes, of_the_server=server)
                self._thaw()
                time.sleep(self._random.uniform(*APART))
            for strike in (self._strikes.restart_postgres, self._strikes.terminate_backends):
                self._strike({strike: 1}, of_the_server=True)  # so that each run has them

    def calm(self) -> float:
        """Let everything come to its end, as on-call would; return how long it took."""
        self._thaw(all_of_them=True)
        if not self._strikes.alive("worker"):
            self._worker()
        if not self._strikes.alive("dispatcher"):
            self._world.dispatcher()

        def ended() -> bool:
            self._poisoned += len(self._world.sql(RETRY_POISONED))
            return not self._watch.open() and not self._world.open_jobs()

        return self._world.until(ended, "all jobs ended", within=120)

    def report(self, calm: float) -> list[str]:
        """Return what is told at the end."""
        unsure = len(self._crowd.unsure)
        doubtful = f"(and {unsure} transactions whose answer was lost: {self._outcome.kept()} of them there)"
        strikes = ", ".join(f"{what} {count}" for what, count in self._strikes.counted.most_common())
        return [
            f"chaos run, CHAOS_SEED={SEED}",
            f"jobs enqueued    {len(self._crowd.sure)} {doubtful}",
            f"jobs lost        {len(self._outcome.lost())}",
            f"effects twice    {len(self._outcome.twice())}",
            f"recovery         {self._recovery(undisturbed=True)}",
            f"  with those in which a server was out, too: {self._recovery(undisturbed=False)}",
            f"  the longest    {self._longest()}",
            f"attempts lost    {sum(count for _, count in self._world.sql(LOST))}, dead as poison {self._poisoned}",
            f"strikes          {strikes}",
            f"all ended        {calm:.1f} s after the last",
        ]

    def prove(self) -> None:
        """Check that each effect is there once, and no other; that nobody alive was given up; and the time it took."""
        self._outcome.prove()
        assert {row.worker_id for row in self._world.sql(LOST)} <= self._given_up, "a worker that lived was given up"
        recovered = self._watch.seconds(undisturbed=True)
        assert recovered
        if len(recovered) > A_FEW:
            assert share(recovered, 0.99) <= RECOVERED_WITHIN
        else:  # the few kills of a short run beside other tests tell of the machine
            assert share(recovered, 0.5) <= 1.5 * RECOVERED_WITHIN

    def _recovery(self, *, undisturbed: bool) -> str:
        took = self._watch.seconds(undisturbed=undisturbed)
        if not took:
            return "none measured"
        parts = (f"{name} {share(took, part):.1f} s" for name, part in (("p50", 0.5), ("p99", 0.99), ("max", 1.0)))
        return f"{', '.join(parts)} from the kill of a worker until others had taken up all it held ({len(took)} kills)"

    def _longest(self) -> str:
        took = [each for each in self._watch.recoveries if each.seconds]
        if not took:
            return "none"
        each = max(took, key=lambda each: each.seconds or 0.0)
        until = each.killed + (each.seconds or 0.0)
        return f"{each.seconds:.1f} s for {each.last}: {self._strikes.between(each.killed - 1, until)}"

    def _strike(self, strikes: Mapping[Callable[[], object], int], *, of_the_server: bool) -> None:
        [strike] = self._random.choices(list(strikes), list(strikes.values()))
        since = time.monotonic()
        strike()
        if of_the_server:
            self._watch.down(since)

    def _worker(self) -> Process:
        return worker(self._world)

    def _one_to_spare(self) -> Process | None:
        """Return a worker that is up, if another one is: where nobody is there, nothing can be taken up."""
        hung = {victim.name for _, victim in self._hung}
        up = [each for each in self._strikes.alive("worker") if each.worker_id and each.name not in hung]
        return self._random.choice(up) if len(up) > 1 else None

    def _kill_a_worker(self) -> None:
        if victim := self._one_to_spare():
            self._strikes.kill_a_worker(victim)
            self._given_up.add(victim.worker_id)
            self._watch.killed(victim.worker_id)

    def _stop_a_worker(self) -> None:
        if victim := self._one_to_spare():
            self._strikes.stop_a_worker(victim)
            self._given_up.add(victim.worker_id)

    def _hang_a_worker(self) -> None:
        """Stop its clock for longer than it is believed; when it goes on, all that it does is too late."""
        if victim := self._one_to_spare():
            self._strikes.note("a worker hung until it was given up")
            victim.freeze()
            self._given_up.add(victim.worker_id)
            self._hung.append((time.monotonic() + HUNG, victim))

    def _thaw(self, *, all_of_them: bool = False) -> None:
        for until, victim in list(self._hung):
            if all_of_them or time.monotonic() > until:
                victim.thaw()
                self._hung.remove((until, victim))

    def _kill_a_dispatcher(self) -> None:
        if time.monotonic() - self._dispatcher_killed > REST:
            self._dispatcher_killed = time.monotonic()
            self._strikes.kill_a_dispatcher()

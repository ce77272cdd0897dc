"""What the long runs do to an engine at random, each thing counted."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable

from tests.chaos.world import Process, World

ANY_BACKEND = "SELECT pid FROM pg_stat_activity"
BACKENDS = f"{ANY_BACKEND} WHERE usename = 'nexara_worker' AND state <> 'idle'"
TERMINATE = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'nexara_worker'"
SHORT_HANG, LONG_HANG = 0.8, 4.0  # seconds: the sockets of Redis time out after 3


class Strikes:
    """Kills, stops and hangs processes and servers; `worker` starts another worker for one that is gone."""

    def __init__(self, world: World, draw: random.Random, worker: Callable[[], Process]) -> None:
        self.log: list[tuple[float, str]] = []
        self._world = world
        self._random = draw
        self._worker = worker

    def kill_a_worker(self, victim: Process | None = None) -> Process:
        self.note("a worker killed")
        victim = victim or self._one("worker")
        victim.kill()
        self._worker()
        return victim

    def stop_a_worker(self, victim: Process | None = None) -> Process:
        self.note("a worker stopped")
        victim = victim or self._one("worker")
        victim.terminate(within=0)
        self._worker()
        return victim

    def kill_a_dispatcher(self) -> None:
        self.note("a dispatcher killed")
        self._one("dispatcher").kill()
        self._world.dispatcher()

    def flush_redis(self) -> None:
        self.note("Redis emptied")
        self._world.redis.flushall()

    def restart_redis(self) -> None:
        self.note("Redis killed and started")
        self._world.redis_server.kill()
        self._world.redis_server.start()

    def hang_redis(self) -> None:
        self.note("Redis hung for a moment")
        with self._world.frozen_redis():
            time.sleep(SHORT_HANG)

    def hang_redis_for_long(self) -> None:
        self.note("Redis hung longer than its time-outs")
        with self._world.frozen_redis():
            time.sleep(LONG_HANG)

    def restart_postgres(self) -> None:
        self.note("PostgreSQL restarted")
        self._world.postgres.restart(self._random.choice(["fast", "immediate"]))

    def terminate_backends(self) -> None:
        self.note("all of the engine's connections ended")
        self._world.sql(TERMINATE)

    def crash_a_backend(self) -> bool:
        """Kill -9 one of the server's own processes at work: all connections end; return when it has recovered."""
        found = self._world.sql(BACKENDS)
        if found:
            self.note("a backend of PostgreSQL crashed")
            pid = self._random.choice(found)[0]
            os.kill(pid, signal.SIGKILL)
            self._world.until(lambda: not self._world.sql(f"{ANY_BACKEND} WHERE pid = {pid}"), "the server recovered")
        return bool(found)

    def alive(self, command: str) -> list[Process]:
        return [process for process in self._world.processes if process.name.startswith(command) and process.alive()]

    def _one(self, command: str) -> Process:
        return self._random.choice(self.alive(command))

    @property
    def counted(self) -> Counter[str]:
        return Counter(what for _, what in self.log)

    def between(self, since: float, until: float) -> str:
        """Return what struck within these moments, each with its second."""
        return ", ".join(f"{at - since:.1f} {what}" for at, what in self.log if since <= at <= until)

    def note(self, strike: str) -> None:
        self.log.append((time.monotonic(), strike))

"""Redis as the bell: one list a queue and priority, holding `id:fence` and nothing else."""

from collections.abc import Iterable, Sequence

import redis

from ledger.claim import Token
from ledger.dispatch import PRIORITIES, Dispatched

LONGEST_WAIT = 1.0
"""Seconds a blocking read may take; sockets time out 2 s later, so that a Redis that hangs is noticed."""
BELL_KEY = "bell"


def connect(url: str) -> redis.Redis:
    """Return a client whose every call ends: in an answer or in an error."""
    return redis.Redis.from_url(
        url, socket_timeout=LONGEST_WAIT + 2, socket_connect_timeout=2, health_check_interval=15
    )


class Bell:
    """The lists of one engine; `prefix` keeps two engines on one Redis apart."""

    def __init__(self, client: redis.Redis, prefix: str = "nexara") -> None:
        self._redis = client
        self._prefix = prefix

    def key(self, queue: str, priority: int) -> str:
        """Return the list of a queue and priority."""
        return f"{self._prefix}:{queue}:{priority}"

    def queue_of(self, key: str) -> str:
        """Return the queue whose list this is."""
        return key.removeprefix(f"{self._prefix}:").rpartition(":")[0]

    def push(self, queue: str, jobs: Iterable[Dispatched]) -> None:
        """Ring for jobs, in their order."""
        by_priority: dict[int, list[str]] = {}
        for job in jobs:
            by_priority.setdefault(job.priority, []).append(f"{job.id}:{job.fence}")
        for priority, tokens in by_priority.items():  # nearly always one: a pipeline of one takes longer
            self._redis.rpush(self.key(queue, priority), *tokens)

    def pop(self, queues: Sequence[str], most: int, wait: float = LONGEST_WAIT) -> tuple[str, list[Token]]:
        """Pop at most `most` tokens of the first list that has any, by priority before queue; ("", []) if none came."""
        keys = [self.key(queue, priority) for priority in PRIORITIES for queue in queues]
        popped = self._redis.blmpop(wait, len(keys), *keys, direction="LEFT", count=most)
        if not popped:
            return "", []
        key, tokens = popped
        return key.decode(), [token(raw) for raw in tokens]

    def put_back(self, key: str, tokens: Sequence[Token]) -> None:
        """Put popped tokens back at the head of their list, in their order."""
        self._redis.lpush(key, *[f"{job_id}:{fence}" for job_id, fence in reversed(tokens)])

    def depths(self, queue: str) -> list[int]:
        """Return how many tokens wait in each priority's list."""
        with self._redis.pipeline(transaction=False) as pipe:
            for priority in PRIORITIES:
                pipe.llen(self.key(queue, priority))
            return [int(depth) for depth in pipe.execute()]

    def head(self, queue: str, priority: int) -> int | None:
        """Return the id of the job that waits longest in a list; None if it is empty."""
        raw = self._redis.lindex(self.key(queue, priority), 0)
        return token(raw)[0] if isinstance(raw, bytes) else None

    def ring(self) -> None:
        """Wake the dispatchers: there are follow-up jobs."""
        key = f"{self._prefix}:{BELL_KEY}"
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.rpush(key, 1)
            pipe.ltrim(key, 0, 15)
            pipe.execute()

    def wait(self, seconds: float = LONGEST_WAIT) -> bool:
        """Wait until somebody rings; returns whether one did."""
        return self._redis.blpop([f"{self._prefix}:{BELL_KEY}"], seconds) is not None


def priority(key: str) -> int:
    """Read the priority of a list from its name; the first one's if it has none: what came by another way."""
    _, _, said = key.rpartition(":")
    return int(said or PRIORITIES[0])


def token(raw: bytes) -> Token:
    """Read `id:fence`."""
    job_id, _, fence = raw.partition(b":")
    return int(job_id), int(fence)

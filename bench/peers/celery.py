"""Celery over Redis: a pool of threads, results ignored, acknowledged late so that a job is not lost at its start."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import redis
from celery import Celery
from celery.signals import worker_ready

from bench.peers.bodies import Rows, blocking
from bench.peers.clients import Put, Threads
from bench.peers.peer import SHORT, main
from bench.peers.place import Place

QUEUE = "bench"
PREFETCHED = {"short": 64, "slots": 1}
"""Messages reserved a thread: its docs advise many for short tasks, and one for long ones."""
PIPELINE = 5000


class CeleryPeer:
    """Celery with one worker process of threads for each of the others' worker processes."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._redis = redis.Redis.from_url(place.redis)
        self._rows = Rows(place.database)
        self._app = Celery("bench", broker=place.redis, set_as_current=False)
        self._app.conf.update(
            task_default_queue=QUEUE,
            broker_pool_limit=64,  # one for each thread that enqueues: its docs say so
            task_ignore_result=True,
            task_acks_late=True,
            task_reject_on_worker_lost=True,
            worker_hijack_root_logger=False,
            broker_connection_retry_on_startup=True,
        )
        self._tasks = {
            kind: self._app.task(name=kind)(self._named(body))
            for kind, body in blocking(place.entries, self._rows).items()
        }
        self.clients = Threads(self._client)
        self.ways = {"python": self._many}

    def install(self) -> None:
        """Nothing: it has no tables."""

    def forget(self) -> None:
        """Empty its Redis."""
        self._redis.flushdb()

    def tidy(self) -> None:
        """Nothing."""

    def load(self, kind: str, count: int) -> Callable[[], object]:
        """Store the messages as it does, in a list that becomes its queue: one is sent, the others are made like it."""
        sent = self._tasks[kind].apply_async((str(uuid4()), self._place.business), queue="pattern")
        pattern = self._redis.lpop("pattern")
        assert isinstance(pattern, bytes)
        text = pattern.decode().replace('"pattern"', f'"{QUEUE}"')
        tag = json.loads(text)["properties"]["delivery_tag"]
        for done in range(0, count, PIPELINE):
            with self._redis.pipeline(transaction=False) as pipe:
                for _ in range(min(PIPELINE, count - done)):
                    pipe.lpush("unseen", text.replace(sent.id, str(uuid4())).replace(tag, str(uuid4())))
                pipe.execute()
        return lambda: self._redis.rename("unseen", QUEUE)

    def done(self) -> bool:
        """Return whether no message waits and none is unacknowledged."""
        return not self._redis.exists(QUEUE, "unacked")

    def work(self, threads: int, profile: str) -> None:
        """Work until told to stop."""
        self._rows.open(threads)
        self._app.conf.worker_prefetch_multiplier = PREFETCHED[profile]
        worker_ready.connect(lambda **_: self._place.say_ready(), weak=False)
        options = ["--pool=threads", f"--concurrency={threads}", "--loglevel=WARNING"]
        options += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        if profile != SHORT:
            options += ["-O", "fair"]
        self._app.worker_main(["worker", *options])

    def _named(self, body: Callable[[str, str], None]) -> Callable[[str, str], None]:
        def task(subject: str, business: str) -> None:
            body(subject, business)

        return task

    @contextmanager
    def _client(self) -> Iterator[Put]:
        with self._app.producer_pool.acquire(block=True) as producer:
            yield lambda kind, subject, business: self._tasks[kind].apply_async((subject, business), producer=producer)

    def _many(self, count: int) -> None:
        # It has no bulk: a group, too, is sent one by one.
        with self._client() as put:
            for _ in range(count):
                put("nothing", str(uuid4()), self._place.business)


if __name__ == "__main__":
    main(CeleryPeer)

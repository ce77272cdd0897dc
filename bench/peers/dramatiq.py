"""Raw dramatiq: its own RedisBroker and default middleware, as anyone would run it."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import dramatiq
from dramatiq import Actor
from dramatiq.brokers.redis import RedisBroker

from bench.peers.bodies import Rows, blocking
from bench.peers.clients import Put, Threads
from bench.peers.peer import main
from bench.peers.place import Place

QUEUE = "bench"
MESSAGES = f"dramatiq:{QUEUE}.msgs"
PIPELINE = 5000


class Dramatiq:
    """dramatiq over Redis; what it enqueues or writes is tied to nothing."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._broker = RedisBroker(url=place.redis)  # type: ignore[no-untyped-call]
        self._rows = Rows(place.database)
        bodies = blocking(place.entries, self._rows)
        self._actors: dict[str, Actor[[str, str], None]] = {
            kind: dramatiq.actor(broker=self._broker, actor_name=kind, queue_name=QUEUE)(body)
            for kind, body in bodies.items()
        }
        self.clients = Threads(self._client)
        self.ways = {"python": lambda count: self._pipelined("nothing", count, f"dramatiq:{QUEUE}")}

    def install(self) -> None:
        """Nothing: it has no tables."""

    def forget(self) -> None:
        """Empty its Redis."""
        self._broker.client.flushdb()

    def tidy(self) -> None:
        """Nothing."""

    def load(self, kind: str, count: int) -> Callable[[], object]:
        """Store the messages as the broker does, in a list that becomes its queue."""
        self._pipelined(kind, count, "unseen")
        return lambda: self._broker.client.rename("unseen", f"dramatiq:{QUEUE}")

    def done(self) -> bool:
        """Return whether every message has been acknowledged."""
        return not self._broker.client.exists(MESSAGES)

    def work(self, threads: int, profile: str) -> None:
        """Work until told to stop; both profiles are the same, as it prefetches two messages a thread either way."""
        self._rows.open(threads)
        stopping = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stopping.set())
        worker = dramatiq.Worker(self._broker, worker_threads=threads)
        worker.start()
        self._place.say_ready()
        stopping.wait()
        worker.stop()

    @contextmanager
    def _client(self) -> Iterator[Put]:
        yield lambda kind, subject, business: self._actors[kind].send(subject, business)

    def _pipelined(self, kind: str, count: int, into: str) -> None:
        # Broker.enqueue sends one by one; this is what it stores, many at a time.
        for done in range(0, count, PIPELINE):
            with self._broker.client.pipeline(transaction=False) as pipe:
                for _ in range(min(PIPELINE, count - done)):
                    stored = str(uuid4())
                    message = self._actors[kind].message(str(uuid4()), self._place.business)
                    message = message.copy(options={"redis_message_id": stored})
                    pipe.hset(MESSAGES, stored, message.encode().decode())
                    pipe.rpush(into, stored)
                pipe.execute()


if __name__ == "__main__":
    main(Dramatiq)

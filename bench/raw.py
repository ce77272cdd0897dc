"""`python -m bench.raw THREADS`: a dramatiq worker as anyone would run it: RedisBroker, its default middleware."""

import signal
import sys
import threading
from collections.abc import Callable
from uuid import UUID

import dramatiq
from dramatiq import Actor
from dramatiq.brokers.redis import RedisBroker
from sqlalchemy import Engine, text

from bench.entries import teller
from bench.kinds import WRITE
from settings import read
from workers.wiring import engine

QUEUE = "bench"
ACT_FOR = text("SELECT nexara.act_for(:business)")


class Raw:
    """The same bodies as plain dramatiq actors; what they enqueue or write is tied to nothing."""

    def __init__(
        self, redis_url: str, database: Engine | None = None, entered: Callable[[UUID], None] = lambda _: None
    ) -> None:
        self.broker = RedisBroker(url=redis_url)  # type: ignore[no-untyped-call]

        def nothing(subject: str, business: str) -> None:
            pass

        def write(subject: str, business: str) -> None:
            assert database is not None
            with database.begin() as db:
                db.execute(ACT_FOR, {"business": business})
                db.execute(WRITE)

        def when(subject: str, business: str) -> None:
            entered(UUID(subject))

        self.actors: dict[str, Actor[[str, str], None]] = {
            f"bench.{body.__name__}": dramatiq.actor(
                broker=self.broker, actor_name=f"bench.{body.__name__}", queue_name=QUEUE
            )(body)
            for body in (nothing, write, when)
        }


def main(threads: int) -> None:
    """Work until told to stop."""
    settings = read()
    raw = Raw(settings.redis_url, engine(settings.web_database_url, threads), teller())
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    worker = dramatiq.Worker(raw.broker, worker_threads=threads)
    worker.start()
    stopping.wait()
    worker.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]))

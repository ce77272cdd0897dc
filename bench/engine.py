"""`python -m bench.engine worker|dispatcher`: the real processes, as workers/main.py wires them, with other kinds."""

import signal
import sys

from bench.entries import teller
from bench.kinds import registry
from settings import Settings, read
from workers import log
from workers.dispatcher import Dispatcher
from workers.main import OWN_CONNECTIONS
from workers.wiring import bell, engine
from workers.worker import WorkerProcess

QUEUE = "bench"


def worker(settings: Settings, threads: int) -> None:
    """Run one worker process."""
    process = WorkerProcess(
        engine=engine(settings.database_url, threads + OWN_CONNECTIONS),
        beats=engine(settings.database_url, 1),
        bell=bell(settings),
        registry=registry(teller()),
        vendors=None,
        queues=[QUEUE],
        threads=threads,
        tell=log.tell,
    )
    signal.signal(signal.SIGTERM, lambda *_: process.stop())
    process.run(settings.shutdown_seconds)
    process.exit()


def dispatcher(settings: Settings) -> None:
    """Run one dispatcher process."""
    database = engine(settings.database_url, 2)
    listen = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    process = Dispatcher(database, bell(settings), listen)
    signal.signal(signal.SIGTERM, lambda *_: process.stop())
    process.run()


if __name__ == "__main__":
    given = read()
    log.configure(given.log_level, given.log_format)
    if sys.argv[1] == "worker":
        worker(given, int(sys.argv[2]))
    else:
        dispatcher(given)

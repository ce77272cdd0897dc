"""The engine's real processes, as workers/main.py wires them, with the benchmark's kinds."""

import signal

from bench.entries import Teller
from bench.kinds import registry
from bench.peers.place import Place
from settings import Settings
from workers import log
from workers.dispatcher import Dispatcher
from workers.main import OWN_CONNECTIONS
from workers.wiring import bell, engine
from workers.worker import WorkerProcess

QUEUE = "bench"


def work(place: Place, threads: int) -> None:
    """Be one worker process until SIGTERM."""
    settings = _settings(place)
    process = WorkerProcess(
        engine=engine(settings.database_url, threads + OWN_CONNECTIONS),
        beats=engine(settings.database_url, 1),
        bell=bell(settings),
        registry=registry(Teller(place.entries)),
        vendors=None,
        queues=[QUEUE],
        threads=threads,
        tell=log.tell,
    )
    signal.signal(signal.SIGTERM, lambda *_: process.stop())
    place.say_ready()
    process.run(settings.shutdown_seconds)
    process.exit()


def dispatch(place: Place) -> None:
    """Be the dispatcher until SIGTERM."""
    settings = _settings(place)
    database = engine(settings.database_url, 2)
    listen = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    process = Dispatcher(database, bell(settings), listen)
    signal.signal(signal.SIGTERM, lambda *_: process.stop())
    place.say_ready()
    process.run()


def _settings(place: Place) -> Settings:
    settings = Settings(database_url=place.worker_database, redis_url=place.redis)
    log.configure(settings.log_level, settings.log_format)
    return settings

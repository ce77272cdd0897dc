"""The mains: read settings, wire, run until a signal; each imports what it alone needs."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from types import FrameType

from sqlalchemy import Engine

from jobs.registry import load
from ledger.claimed import Ended
from ledger.contract import missing
from ledger.job import Registry
from settings import Settings
from workers import log, sentry, tail
from workers.reach import reaching, redis_malformed
from workers.wiring import NotConfigured, bell, engine, need, require, vendors

OWN_CONNECTIONS = 2
"""Connections a worker needs beside one a thread: the tap and the completer."""


def run_worker(settings: Settings) -> None:
    """Run one worker process; raises NotConfigured or Misconfigured for what is missing, before it takes a job."""
    from workers.worker import WorkerProcess

    require(database_url=settings.database_url, redis_url=settings.redis_url)
    _check_bell(settings)
    registry = load()
    queues = _queues(settings.worker_queues, registry)
    terms = [job.payload.terms for job in registry if job.payload.terms.queue in queues]
    given = vendors(settings)
    need(given, sorted({vendor for each in terms if not each.may_lack for vendor in each.vendors}))
    _start_seeing(settings)
    tail.attach()
    database = _database(settings, settings.worker_threads + OWN_CONNECTIONS, registry)
    process = WorkerProcess(
        engine=database,
        beats=engine(settings.database_url, 1),
        bell=bell(settings),
        registry=registry,
        vendors=given,
        queues=queues,
        threads=settings.worker_threads,
        tell=_tell,
    )
    _on_signal(process.stop)
    process.run(settings.shutdown_seconds)
    given.close()
    sentry.flush()
    process.exit()


def run_dispatcher(settings: Settings) -> None:
    """Run one dispatcher process."""
    from workers.dispatcher import Dispatcher

    require(database_url=settings.database_url, redis_url=settings.redis_url)
    _check_bell(settings)
    _start_seeing(settings)
    database = _database(settings, 2, load())
    plain_url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    dispatcher = Dispatcher(database, bell(settings), plain_url, _tell)
    _on_signal(dispatcher.stop)
    dispatcher.run()
    sentry.flush()
    if dispatcher.failed:
        sys.exit(1)


def run_scheduler(settings: Settings) -> None:
    """Run one scheduler process."""
    from workers.scheduler import Scheduler

    require(database_url=settings.database_url)
    _start_seeing(settings)
    database = _database(settings, 2, load())
    scheduler = Scheduler(database, lambda schedule, job: sentry.fired(schedule.name, job))
    _on_signal(scheduler.stop)
    scheduler.run()
    sentry.flush()


def _tell(ended: Ended) -> None:
    log.tell(ended)
    sentry.tell(ended)


def _start_seeing(settings: Settings) -> None:
    try:
        log.configure(settings.log_level, settings.log_format)
    except ValueError:
        raise NotConfigured("LOG_LEVEL is one of DEBUG, INFO, WARNING, ERROR, CRITICAL") from None
    try:
        sentry.start(settings.sentry_dsn.get_secret_value(), settings.environment, settings.release)
    except ValueError:  # sentry_sdk.utils.BadDsn is one
        raise NotConfigured("SENTRY_DSN is no DSN of Sentry's") from None


def _check_bell(settings: Settings) -> None:
    """Refuse an address that cannot be; whether Redis answers now is no reason not to start."""
    if fault := redis_malformed(settings.redis_url):
        raise NotConfigured(f"REDIS_URL: {fault}")


def _database(settings: Settings, connections: int, registry: Registry) -> Engine:
    """Return the ledger's engine, once it has answered and knows every kind: a wrong address shows at once."""
    with reaching("DATABASE_URL", settings.database_url):
        database = engine(settings.database_url, connections)
        with database.connect() as db:
            unknown = missing(db, registry)
    if unknown:
        raise NotConfigured(f"the database does not know {', '.join(unknown)}: run `nexara migrate` first")
    return database


def _queues(chosen: str, registry: Registry) -> Sequence[str]:
    """Return the queues to serve; raises NotConfigured for one that no kind uses."""
    known = sorted({job.payload.terms.queue for job in registry})
    wanted = [queue.strip() for queue in chosen.split(",") if queue.strip()]
    if strange := sorted(set(wanted) - set(known)):
        raise NotConfigured(f"WORKER_QUEUES names {', '.join(strange)}; there are {', '.join(known)}")
    return wanted or known


def _on_signal(stop: Callable[[], None]) -> None:
    """Have a thread stop the process at a signal.

    The handler itself runs inside whatever the main thread does, a wait on the very lock that stopping needs included:
    all it may do is write a byte.
    """
    hear, tell = os.pipe()

    def handle(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - signal names it
        os.write(tell, bytes([number]))

    def listen() -> None:
        while told := os.read(hear, 1):
            logging.getLogger("nexara").info("process.signalled", extra={"signal": signal.Signals(told[0]).name})
            stop()

    threading.Thread(target=listen, name="signals", daemon=True).start()
    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)

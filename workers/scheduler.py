"""The scheduler process: APScheduler says when to look; the ledger says whether a tick is still to be fired."""

import logging
import threading
from collections.abc import Callable

from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from ledger.transaction import through_restarts
from schedules.fire import fire_due
from schedules.table import TIMETABLE, Schedule

log = logging.getLogger(__name__)
LOOK_EVERY = 60
"""Seconds: a tick that a scheduler slept through, or that the database refused, is fired by the next look."""


class Scheduler:
    """Fires the timetable. Any number may run: a tick's row is unique."""

    def __init__(self, engine: Engine, fired: Callable[[Schedule, int], None] = lambda *_: None) -> None:
        self._engine = engine
        self._fired = fired
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Ask the process to stop; safe in a signal handler."""
        self._stopping.set()

    def run(self) -> None:
        """Fire until told to stop; what was missed while nobody looked is caught up first."""
        clockwork = BackgroundScheduler(job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1})
        for schedule in TIMETABLE:
            clockwork.add_job(self._look, schedule.trigger, [schedule], id=schedule.name)
            clockwork.add_job(self._look, "interval", [schedule], seconds=LOOK_EVERY, id=f"{schedule.name}:look")
        clockwork.start()
        log.info("scheduler.started")
        for schedule in TIMETABLE:
            self._look(schedule)
        self._stopping.wait()
        clockwork.shutdown(wait=False)
        log.info("scheduler.stopped")

    def _look(self, schedule: Schedule) -> None:
        try:
            for job_id in through_restarts(lambda: fire_due(self._engine, schedule)):
                log.info("schedule.fired", extra={"schedule": schedule.name, "job_id": job_id})
                self._fired(schedule, job_id)
        except SQLAlchemyError:
            log.warning("schedule.look_failed", extra={"schedule": schedule.name})

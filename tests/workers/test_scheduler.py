"""The scheduler process: what is due is fired once, however many of them look, and no refusal ends one."""

from datetime import timedelta
from threading import Lock

from sqlalchemy import text

from ledger import clock
from schedules.fire import previous
from schedules.table import TIMETABLE, Schedule
from tests.ledger.conftest import Ledger
from tests.workers.conftest import in_thread, until
from workers.scheduler import Scheduler

RETENTION = next(schedule for schedule in TIMETABLE if schedule.name == "retention")


def fire_it_last(ledger: Ledger, schedule: Schedule, ago: timedelta) -> None:
    """Leave a schedule as one that was last fired some time ago."""
    due_at = previous(schedule, clock.now() - ago)
    with ledger.admin.begin() as db:
        db.execute(
            text("INSERT INTO ledger.ticks (schedule, tick, due_at, outcome) VALUES (:name, :tick, :due_at, 'fired')"),
            {"name": schedule.name, "tick": schedule.tick(due_at), "due_at": due_at},
        )


def jobs(ledger: Ledger) -> list[str]:
    with ledger.admin.begin() as db:
        return list(db.execute(text("SELECT kind FROM ledger.jobs ORDER BY id")).scalars())


def test_the_first_start_ever_fires_nothing(ledger: Ledger) -> None:
    scheduler = Scheduler(ledger.worker)
    with in_thread(scheduler.run, scheduler.stop):
        until(lambda: ledger.sql("SELECT count(*) FROM ledger.ticks") >= len(TIMETABLE))
    assert jobs(ledger) == []


def test_what_was_missed_is_fired_once_by_two_schedulers_that_start_together(ledger: Ledger) -> None:
    fire_it_last(ledger, RETENTION, timedelta(days=3))
    fired: list[tuple[str, int]] = []
    lock = Lock()

    def note(schedule: Schedule, job_id: int) -> None:
        with lock:
            fired.append((schedule.name, job_id))

    first, second = Scheduler(ledger.worker, note), Scheduler(ledger.worker, note)
    with in_thread(first.run, first.stop), in_thread(second.run, second.stop):
        until(lambda: ledger.sql("SELECT count(DISTINCT schedule) FROM ledger.ticks") == len(TIMETABLE))
        until(lambda: fired)
    assert [name for name, _ in fired] == ["retention"]
    assert [job_id for _, job_id in fired] == [ledger.sql("SELECT id FROM ledger.jobs")]
    assert ledger.sql("SELECT count(*) FROM ledger.ticks WHERE schedule = 'retention' AND outcome = 'skipped'") >= 2


def test_a_database_that_refuses_ends_no_scheduler(ledger: Ledger) -> None:
    ledger.sql("REVOKE EXECUTE ON FUNCTION ledger.last_tick_v1(text) FROM nexara_worker")
    scheduler = Scheduler(ledger.worker)
    with in_thread(scheduler.run, scheduler.stop) as thread:
        thread.join(0.5)
        assert thread.is_alive()

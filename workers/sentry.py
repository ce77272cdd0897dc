"""What Sentry hears: one event for each dead job, one for what is parked, check-ins of the daily schedules.

Every event is made here, from ids, codes and places in our source. No integration of the SDK is on, dramatiq's least of
all: it sends each attempt with its arguments.
"""

import sys
import threading
import time
from collections.abc import Mapping
from functools import cache
from types import TracebackType
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from ledger import clock
from ledger.claimed import Ended
from ledger.failure import Failure, describe
from schedules.table import TIMETABLE, Schedule
from workers.absent import absent
from workers.scrub import OURS, nothing, scrub

with absent("httpcore"):  # for HTTP/2, which it speaks beside a library that is not here: a megabyte of each worker
    import sentry_sdk
    from sentry_sdk.crons import capture_checkin
    from sentry_sdk.transport import Transport
    from sentry_sdk.types import MonitorConfig

FLUSH = 2.0
"""Seconds that a process waits at its end for what Sentry has not been told yet."""
PARKED_AGAIN = 3600.0
"""Seconds: a missing key parks every job of its kinds; one event an hour for each process says so often enough."""
MARGIN, LONGEST_RUN = 10, 180
"""Minutes: how late a daily tick may be fired, and how long its job may take with its retries."""
OVER = {"succeeded": "ok", "dead": "error", "cancelled": "ok", "discarded": "error"}
_parked: dict[str, float] = {}


def start(dsn: str, environment: str, release: str = "", *, transport: Transport | None = None) -> None:
    """Begin to tell Sentry; without a DSN nothing is ever sent. Call it after log.configure, whose hooks it keeps.

    Raises sentry_sdk.utils.BadDsn for a DSN that cannot be.
    """
    if not dsn:
        return
    sentry_sdk.init(
        dsn=dsn,
        environment=environment,
        release=release,
        transport=transport,
        default_integrations=False,
        auto_enabling_integrations=False,
        include_local_variables=False,
        include_source_context=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        auto_session_tracking=False,
        send_client_reports=False,
        enable_backpressure_handling=False,
        spotlight=False,
        before_send=scrub,
        before_send_transaction=nothing,
        before_send_log=nothing,
        before_send_metric=nothing,
    )
    _parked.clear()
    _watch_for_crashes()


def tell(ended: Ended) -> None:
    """Tell of a run: an event if its job is dead or newly parked, a check-in if it was a daily schedule's job."""
    if not sentry_sdk.get_client().is_active():
        return
    if (schedule := _monitored().get(ended.kind)) and ended.state in OVER:
        _check_in(schedule, ended.job_id, OVER[ended.state])
    if ended.state == "dead" or (ended.state == "parked" and _is_news(f"{ended.kind}:{ended.reason}")):
        tags = {
            "job_id": str(ended.job_id),
            "kind": ended.kind,
            "state": ended.state,
            "reason": ended.reason or "",
            "attempt": str(ended.attempt),
        }
        _send(ended.kind, ended.failure, tags, ended.reason or ended.state)


def fired(schedule_name: str, job_id: int) -> None:
    """Tell that a tick of a daily schedule was fired as this job; the worker that ends it tells how it went."""
    for schedule in _monitored().values():
        if schedule.name == schedule_name and sentry_sdk.get_client().is_active():
            _check_in(schedule, job_id, "in_progress")


def flush() -> None:
    """Wait a moment for what is still to be sent."""
    sentry_sdk.flush(timeout=FLUSH)


def check_in_id(environment: str, schedule_name: str, job_id: int) -> str:
    """Return the id of a tick's check-in, which scheduler and worker each derive for themselves."""
    return uuid5(NAMESPACE_URL, f"nexara/{environment}/{schedule_name}/{job_id}").hex


@cache
def _monitored() -> Mapping[str, Schedule]:
    """Return the daily schedules by the kind of their job."""
    return {schedule.payload(clock.now()).kind: schedule for schedule in TIMETABLE if schedule.daily}


def _check_in(schedule: Schedule, job_id: int, status: str) -> None:
    environment = str(sentry_sdk.get_client().options["environment"])
    config: MonitorConfig = {
        "schedule": {"type": "crontab", "value": schedule.cron},
        "timezone": schedule.zone,
        "checkin_margin": MARGIN,
        "max_runtime": LONGEST_RUN,
    }
    capture_checkin(
        monitor_slug=schedule.name,
        check_in_id=check_in_id(environment, schedule.name, job_id),
        status=status,
        monitor_config=config,
    )


def _is_news(what: str) -> bool:
    """Whether nothing was told of this for an hour. Two threads that ask at once may both tell: no harm."""
    now = time.monotonic()
    if now - _parked.get(what, float("-inf")) < PARKED_AGAIN:
        return False
    _parked[what] = now
    return True


def _send(transaction: str, failure: Failure | None, tags: Mapping[str, str], otherwise: str) -> None:
    """Send one event; `otherwise` is its code where no exception was seen, as when a worker died."""
    code = failure.code if failure else otherwise
    error_class = failure.error_class if failure else "Lost"
    sentry_sdk.capture_event(
        {
            "level": "error",
            "transaction": transaction,
            "fingerprint": [failure.fingerprint] if failure else [transaction, code],
            "exception": {"values": [{"type": error_class, "value": code}]},
            "tags": {**tags, "code": code},
            "contexts": {"failure": _context(failure)},
        },
        hint={OURS: True},
    )


def _context(failure: Failure | None) -> dict[str, object]:
    if failure is None:
        return {}
    # Not the message: it is our own sentence, but the page of the job is the place to read it.
    return {
        "class": failure.error_class,
        "code": failure.code,
        "place": failure.place,
        "frames": failure.traceback,
    }


def _watch_for_crashes() -> None:
    """Tell of an exception that ends the process or one of its threads, then let the log's own hooks have it."""
    of_process, of_thread = sys.excepthook, threading.excepthook

    def process(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> Any:
        if isinstance(error, Exception):
            _send("process", describe("process", error), {}, "crashed")
            flush()
        return of_process(kind, error, trace)

    def thread(args: threading.ExceptHookArgs) -> Any:
        if isinstance(args.exc_value, Exception):
            _send("thread", describe("thread", args.exc_value), {}, "crashed")
        return of_thread(args)

    sys.excepthook, threading.excepthook = process, thread

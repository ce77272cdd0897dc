"""What an attempt that failed keeps of the log: the last lines of its own thread, and no word of anybody's."""

import logging
import threading
from uuid import uuid4

import pytest

from ledger.errors import TryAgain
from ledger.run import Runner, steps
from tests.ledger.kinds import Knock, Paint
from workers import tail
from workers.tail import MOST_BYTES

SPOKEN = "+353861234567"


@pytest.fixture
def runner(ledger):
    root = logging.getLogger()
    before = (list(root.handlers), list(steps.handlers), steps.level, steps.propagate)
    tail.attach()
    logging.getLogger("jobs").setLevel(logging.INFO)
    yield Runner(ledger.registry, ledger.worker, object(), listening=tail.listening)
    root.handlers[:], steps.handlers[:] = before[0], before[1]
    logging.getLogger("jobs").setLevel(logging.NOTSET)
    steps.setLevel(before[2])
    steps.propagate = before[3]


def failed(ledger, runner, payload, call, queue="walls"):
    """Run a job that says something and fails; return what its attempt kept."""
    ledger.script.call = call
    job_id = ledger.enqueue(payload)
    for job in ledger.claimed(queue):
        runner.run_plain(job) if queue == "knocks" else runner.run(job)
    (attempt,) = ledger.attempts(job_id)
    return attempt.log_tail


def test_a_failed_attempt_keeps_the_steps_it_took_and_what_was_logged_in_them(ledger, runner):
    def call(_):
        logging.getLogger("jobs.walls").warning("wall.wet", extra={"count": 3, "code": "too_wet"})
        raise TryAgain("vendor_down")

    lines = failed(ledger, runner, Paint(wall_id=uuid4()), call).splitlines()
    assert [line.split()[2] for line in lines] == ["job.loads", "job.calls", "wall.wet"]
    assert lines[-1].endswith("wall.wet  code=too_wet  count=3")


def test_no_word_of_anybody_is_kept(ledger, runner):
    def call(_):
        logging.getLogger("urllib3").warning("GET /calls/%s of Mary", SPOKEN)
        logging.getLogger("jobs.walls").error("Mary said she wants it blue")
        logging.getLogger("jobs.walls").error("wall.odd", extra={"reason": f"call {SPOKEN} or mary@example.com"})
        raise ValueError(SPOKEN)

    kept = failed(ledger, runner, Paint(wall_id=uuid4()), call)
    assert "library.said  library=urllib3" in kept
    assert "line.unnamed" in kept
    assert "reason=call # or #" in kept
    for words in (SPOKEN, "Mary", "blue", "example.com"):
        assert words not in kept


def test_of_many_lines_the_last_are_kept_and_no_more_than_four_kilobytes(ledger, runner):
    def call(_):
        for n in range(500):
            logging.getLogger("jobs.walls").warning("wall.wet", extra={"count": n, "reason": "x" * 200})
        raise TryAgain("vendor_down")

    kept = failed(ledger, runner, Paint(wall_id=uuid4()), call)
    assert "count=499" in kept
    assert "count=400" not in kept
    assert MOST_BYTES / 2 < len(kept.encode()) <= MOST_BYTES


def test_what_another_thread_logs_is_its_own(ledger, runner):
    def call(_):
        other = threading.Thread(target=logging.getLogger("jobs.walls").warning, args=("wall.elsewhere",))
        other.start()
        other.join()
        raise TryAgain("vendor_down")

    assert "wall.elsewhere" not in failed(ledger, runner, Paint(wall_id=uuid4()), call)


def test_a_job_of_a_set_keeps_its_own_lines_too(ledger, runner):
    def call(_):
        logging.getLogger("jobs.walls").warning("wall.wet")
        raise TryAgain("vendor_down")

    assert failed(ledger, runner, Knock(wall_id=uuid4()), call, "knocks").endswith("wall.wet")


def test_a_worker_that_keeps_no_lines_fails_all_the_same(ledger):
    runner = Runner(ledger.registry, ledger.worker, object())

    def call(_):
        raise TryAgain("vendor_down")

    assert failed(ledger, runner, Paint(wall_id=uuid4()), call) is None

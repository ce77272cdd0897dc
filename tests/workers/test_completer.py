"""Jobs without effects are completed as sets, by a thread that stops in order and says when it cannot go on."""

from collections.abc import Iterator
from threading import Event
from uuid import uuid4

import pytest
from sqlalchemy import text

from ledger.claim import Token
from tests.ledger.conftest import Ledger
from tests.ledger.kinds import Knock
from tests.workers.conftest import until
from workers.completer import MOST_AT_ONCE, Completer


class Heard:
    """What a completer told."""

    def __init__(self) -> None:
        self.done: list[list[Token]] = []
        self.died = Event()


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def completer(ledger: Ledger, heard: Heard) -> Iterator[Completer]:
    made = Completer(ledger.worker, heard.done.append, heard.died.set)
    yield made
    if made._thread.is_alive():
        made.stop(10)


def started(ledger: Ledger, count: int) -> list[Token]:
    """Enqueue knocks and claim them, which starts them."""
    for _ in range(count):
        ledger.enqueue(Knock(wall_id=uuid4()))
    return [(job.id, job.fence) for job in ledger.claimed("knocks")]


def succeeded(ledger: Ledger) -> int:
    return int(ledger.sql("SELECT count(*) FROM ledger.jobs WHERE state = 'succeeded'"))


def test_what_waits_is_completed_as_one_set(ledger: Ledger, completer: Completer, heard: Heard) -> None:
    tokens = started(ledger, 60)
    for token in tokens:
        completer.put(token)
    completer.start()
    until(lambda: heard.done)
    assert heard.done == [tokens]
    assert succeeded(ledger) == 60


def test_a_set_has_its_limit(ledger: Ledger, completer: Completer, heard: Heard) -> None:
    for number in range(MOST_AT_ONCE + 10):  # none of them is anybody's: the ledger changes nothing
        completer.put((10_000 + number, 1))
    completer.start()
    until(lambda: len(heard.done) == 2)
    assert [len(tokens) for tokens in heard.done] == [MOST_AT_ONCE, 10]


def test_one_that_moved_on_is_forgotten_and_not_touched(ledger: Ledger, completer: Completer, heard: Heard) -> None:
    ((mine, fence), (lost, old)) = started(ledger, 2)
    ledger.sql("UPDATE ledger.jobs SET fence = fence + 1 WHERE id = :id", id=lost)
    completer.put((mine, fence))
    completer.put((lost, old))
    completer.start()
    until(lambda: heard.done)
    assert heard.done == [[(mine, fence), (lost, old)]]
    assert ledger.job(mine).state == "succeeded"
    assert ledger.job(lost).state == "running"


def test_stopping_completes_what_waits(ledger: Ledger, completer: Completer, heard: Heard) -> None:
    tokens = started(ledger, 5)
    completer.start()
    for token in tokens:
        completer.put(token)
    completer.stop(10)
    assert succeeded(ledger) == 5
    assert not heard.died.is_set()


def test_a_lost_connection_is_no_reason_to_die(ledger: Ledger, completer: Completer, heard: Heard) -> None:
    (token,) = started(ledger, 1)
    ledger.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'nexara_worker'")
    completer.start()
    completer.put(token)
    until(lambda: heard.done)
    assert succeeded(ledger) == 1
    assert not heard.died.is_set()


def test_a_row_that_somebody_holds_keeps_no_other_waiting_and_is_completed_when_it_is_free(
    ledger: Ledger, completer: Completer, heard: Heard
) -> None:
    ledger.sql(f"ALTER ROLE nexara_worker IN DATABASE {ledger.admin.url.database} SET lock_timeout = '100ms'")
    ledger.worker.dispose()  # connections that do not know of it
    held, *others = started(ledger, 4)
    with ledger.admin.connect() as forgotten:
        forgotten.execute(text("SELECT FROM ledger.jobs WHERE id = :id FOR UPDATE"), {"id": held[0]})
        completer.start()
        for token in (held, *others):
            completer.put(token)
        until(lambda: succeeded(ledger) == 3)
        (late,) = started(ledger, 1)
        completer.put(late)
        until(lambda: succeeded(ledger) == 4)
        assert not heard.died.is_set()
        assert ledger.job(held[0]).state == "running"
        forgotten.rollback()
    until(lambda: succeeded(ledger) == 5)
    until(lambda: sum(map(len, heard.done)) == 5)
    assert {token for done in heard.done for token in done} == {held, late, *others}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_one_that_cannot_go_on_says_so(ledger: Ledger, heard: Heard) -> None:
    completer = Completer(ledger.web, heard.done.append, heard.died.set)  # a role that may complete nothing
    completer.start()
    completer.put((1, 1))
    assert heard.died.wait(10)
    completer.stop(10)
    assert heard.done == []

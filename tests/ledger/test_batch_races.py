"""However many end, seal, add and settle at the same moment, a batch completes exactly once and nobody waits."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

from sqlalchemy import text

from ledger.batch import Batch, batch, open_batch
from ledger.claim import claim, complete_many
from ledger.dispatch import settle_batches
from tests.ledger.batching import (
    GOOD,
    THEN,
    completed_as_a_set,
    counts,
    followed,
    kept,
    made,
    see,
    settle,
)
from tests.ledger.kinds import Dry, Knock


def test_many_that_end_together_wait_for_nobody_and_complete_it_once(ledger: Any, web: Any) -> None:
    """Eight workers end 400 jobs at once, while three dispatchers settle all the time."""
    with web() as db, batch(db, then=THEN, if_succeeded=GOOD) as opened:
        opened.enqueue_many(Knock(wall_id=uuid4()) for _ in range(400))
    held = ledger.claimed("knocks", ledger.dispatched("knocks", 1000))
    assert len(held) == 400
    parts = [held[n::8] for n in range(8)]
    start, done = threading.Barrier(11), threading.Event()

    def end(part: list[Any]) -> None:
        start.wait()
        for n in range(0, len(part), 5):
            with ledger.worker.begin() as db:
                complete_many(db, [(job.id, job.fence) for job in part[n : n + 5]])

    def keep_settling() -> int:
        start.wait()
        settled = 0
        while not done.is_set():
            with ledger.worker.begin() as db:
                settled += settle_batches(db)
        return settled

    with ThreadPoolExecutor(11) as pool:
        settling = [pool.submit(keep_settling) for _ in range(3)]
        for ending in [pool.submit(end, part) for part in parts]:
            ending.result()
        done.set()
        settled = sum(each.result() for each in settling)
    settled += settle(ledger)
    assert settled == 400 + 1
    assert {what: len(jobs) for what, jobs in followed(ledger, opened.id).items()} == {"then": 1, "good": 1, "bad": 0}
    assert kept(ledger, opened.id).succeeded == 400


def test_an_end_waits_for_no_other_end_of_its_batch(ledger: Any, web: Any) -> None:
    """One transaction has ended a job and does not commit; the other ends, and the look at them, go on."""
    batch_id, _ = made(web, *(Knock(wall_id=uuid4()) for _ in range(3)))
    first, second, third = ledger.claimed("knocks")
    with ledger.worker.connect() as slow, slow.begin():
        complete_many(slow, [(first.id, first.fence)])
        with ledger.worker.begin() as db:
            db.execute(text("SET LOCAL lock_timeout = '100ms'"))
            complete_many(db, [(second.id, second.fence), (third.id, third.fence)])
        with ledger.worker.begin() as db:
            db.execute(text("SET LOCAL lock_timeout = '100ms'"))
            assert settle_batches(db) == 2
        assert see(ledger, batch_id).state == "sealed"
    settle(ledger)
    assert see(ledger, batch_id).state == "complete"


def test_of_two_last_jobs_that_end_unseen_by_each_other_the_batch_completes(ledger: Any, web: Any) -> None:
    batch_id, _ = made(web, Knock(wall_id=uuid4()), Knock(wall_id=uuid4()))
    first, second = ledger.claimed("knocks")
    with ledger.worker.connect() as one, ledger.worker.connect() as other, one.begin(), other.begin():
        complete_many(one, [(first.id, first.fence)])
        complete_many(other, [(second.id, second.fence)])
        settle(ledger)
        assert counts(ledger, batch_id) == (2, 0, 0, 0, 0)
    settle(ledger)
    assert len(followed(ledger, batch_id)["then"]) == 1


def test_a_seal_waits_for_whoever_still_adds(ledger: Any, web: Any) -> None:
    with web() as db:
        opened = open_batch(db, then=THEN)
    sealed = threading.Event()

    def seal() -> None:
        with web() as db:
            Batch(db, opened.id).seal()
        sealed.set()

    with web() as adding:
        Batch(adding, opened.id).enqueue(Dry(wall_id=uuid4()))
        sealing = threading.Thread(target=seal)
        sealing.start()
        assert not sealed.wait(0.3)
    sealing.join()
    assert (see(ledger, opened.id).state, see(ledger, opened.id).open) == ("sealed", 1)


def test_a_batch_that_is_sealed_while_its_last_end_is_taken_up_completes(ledger: Any, web: Any) -> None:
    """Whoever looks first does not see what the other has not committed: the next look does."""
    with web() as db:
        opened = open_batch(db, then=THEN)
        opened.enqueue(Knock(wall_id=uuid4()))
    completed_as_a_set(ledger)
    with web() as sealing:
        Batch(sealing, opened.id).seal()  # it sees the job open: its note is not taken up
        with ledger.worker.begin() as db:
            assert settle_batches(db) == 1  # it sees the batch unsealed
    assert see(ledger, opened.id).state == "sealed"
    settle(ledger)
    assert see(ledger, opened.id).state == "complete"


def test_while_one_dispatcher_settles_another_passes_by(ledger: Any, web: Any) -> None:
    made(web, Knock(wall_id=uuid4()))
    completed_as_a_set(ledger)
    with ledger.worker.connect() as one, one.begin():
        assert settle_batches(one) == 2
        with ledger.worker.begin() as other:
            other.execute(text("SET LOCAL lock_timeout = '100ms'"))
            assert settle_batches(other) == 0


def test_a_dispatcher_killed_while_it_settles_leaves_all_to_the_next(ledger: Any, web: Any) -> None:
    batch_id, _ = made(web, Knock(wall_id=uuid4()))
    completed_as_a_set(ledger)
    with ledger.worker.connect() as killed:
        killed.begin()
        assert settle_batches(killed) == 2
        pid = killed.execute(text("SELECT pg_backend_pid()")).scalar()
        ledger.sql("SELECT pg_terminate_backend(:pid, 5000)", pid=pid)
        killed.invalidate()
    settle(ledger)
    assert len(followed(ledger, batch_id)["then"]) == 1
    assert kept(ledger, batch_id).succeeded == 1


def test_a_worker_that_claims_for_a_batch_of_thousands_settles_in_parts(ledger: Any, web: Any) -> None:
    with web() as db, batch(db, then=THEN) as opened:
        jobs = opened.enqueue_many(Knock(wall_id=uuid4()) for _ in range(2500))
    with ledger.worker.begin() as db:
        kinds = ledger.registry.kinds
        held = claim(db, ledger.me, kinds, ["walls.knock"], ledger.dispatched("knocks", 5000))
        complete_many(db, [(job.id, job.fence) for job in held])
    assert len(jobs) == len(held) == 2500
    parts = []
    while True:
        with ledger.worker.begin() as db:
            taken = settle_batches(db)
        if not taken:
            break
        parts.append(taken)
    assert parts == [1000, 1000, 501]
    assert len(followed(ledger, opened.id)["then"]) == 1
